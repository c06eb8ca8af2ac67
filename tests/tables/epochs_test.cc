// Commits that come twice, late, or from elsewhere, and what a sink remembers of them.
#include "bench.h"

namespace patchbay::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Epochs : public ModeBench {
 protected:
  const Schema schema = stream("s", "id: int64, name: utf8");
};
class KeptEpochs : public TableBench {
 protected:
  const Schema schema = stream("s", "id: int64, name: utf8");
};
INSTANTIATE_TEST_SUITE_P(Sink, Epochs,
                         testing::ValuesIn(modes({"append", "replace", "upsert", "mirror"})));

TEST_P(Epochs, ACommitMayComeAgain) {
  SinkDriver& driver = sink(GetParam());
  prepare(schema, {{"1|a"}});
  const std::string name = txn();
  const uint64_t number = host.epoch.number;
  const auto tokens = tokens_;
  commit();
  driver.commit(name, number, tokens);
  another(GetParam())->commit(name, number, tokens);
  EXPECT_THAT(rows(), ElementsAre("1|a"));
  host.epoch.number = number + 1;
  write(GetParam(), schema, {"1|A", "2|b"});
  const Texts after = rows();
  another(GetParam())->commit(name, number, tokens);
  EXPECT_EQ(rows(), after);
}

TEST_P(Epochs, AnotherProcessCommitsWhatIsPreparedOrSaysThatItIsGone) {
  sink(GetParam());
  prepare(schema, {{"1|a"}});
  auto driver = another(GetParam());
  if (has("keeps_prepared")) {
    driver->commit(txn(), host.epoch.number, tokens_);
    EXPECT_THAT(rows(), ElementsAre("1|a"));
  } else {
    failure([&] { driver->commit(txn(), host.epoch.number, tokens_); }, Code::kNotFound);
    EXPECT_THAT(rows(), IsEmpty());
  }
}

// The process that prepared it is still there, as after a break of the network.
TEST_F(KeptEpochs, WhatTheHostAsksToKeepOutlivesItsProcess) {
  if (!has("keeps_on_request")) return;
  write("append", schema, {"1|a"});
  host.epoch.durable = true;
  SinkDriver& driver = sink("append");
  prepare(schema, {{"2|b", "3|c"}, {"4|"}});
  auto other = another("append");
  EXPECT_EQ(other->outcome(txn(), tokens_), Outcome::kPrepared);
  EXPECT_THAT(rows(), ElementsAre("1|a"));
  for (SinkDriver* late : {other.get(), &driver}) {
    late->commit(txn(), host.epoch.number, tokens_);
    EXPECT_THAT(rows(), ElementsAre("1|a", "2|b", "3|c", "4|"));
    EXPECT_EQ(late->outcome(txn(), tokens_), Outcome::kCommitted);
  }
  next_epoch();
  prepare(schema, {{"5|e"}});
  other->abort({txn()});
  for (SinkDriver* late : {other.get(), &driver}) {
    EXPECT_EQ(late->outcome(txn(), tokens_), Outcome::kGone);
    failure([&] { late->commit(txn(), host.epoch.number, tokens_); }, Code::kNotFound);
  }
  EXPECT_THAT(rows(), ElementsAre("1|a", "2|b", "3|c", "4|"));
}

TEST_P(Epochs, ACommitThatComesAfterTheAbortDoesNothing) {
  write(GetParam(), schema, {"1|a"});
  SinkDriver& driver = sink(GetParam());
  prepare(schema, {{"2|b"}});
  driver.abort({txn()});
  failure([&] { driver.commit(txn(), host.epoch.number, tokens_); }, Code::kNotFound);
  failure([&] { another(GetParam())->commit(txn(), host.epoch.number, tokens_); }, Code::kNotFound);
  EXPECT_THAT(rows(), ElementsAre("1|a"));
}

TEST_P(Epochs, AnAbortOfAnotherProcessFencesTheTransaction) {
  write(GetParam(), schema, {"1|a"});
  SinkDriver& driver = sink(GetParam());
  prepare(schema, {{"2|b"}});
  another(GetParam())->abort({txn()});
  if (has("keeps_prepared")) {
    failure([&] { driver.commit(txn(), host.epoch.number, tokens_); }, Code::kNotFound);
  } else {
    driver.abort({txn()});
  }
  EXPECT_THAT(rows(), ElementsAre("1|a"));
}

TEST_P(Epochs, AnAbortThatComesLateKeepsWhatIsCommitted) {
  SinkDriver& driver = sink(GetParam());
  prepare(schema, {{"1|a"}});
  const std::string name = txn();
  commit();
  driver.abort({name});
  another(GetParam())->abort({name, "never-was"});
  EXPECT_THAT(rows(), ElementsAre("1|a"));
}

TEST_P(Epochs, TheOutcomeIsKnown) {
  if (!has("knows_outcomes")) GTEST_SKIP() << "it can't tell";
  SinkDriver& driver = sink(GetParam());
  prepare(schema, {{"1|a"}});
  const std::string name = txn();
  const auto tokens = tokens_;
  EXPECT_EQ(driver.outcome(name, tokens), Outcome::kPrepared);
  commit();
  EXPECT_EQ(driver.outcome(name, tokens), Outcome::kCommitted);
  EXPECT_EQ(another(GetParam())->outcome(name, tokens), Outcome::kCommitted);
  prepare(schema, {{"2|b"}});
  driver.abort({txn()});
  EXPECT_EQ(driver.outcome(txn(), tokens_), Outcome::kGone);
  EXPECT_EQ(driver.outcome("never-was", {}), Outcome::kGone);
}

TEST_P(Epochs, TheNewestEpochOfItsScopeIsKnown) {
  if (!has("keeps_newest")) {
    EXPECT_EQ(sink(GetParam()).newest(), 0u);
    return;
  }
  EXPECT_EQ(sink(GetParam()).newest(), 0u);
  host.epoch.number = 7;
  write(GetParam(), schema, {"1|a"});
  EXPECT_EQ(sink(GetParam()).newest(), 7u);
  prepare(schema, {{"2|b"}});
  another(GetParam())->abort({txn()});
  EXPECT_EQ(sink(GetParam()).newest(), 7u);
  const std::string own = host.epoch.scope;
  host.epoch.scope += "/another";
  EXPECT_EQ(sink(GetParam()).newest(), 0u);
  host.epoch.scope = own;
}

TEST_P(Epochs, WhatIsForgottenIsSettledAndTheLastOneNever) {
  std::vector<std::string> tokens;
  std::string name;
  for (uint64_t number = 1; number <= 5; ++number) {
    host.epoch.settled = number;  // as far as a host may go
    sink(GetParam());
    prepare(schema, {{std::to_string(number) + "|x"}});
    name = txn();
    tokens = tokens_;
    commit();
  }
  const Texts before = rows();
  another(GetParam())->commit(name, 5, tokens);
  EXPECT_EQ(rows(), before);
  host.epoch.number = 6;
  EXPECT_EQ(sink(GetParam()).newest(), has("keeps_newest") ? 5u : 0u);
}

}  // namespace
}  // namespace patchbay::test
