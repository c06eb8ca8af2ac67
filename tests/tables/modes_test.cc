// What is in the table after an epoch, however it was put together.
#include "bench.h"

namespace patchbay::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const kFields = "id: int64, name: utf8";

class EveryMode : public ModeBench {};
INSTANTIATE_TEST_SUITE_P(Sink, EveryMode,
                         testing::ValuesIn(modes({"append", "replace", "upsert", "mirror"})));
class OfSeveralStreams : public ModeBench {};
INSTANTIATE_TEST_SUITE_P(Sink, OfSeveralStreams,
                         testing::ValuesIn(modes({"append", "replace", "upsert"})));
class WithKeys : public ModeBench {};
INSTANTIATE_TEST_SUITE_P(Sink, WithKeys, testing::ValuesIn(modes({"upsert", "mirror"})));
class Replace : public ModeBench {};
INSTANTIATE_TEST_SUITE_P(Sink, Replace, testing::ValuesIn(modes({"replace"})));
class Mirror : public ModeBench {};
INSTANTIATE_TEST_SUITE_P(Sink, Mirror, testing::ValuesIn(modes({"mirror"})));

TEST_P(EveryMode, ShowsNothingBeforeTheCommitAndAllAfterIt) {
  sink(GetParam());
  prepare(stream("s", kFields), {{"1|a"}, {"2|b", "3|c"}});
  EXPECT_EQ(prepared_[0].rows_accepted, 3);
  EXPECT_THAT(rows(), IsEmpty());
  commit();
  EXPECT_THAT(rows(), ElementsAre("1|a", "2|b", "3|c"));
}

TEST_P(OfSeveralStreams, TwoStreamsOfAnEpochAreTogetherInTheirTable) {
  write(GetParam(), stream("s", kFields), {"9|old"});
  sink(GetParam());
  prepare(stream("a", kFields), {{"1|a", "2|b"}});
  prepare(stream("b", kFields), {{"3|c"}});
  commit();
  Texts expected{"1|a", "2|b", "3|c"};
  if (GetParam() != "replace") expected.emplace_back("9|old");
  EXPECT_EQ(rows(), expected);
}

TEST_P(EveryMode, AFieldThatComesInTheMiddleOfAnEpochLosesNoRow) {
  sink(GetParam());
  prepare(stream("s", kFields), {{"1|a", "2|b"}});
  prepare(stream("s", std::string(kFields) + ", extra: utf8"), {{"3|c|x"}});
  commit();
  EXPECT_THAT(rows("id, name, extra"), ElementsAre("1|a|", "2|b|", "3|c|x"));
  sink(GetParam());  // the table has the field now, the first file still lacks it
  prepare(stream("s", kFields), {{"1|a", "2|b"}});
  prepare(stream("s", std::string(kFields) + ", extra: utf8"), {{"3|c|x"}});
  commit();
  EXPECT_EQ(rows().size(), GetParam() == "append" ? 6u : 3u);
}

TEST_P(Replace, TheTableHoldsTheEpochAndNothingElse) {
  const Schema schema = stream("s", kFields);
  write("replace", schema, {"1|a", "2|b"});
  write("replace", schema, {"2|c", "3|d"});
  EXPECT_THAT(rows(), ElementsAre("2|c", "3|d"));
}

TEST_P(EveryMode, AnEpochWithoutRowsChangesNothing) {
  const Schema schema = stream("s", kFields);
  write(GetParam(), schema, {"1|a"});
  if (GetParam() == "append" || GetParam() == "upsert") {
    sink(GetParam());
    prepare(schema, {});
    commit();
  } else {
    host.epoch.complete = true;
    sink(GetParam());
    const std::string said = refusal(schema, {}, Code::kData);
    EXPECT_THAT(said, testing::AllOf(HasSubstr("1 row"), HasSubstr("empty: allow")));
    if (GetParam() == "replace") {
      host.epoch.complete = false;  // then the commit is the first to know
      sink(GetParam());
      EXPECT_THAT(refusal(schema, {}, Code::kData), HasSubstr("empty: allow"));
    }
  }
  EXPECT_THAT(rows(), ElementsAre("1|a"));
}

TEST_P(Replace, NothingReplacesSomethingWhereTheOptionSaysSo) {
  const Schema schema = stream("s", kFields);
  write("replace", schema, {"1|a"});
  sink("replace", R"({"empty":"allow"})");
  prepare(schema, {});
  commit();
  EXPECT_THAT(rows(), IsEmpty());
}

TEST_P(Replace, AColumnThatTheStreamLacksIsRefusedOrTheTableIsMadeAnew) {
  write("append", stream("s", std::string(kFields) + ", more: utf8"), {"1|a|m"});
  sink("replace");
  host.epoch.complete = true;
  const std::string said = refusal(stream("s", kFields), {{"2|b"}}, Code::kSchema);
  EXPECT_THAT(said, testing::AllOf(HasSubstr("more"), HasSubstr("recreate: true")));
  EXPECT_THAT(rows("id, name, more"), ElementsAre("1|a|m"));
  write("replace", stream("s", kFields), {"2|b"}, R"({"recreate":true})");
  EXPECT_THAT(rows("id, name, more"), ElementsAre("2|b|"));
}

TEST_P(WithKeys, OfTheRowsOfOneKeyTheLastOneCounts) {
  const Schema schema = stream("s", kFields);
  sink(GetParam());
  prepare(schema, {{"1|first", "2|only", "1|second"}, {"1|third"}});
  EXPECT_EQ(prepared_[0].rows_accepted, 4);
  prepare(schema, {{"3|x", "1|last"}});
  commit();
  EXPECT_THAT(rows(), ElementsAre("1|last", "2|only", "3|x"));
  write(GetParam(), schema, {"2|b", "2|c", "4|d"});
  EXPECT_THAT(rows(), ElementsAre("1|last", "2|c", "3|x", "4|d"));
}

TEST_P(WithKeys, ColumnsThatTheStreamLacksKeepTheirValues) {
  write("append", stream("s", "id: int64, name: utf8, more: utf8"), {"1|a|kept", "2|b|kept"});
  write(GetParam(), stream("s", kFields), {"1|A", "3|c"});
  EXPECT_THAT(rows("id, name, more"), ElementsAre("1|A|kept", "2|b|kept", "3|c|"));
}

TEST_P(WithKeys, NullsOfTheStreamAreValues) {
  write(GetParam(), stream("s", kFields), {"1|a"});
  write(GetParam(), stream("s", kFields), {"1|"});
  EXPECT_THAT(rows(), ElementsAre("1|"));
}

TEST_P(Mirror, WhatACompleteReadDoesNotHaveIsDeletedWithinTheLimit) {
  const Schema schema = stream("s", kFields);
  const char* half = R"({"deletes":{"max":"50%"}})";
  write("mirror", schema, {"1|a", "2|b", "3|c", "4|d"});
  write("mirror", schema, {"1|A"});
  EXPECT_EQ(rows().size(), 4u);  // an incremental read deletes nothing
  host.epoch.complete = true;
  write("mirror", schema, {"1|A", "2|B", "5|e"}, half);
  EXPECT_THAT(rows(), ElementsAre("1|A", "2|B", "5|e"));
  sink("mirror", half);
  EXPECT_THAT(refusal(schema, {{"1|A"}}, Code::kData),
              testing::AllOf(HasSubstr("has 3 rows, and 2 of them"), HasSubstr("50%")));
  EXPECT_THAT(rows(), ElementsAre("1|A", "2|B", "5|e"));
  write("mirror", schema, {"1|A"}, R"({"deletes":{"max":2}})");
  EXPECT_THAT(rows(), ElementsAre("1|A"));
}

TEST_P(Mirror, TwoStreamsCanNotShareATable) {
  const auto make = [&] {
    another("mirror", R"({"tables":{"a":")" + table_ + R"(","b":")" + table_ + R"("}})");
  };
  EXPECT_THAT(failure(make, Code::kConfig), HasSubstr("can't share the table"));
}

}  // namespace
}  // namespace patchbay::test
