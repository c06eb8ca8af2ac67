// What becomes of a recorded epoch, by what its sinks say of it.
#include "engine/settlement.h"

#include <gmock/gmock.h>

#include "engine_fixture.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

class SettlementTest : public EngineFixture {
 protected:
  // `forgetful` is t1, which loses what is prepared with the process; t2 keeps it.
  void open(const std::string& forgetful, const std::string& write = "append") {
    begin(
        "  - {id: s1, use: fake.rows, with: {name: s1, cursor: c}}\n"
        "  - {id: t2, use: fake.table, from: s1, with: {name: t2, write: " +
        write +
        "}}\n"
        "  - {id: t1, use: " +
        forgetful + ".table, from: s1, with: {name: t1, write: " + write + "}}\n");
  }

  EpochRecord recorded() {
    EpochRecord record;
    record.run = "run0";
    record.lane = "s1/1";
    record.states = {{{"s1", "a"}, "1", "5", false, false}};
    record.sinks = {{"t1", "x1", {"token"}, ""}, {"t2", "x2", {"token"}, ""}};
    record.epoch = state_->begin_epoch({record.run, record.lane, {}});
    state_->record_epoch(record);
    return record;
  }

  Settlement settlement() { return {*run_, sinks(), cancel_}; }
  bool is_on_record() { return !state_->unfinished().empty(); }
  bool has_state() { return state_->state({"s1", "a"}, "1") == "5"; }

  CancelToken cancel_;
};

TEST_F(SettlementTest, WhoMayLoseItsRowsIsAskedFirst) {
  const struct {
    std::string plugin, write;
    int rank;
  } kCases[] = {{"forgetful", "upsert", 0},
                {"forgetful", "append", 1},
                {"either", "append", 1},
                {"fake", "append", 2},
                {"fake", "replace", 2}};
  for (const auto& c : kCases) {
    begin("  - {id: s1, use: fake.rows, with: {name: s1}}\n  - {id: t1, use: " + c.plugin +
          ".table, from: s1, with: {name: t1, write: " + c.write + "}}\n");
    EXPECT_EQ(commit_rank(pipeline_->nodes[1], run_->forgets[1]), c.rank)
        << c.plugin << " " << c.write;
  }
  open("forgetful");
  settlement().commit(recorded());
  EXPECT_THAT(systems_.calls(), ElementsAre("t1 commit x1", "t2 commit x2"));
  EXPECT_TRUE(has_state());
}

// What the first sink's commit fails with, and what follows.
TEST_F(SettlementTest, ACommitThatFailsIsTurnedRoundOrStays) {
  const struct {
    const char* sink;
    Code code;
    bool aborted;
  } kCases[] = {
      {"t1", Code::kNotFound, true},      // it has lost its rows, and nobody shows any
      {"t1", Code::kData, true},          // refuses them
      {"t1", Code::kUnavailable, false},  // nobody knows
      {"t1", Code::kAuth, false},         // somebody must put it right
      {"t2", Code::kNotFound, false},     // t1 shows them already
      {"t2", Code::kData, false},
  };
  for (const auto& c : kCases) {
    open("forgetful");
    systems_.forget_calls();
    systems_.outcomes = {{"t1", Outcome::kGone}, {"t2", Outcome::kGone}};
    systems_.fail(c.sink, "commit", c.code);
    bool aborted = false;
    try {
      settlement().commit(recorded());
      ADD_FAILURE() << "is committed";
    } catch (const EpochAborted&) {
      aborted = true;
    } catch (const NodeError& error) {
      EXPECT_EQ(error.node(), c.sink);
    }
    EXPECT_EQ(aborted, c.aborted) << c.sink << " " << static_cast<int>(c.code);
    EXPECT_EQ(is_on_record(), !c.aborted);
    EXPECT_FALSE(has_state());
    const auto calls = systems_.calls();
    EXPECT_EQ(std::count(calls.begin(), calls.end(), "t2 abort x2"), c.aborted);
    state_.reset();
    std::filesystem::remove_all(folder_.path() / "state");
  }
}

TEST_F(SettlementTest, RowsThatWouldStandTwiceNeedTheUsersWord) {
  open("forgetful");
  systems_.fail("t2", "commit", Code::kNotFound);
  try {
    settlement().commit(recorded());
    FAIL();
  } catch (const RowsWouldDouble& error) {
    EXPECT_THAT(error.what(), HasSubstr("discard p --again"));
    EXPECT_THAT(error.what(), HasSubstr("--without t2"));
  }
}

TEST_F(SettlementTest, RowsByKeysMayComeAgain) {
  open("forgetful", "upsert");
  systems_.fail("t2", "commit", Code::kNotFound);
  EXPECT_THROW(settlement().commit(recorded()), EpochAborted);
  EXPECT_FALSE(is_on_record());
}

TEST_F(SettlementTest, RecoveryGoesByTheOutcomes) {
  using enum Outcome;
  const struct {
    Outcome first, second;
    Settled settled;
  } kCases[] = {
      {kPrepared, kPrepared, Settled::kCommitted}, {kCommitted, kPrepared, Settled::kCommitted},
      {kGone, kPrepared, Settled::kAborted},       {kPrepared, kGone, Settled::kAborted},
      {kUnknown, kUnknown, Settled::kCommitted},   {kCommitted, kCommitted, Settled::kCommitted},
      {kUnknown, kGone, Settled::kCommitted}};  // its commit is the one question
  for (const auto& c : kCases) {
    open("forgetful");
    systems_.outcomes = {{"t1", c.first}, {"t2", c.second}};
    const EpochRecord record = recorded();
    EXPECT_EQ(settlement().recover({EpochPhase::kRecorded, record}), c.settled)
        << static_cast<int>(c.first) << " " << static_cast<int>(c.second);
    EXPECT_FALSE(is_on_record());
    EXPECT_EQ(has_state(), c.settled == Settled::kCommitted);
    state_.reset();
    std::filesystem::remove_all(folder_.path() / "state");
  }
}

TEST_F(SettlementTest, WhatHasOnlyBegunIsAborted) {
  open("forgetful");
  EpochRecord record = recorded();
  EXPECT_EQ(settlement().recover({EpochPhase::kBegun, record}), Settled::kAborted);
  EXPECT_THAT(systems_.calls(), testing::UnorderedElementsAre("t1 abort x1", "t2 abort x2"));
}

TEST_F(SettlementTest, ADiscardedEpochIsWhatTheUserSays) {
  const struct {
    const char* how;
    std::vector<std::string> calls;
    Settled settled;
  } kCases[] = {
      {R"({"again": true})", {"t1 abort x1", "t2 abort x2"}, Settled::kAborted},
      {R"({"again": true, "reported": []})",
       {"t1 abort x1", "t2 abort x2", "t1 outcome x1", "t2 outcome x2"},
       Settled::kAborted},
      {R"({"again": true, "reported": ["t2"]})",
       {"t1 abort x1", "t2 abort x2", "t1 outcome x1"},
       Settled::kAborted},
      {R"({"without": "t1"})", {"t1 abort x1", "t2 commit x2"}, Settled::kCommitted},
      {"{}", {"t1 outcome x1", "t2 outcome x2", "t1 abort x1", "t2 abort x2"}, Settled::kAborted}};
  for (const auto& c : kCases) {
    open("forgetful");
    systems_.forget_calls();
    systems_.outcomes = {{"t1", Outcome::kGone}, {"t2", Outcome::kPrepared}};
    EpochRecord record = recorded();
    record.discard = parse_json_text(c.how);
    EXPECT_EQ(settlement().recover({EpochPhase::kDiscarded, record}), c.settled) << c.how;
    EXPECT_THAT(systems_.calls(), ElementsAreArray(c.calls)) << c.how;
    state_.reset();
    std::filesystem::remove_all(folder_.path() / "state");
  }
}

TEST_F(SettlementTest, WhatASinkShowsIsNotDiscarded) {
  open("forgetful");
  systems_.outcomes = {{"t1", Outcome::kCommitted}, {"t2", Outcome::kGone}};
  const EpochRecord record = recorded();
  EXPECT_THROW(settlement().recover({EpochPhase::kDiscarded, record}), RowsWouldDouble);
  EXPECT_TRUE(is_on_record());
  systems_.outcomes["t2"] = Outcome::kCommitted;
  EXPECT_EQ(settlement().recover({EpochPhase::kDiscarded, record}), Settled::kCommitted);
}

TEST_F(SettlementTest, WhatIsReadAgainIsInNoSinkOfWhichNobodyWasTold) {
  open("forgetful");
  systems_.outcomes = {{"t1", Outcome::kCommitted}, {"t2", Outcome::kGone}};
  EpochBegin other{"another run", "l", {}};
  EpochRecord of_other;
  of_other.epoch = state_->begin_epoch(other);
  of_other.run = other.run;
  state_->record_epoch(of_other);
  state_->note_reported(other.run, {"t2"});
  recorded();  // later than the report
  EXPECT_EQ(state_->discard_recorded(parse_json_text(R"({"again": true})")), 2);
  state_->aborted(of_other.epoch, false);
  const auto recover = [&] { return settlement().recover(state_->unfinished().at(0)); };
  try {
    recover();
    FAIL() << "t1 shows it";
  } catch (const RowsWouldDouble& error) {
    EXPECT_THAT(error.what(), HasSubstr("but t1 has the same rows (run run0)"));
    EXPECT_THAT(error.what(), HasSubstr("--without t2"));
  }
  // A user who does not decide may have taken the rows out or not.
  for (int run = 0; run < 2; ++run) EXPECT_THROW(recover(), RowsWouldDouble);
  systems_.outcomes["t2"] = Outcome::kCommitted;
  EXPECT_THROW(recover(), RowsWouldDouble);
  systems_.outcomes["t2"] = Outcome::kGone;
  state_->discard_recorded(Json::Value(Json::objectValue));
  EXPECT_THROW(recover(), RowsWouldDouble);
  EXPECT_EQ(state_->discard_recorded(parse_json_text(R"({"again": true})")), 1);
  EXPECT_EQ(state_->unfinished().at(0).record.discard,
            parse_json_text(R"({"again": true, "reported": ["t1", "t2"]})"));
  EXPECT_EQ(recover(), Settled::kAborted);
}

}  // namespace
}  // namespace patchbay::host
