// Epochs of one attempt: what is on record at which moment, and what the sinks are asked.
#include "engine/epoch_ledger.h"

#include <gmock/gmock.h>

#include <thread>

#include "engine_fixture.h"
#include "patchbay/builder.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kOneSink =
    "  - {id: s1, use: fake.rows, with: {name: s1, cursor: c}}\n"
    "  - {id: t1, use: fake.table, from: s1, with: {name: t1}}\n";
const std::string kTwoSinks =
    kOneSink + "  - {id: t2, use: fake.table, from: s1, with: {name: t2}}\n";
const StreamRef kStream{"s1", "a"};

class Ledger : public EngineFixture {
 protected:
  void open(const std::string& nodes) {
    begin(nodes);
    turns_.emplace(*pipeline_);
    lane_ = lane();
    turns_->expect(lane_);
    ledger_.emplace(*run_, *turns_, lane_, "x", sinks());
  }

  // Rows and a state are in the epoch, and each sink has something of it.
  void fill(uint64_t epoch, const std::string& state) {
    ledger_->begin(epoch);
    ledger_->count(epoch, "a", {2, 0, 0, {{"t1", 2}}});
    ledger_->add_states(epoch, {{kStream, "1", state, false, false}});
  }

  void prepare(uint64_t epoch, const std::string& sink) {
    ledger_->enter_commit(cancel_);
    ledger_->note_written(epoch, node(sink), "a");
    ledger_->sink_prepared(epoch, node(sink), {"token"}, cancel_);
  }

  std::vector<EpochPhase> phases() {
    std::vector<EpochPhase> phases;
    for (const auto& epoch : state_->unfinished()) phases.push_back(epoch.phase);
    return phases;
  }

  Lane lane_;
  CancelToken cancel_;
  std::optional<CommitTurns> turns_;
  std::optional<EpochLedger> ledger_;
};

TEST_F(Ledger, AnEpochsRowsAndItsStateAreCommittedTogether) {
  open(kOneSink);
  fill(0, "5");
  EXPECT_THAT(phases(), ElementsAre(EpochPhase::kBegun));
  EXPECT_EQ(state_->state(kStream, "1"), "");
  prepare(0, "t1");
  EXPECT_THAT(systems_.calls(), ElementsAre("t1 commit x-e0-n1"));
  EXPECT_THAT(phases(), IsEmpty());
  EXPECT_EQ(state_->state(kStream, "1"), "5");
  EXPECT_EQ(ledger_->committed(), 1u);
  EXPECT_EQ(ledger_->number_of(0), 1u);
  EXPECT_EQ(run_->outcomes()["a"].committed.read, 2);
}

TEST_F(Ledger, AnEpochWithNothingInItIsOnNoRecord) {
  open(kOneSink);
  ledger_->sink_prepared(0, node("t1"), {}, cancel_);
  EXPECT_THAT(systems_.calls(), IsEmpty());
  EXPECT_EQ(state_->next_epoch(), 1u);
  EXPECT_EQ(ledger_->committed(), 1u);
  EXPECT_EQ(ledger_->number_of(0), 0u);
}

TEST_F(Ledger, TheLastSinkThatIsPreparedCommitsForAll) {
  open(kTwoSinks);
  fill(0, "5");
  std::thread first([&] { prepare(0, "t1"); });
  prepare(0, "t2");
  first.join();
  EXPECT_THAT(systems_.calls(), UnorderedElementsAre("t1 commit x-e0-n1", "t2 commit x-e0-n2"));
  EXPECT_EQ(ledger_->committed(), 1u);
}

TEST_F(Ledger, ASinkThatIsPreparedWaitsForTheOthersOrForAFailure) {
  open(kTwoSinks);
  fill(0, "5");
  std::optional<Code> code;
  std::thread first([&] {
    try {
      prepare(0, "t1");
    } catch (const Error& error) {
      code = error.code();
    }
  });
  ledger_->fail();
  first.join();
  EXPECT_EQ(code, Code::kCancelled);
  EXPECT_FALSE(ledger_->wait_committed(1));
  EXPECT_THAT(systems_.calls(), IsEmpty());
}

TEST_F(Ledger, NumbersFollowTheOrderOfTheEpochs) {
  open(kOneSink);
  ledger_->count(0, "a", {1, 0, 0, {}});
  ledger_->begin(1);
  EXPECT_EQ(ledger_->info(0, node("t1")).number, 1u);
  EXPECT_EQ(ledger_->info(1, node("t1")).number, 2u);
  EXPECT_NE(ledger_->txn(0, node("t1")), ledger_->txn(1, node("t1")));
  EXPECT_NE(ledger_->txn(0, 1), ledger_->txn(0, 2));
}

TEST_F(Ledger, ACommitWithoutAnAnswerStaysOnRecordWhateverComesNext) {
  open(kOneSink);
  fill(0, "5");
  systems_.fail("t1", "commit", Code::kUnavailable);
  EXPECT_THROW(prepare(0, "t1"), NodeError);
  EXPECT_THAT(ledger_->abort_open(false), IsEmpty());
  EXPECT_THAT(systems_.calls(), ElementsAre("t1 commit x-e0-n1"));
  EXPECT_THAT(phases(), ElementsAre(EpochPhase::kRecorded));
  EXPECT_EQ(run_->outcomes()["a"].unsettled.read, 2);
  EXPECT_EQ(state_->state(kStream, "1"), "");
}

TEST_F(Ledger, ASinkThatLostItsRowsTurnsTheEpochRound) {
  open(kOneSink);
  fill(0, "5");
  systems_.fail("t1", "commit", Code::kNotFound);
  EXPECT_THROW(prepare(0, "t1"), EpochAborted);
  EXPECT_THAT(systems_.calls(), ElementsAre("t1 commit x-e0-n1", "t1 abort x-e0-n1"));
  EXPECT_EQ(ledger_->abort_open(false)["a"].read, 2);
  EXPECT_THAT(phases(), IsEmpty());
  EXPECT_EQ(state_->state(kStream, "1"), "");
}

TEST_F(Ledger, WhatIsNotRecordedIsAbortedByName) {
  open(kTwoSinks);
  fill(0, "5");
  EXPECT_EQ(ledger_->abort_open(false)["a"].read, 2);
  EXPECT_THAT(systems_.calls(), ElementsAre("t1 abort x-e0-n1", "t2 abort x-e0-n2"));
  EXPECT_THAT(phases(), IsEmpty());
}

TEST_F(Ledger, AnAbortThatFailsIsLeftForTheNextRun) {
  open(kOneSink);
  fill(0, "5");
  systems_.fail("t1", "abort", Code::kUnavailable);
  ledger_->abort_open(false);
  EXPECT_THAT(phases(), ElementsAre(EpochPhase::kBegun));
  EXPECT_THAT(warnings_, ElementsAre(testing::HasSubstr("left for the next run")));
}

TEST_F(Ledger, RefusedRowsAreKeptWithTheirEpochOrAsEvidence) {
  const struct {
    bool committed, evidence;
    std::vector<bool> kept;  // of the rejects on record
  } kCases[] = {{true, false, {true}}, {false, true, {false}}, {false, false, {}}};
  for (const auto& c : kCases) {
    open(kOneSink);
    const auto schema =
        std::make_shared<const Schema>(Schema{"a", {{"id", scalar(TypeId::kInt64), false}}, {}});
    BatchBuilder rows(schema);
    rows.column<Int64Builder>(0).append(7);
    ledger_->begin(0);
    ledger_->keep_reject(0, "t1", "a", {"a", "value", "id: is odd", "", rows.finish()});
    if (c.committed) {
      prepare(0, "t1");
    } else {
      ledger_->abort_open(c.evidence);
    }
    std::vector<bool> kept;
    state_->rejects("", 0, [&](const StoredReject& reject) {
      kept.push_back(reject.kept);
      return true;
    });
    EXPECT_EQ(kept, c.kept);
    state_.reset();
    std::filesystem::remove_all(folder_.path() / "state");
  }
}

}  // namespace
}  // namespace patchbay::host
