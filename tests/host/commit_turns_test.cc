// Whose turn it is to commit.
#include "engine/commit_turns.h"

#include <gmock/gmock.h>

#include <thread>

#include "engine_fixture.h"

namespace patchbay::host {
namespace {

using testing::ElementsAre;

class Turns : public EngineFixture {
 protected:
  void open(const std::string& plugin, bool ordered) {
    begin("  - {id: s1, use: fake.rows, with: {name: s1, cursor: c}}\n  - {id: t1, use: " + plugin +
          ".table, from: s1, with: {name: t1}}\n");
    turns_.emplace(*pipeline_);
    for (size_t i = 0; i < 2; ++i) {
      lanes_.push_back(lane(i));
      if (ordered) lanes_.back().ordered = {"t1/a"};
      turns_->expect(lanes_.back());
    }
  }

  // The other lane enters as soon as it may, and writes it down.
  std::thread enter(size_t i) {
    return std::thread([this, i] {
      turns_->enter(lanes_[i], cancel_);
      note("enters " + std::to_string(i));
      turns_->leave(lanes_[i]);
    });
  }

  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(what);
  }

  std::optional<CommitTurns> turns_;
  std::vector<Lane> lanes_;
  CancelToken cancel_;
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

TEST_F(Turns, LanesOfOneTableCommitInTheOrderOfThePlan) {
  open("fake", true);
  std::thread second = enter(1);
  turns_->enter(lanes_[0], cancel_);
  note("enters 0");
  turns_->leave(lanes_[0]);
  note("ends 0");
  turns_->end(lanes_[0], true);
  second.join();
  EXPECT_THAT(notes_, ElementsAre("enters 0", "ends 0", "enters 1"));
}

TEST_F(Turns, ALaneThatFailedHoldsBackThoseAfterIt) {
  open("fake", true);
  turns_->end(lanes_[0], false);
  try {
    turns_->enter(lanes_[1], cancel_);
    FAIL();
  } catch (const NodeError& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_TRUE(error.exhausted());
    EXPECT_THAT(error.what(), testing::HasSubstr("s1/0"));
  }
}

TEST_F(Turns, ASinkThatCommitsAloneHasOneLaneAtATime) {
  open("alone", false);
  turns_->enter(lanes_[1], cancel_);
  turns_->enter(lanes_[1], cancel_);  // once more in the same epoch
  std::thread other = enter(0);
  note("leaves 1");
  turns_->leave(lanes_[1]);
  other.join();
  EXPECT_THAT(notes_, ElementsAre("leaves 1", "enters 0"));
}

TEST_F(Turns, RowsOnRecordKeepTheirTurnUntilTheyAreCommitted) {
  open("alone", false);
  turns_->enter(lanes_[1], cancel_);
  turns_->leave(lanes_[1], true);  // its commit failed
  std::thread other = enter(0);
  note("commits 1 at last");
  turns_->end(lanes_[1], true);
  other.join();
  EXPECT_THAT(notes_, ElementsAre("commits 1 at last", "enters 0"));
}

TEST_F(Turns, RowsThatStayOnRecordHoldBackThoseThatNeedTheSameSink) {
  open("alone", false);
  turns_->enter(lanes_[1], cancel_);
  turns_->leave(lanes_[1], true);
  turns_->end(lanes_[1], false);
  try {
    turns_->enter(lanes_[0], cancel_);
    FAIL();
  } catch (const NodeError& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(), testing::HasSubstr("s1/1"));
  }
}

TEST_F(Turns, OtherLanesGoSideBySide) {
  open("fake", false);
  turns_->enter(lanes_[1], cancel_);
  turns_->enter(lanes_[0], cancel_);
}

TEST_F(Turns, WhoWaitsCanBeCancelled) {
  open("fake", true);
  std::optional<Code> code;
  std::thread second([&] {
    try {
      turns_->enter(lanes_[1], cancel_);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  cancel_.cancel();
  turns_->wake();
  second.join();
  EXPECT_EQ(code, Code::kCancelled);
}

}  // namespace
}  // namespace patchbay::host
