// The durable records: what each step leaves for the next process.
#include "state/state_store.h"

#include <gmock/gmock.h>

#include "report/json_text.h"
#include "temporary_folder.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

const StreamRef kStream{"s1", "a"};

class Store : public testing::Test {
 protected:
  Store() { open(); }
  void open() { store_.emplace(folder_.path(), "p", faults_); }  // as the next process does

  EpochRecord begin(const std::string& run = "run1") {
    EpochRecord record;
    record.run = run;
    record.lane = "l";
    record.epoch = store_->begin_epoch({run, "l", {{"t1", "x"}}});
    return record;
  }

  void commit(const std::vector<SplitState>& states, const std::string& run = "run1",
              const std::vector<StreamRef>& refreshed = {}) {
    EpochRecord record = begin(run);
    record.states = states;
    record.refreshed = refreshed;
    store_->record_epoch(record);
    store_->committed(record.epoch);
  }

  static SplitState at(const std::string& split, const std::string& state) {
    return {kStream, split, state, false, false};
  }
  static SplitState done(const std::string& split) { return {kStream, split, "", true, true}; }

  void reject(uint64_t epoch, const std::string& row) {
    store_->add_reject({"run1", "l", epoch, "a", "t1", "value", "is odd", "", row, "{}"});
  }

  std::vector<std::string> rejects() {
    std::vector<std::string> rows;
    store_->rejects("", 0, [&](const StoredReject& one) {
      rows.push_back(one.reject.row_json + (one.kept ? "" : " as evidence"));
      return true;
    });
    return rows;
  }

  TemporaryFolder folder_;
  FaultHook faults_{nullptr};
  std::optional<StateStore> store_;
};

TEST_F(Store, NoNumberComesTwice) {
  const uint64_t first = begin().epoch;
  store_->aborted(first, false);
  open();
  EXPECT_EQ(begin().epoch, first + 1);
  EXPECT_EQ(store_->next_epoch(), first + 2);
}

TEST_F(Store, AStateCountsFromTheEndOfItsEpoch) {
  EpochRecord record = begin();
  record.states = {at("1", "5")};
  store_->record_epoch(record);
  EXPECT_EQ(store_->state(kStream, "1"), "");
  open();
  ASSERT_EQ(store_->unfinished().size(), 1u);
  EXPECT_EQ(store_->unfinished()[0].phase, EpochPhase::kRecorded);
  EXPECT_EQ(store_->unfinished()[0].record.states[0].state_json, "5");
  store_->committed(record.epoch);
  store_->committed(record.epoch);  // its end comes once
  open();
  EXPECT_EQ(store_->state(kStream, "1"), "5");
  EXPECT_THAT(store_->unfinished(), IsEmpty());
}

TEST_F(Store, WhatWasAbortedNeverWas) {
  EpochRecord record = begin();
  record.states = {at("1", "5")};
  store_->record_epoch(record);
  store_->aborted(record.epoch, false);
  EXPECT_EQ(store_->state(kStream, "1"), "");
  EXPECT_THAT(store_->unfinished(), IsEmpty());
}

TEST_F(Store, AnEpochThatBeganNamesItsTransactions) {
  begin();
  open();
  const auto left = store_->unfinished();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].phase, EpochPhase::kBegun);
  EXPECT_EQ(left[0].record.sinks[0].txn, "x");
}

TEST_F(Store, AllBeforeTheFirstOpenEpochIsSettled) {
  EXPECT_EQ(store_->settled(), 0u);
  const uint64_t first = begin().epoch, second = begin().epoch;
  store_->aborted(second, false);
  EXPECT_EQ(store_->settled(), first - 1);
  store_->aborted(first, false);
  EXPECT_EQ(store_->settled(), second);
}

TEST_F(Store, ARefreshReplacesAtItsCommitWhatOtherRunsKnew) {
  commit({at("1", "5"), at("2", "6"), done("3")});
  commit({at("1", "1")}, "run2", {kStream});
  EXPECT_EQ(store_->state(kStream, "1"), "1");
  EXPECT_EQ(store_->state(kStream, "2"), "");
  EXPECT_FALSE(store_->is_done(kStream, "3"));
  commit({at("2", "2")}, "run2", {kStream});
  EXPECT_EQ(store_->state(kStream, "1"), "1") << "of the same run";
}

TEST_F(Store, WhatIsReadOnceIsDoneForGood) {
  commit({at("o@1", "5")});
  commit({done("o@1")});
  EXPECT_TRUE(store_->is_done(kStream, "o@1"));
  EXPECT_EQ(store_->state(kStream, "o@1"), "");
  EXPECT_THAT(store_->done_splits("s1"), ElementsAre("o@1"));
  EXPECT_THAT(store_->done_splits("s2"), IsEmpty());
}

TEST_F(Store, RefusedRowsFollowTheirEpoch) {
  EpochRecord kept = begin();
  reject(kept.epoch, "1");
  EXPECT_THAT(rejects(), IsEmpty()) << "not before the epoch is on record";
  store_->record_epoch(kept);
  EXPECT_THAT(rejects(), ElementsAre("1"));
  const uint64_t evidence = begin().epoch;
  reject(evidence, "2");
  store_->aborted(evidence, true);
  const uint64_t gone = begin().epoch;
  reject(gone, "3");
  store_->aborted(gone, false);
  EXPECT_THAT(rejects(), ElementsAre("1", "2 as evidence"));
}

TEST_F(Store, ADiscardKeepsHowItWasMeant) {
  begin();
  const EpochRecord record = begin();
  store_->record_epoch(record);
  EXPECT_EQ(store_->discard_recorded(parse_json_text(R"({"without": "t1"})")), 1);
  open();
  const auto left = store_->unfinished();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].phase, EpochPhase::kBegun) << "it is aborted anyway";
  EXPECT_EQ(left[1].phase, EpochPhase::kDiscarded);
  EXPECT_EQ(left[1].record.discard["without"], "t1");
}

TEST_F(Store, ANameBelongsToOneOwner) {
  EXPECT_EQ(store_->claim("out/a", "l1"), std::nullopt);
  EXPECT_EQ(store_->claim("out/a", "l1"), std::nullopt);
  EXPECT_THAT(store_->claim("out/a", "l2"), Optional(std::string("l1")));
  store_->begin_run({"run2", "p", "local", "2026-01-02T00:00:00Z"}, true);
  EXPECT_EQ(store_->claim("out/a", "l2"), std::nullopt) << "a new run claims anew";
}

TEST_F(Store, ARunThatNeverEndedHasCrashed) {
  store_->begin_run({"run1", "p", "local", "2026-01-02T00:00:00Z"}, true);
  open();
  store_->begin_run({"run2", "p", "local", "2026-01-03T00:00:00Z"}, true);
  EXPECT_EQ(store_->find_run("run1")->outcome, "crashed");
  EXPECT_EQ(store_->find_run("run2")->outcome, "running");
}

TEST_F(Store, ARenamedSourceKeepsItsState) {
  commit({at("1", "5")});
  EXPECT_TRUE(store_->move_node("s1", "s2"));
  EXPECT_EQ(store_->state({"s2", "a"}, "1"), "5");
  EXPECT_FALSE(store_->move_node("s1", "s3"));
}

TEST_F(Store, WhatTheUserSetsCountsUntilItComesTrue) {
  store_->set_state("a", "7");
  EXPECT_THAT(store_->given_state("a"), Optional(std::string("7")));
  commit({at("1", "8")});
  EXPECT_EQ(store_->given_state("a"), std::nullopt);
  store_->set_state("a", "3");
  EXPECT_EQ(store_->state(kStream, "1"), "3") << "of its one split";
  commit({at("2", "9")});
  EXPECT_THROW(store_->set_state("a", "3"), Error) << "of two splits it has no one state";
  store_->forget({"a"});
  EXPECT_EQ(store_->state(kStream, "1"), "");
}

TEST_F(Store, AnAcceptedStateSkipsWhatTheSinksKnow) {
  begin();
  store_->accept({});
  EXPECT_TRUE(store_->is_accepted());
  store_->skip_epochs(40);
  EXPECT_FALSE(store_->is_accepted());
  EXPECT_EQ(store_->next_epoch(), 41u);
  store_->skip_epochs(3);
  EXPECT_EQ(store_->next_epoch(), 41u) << "never back";
}

}  // namespace
}  // namespace patchbay::host
