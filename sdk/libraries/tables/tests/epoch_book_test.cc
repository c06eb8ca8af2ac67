// Bookkeeping of epochs, on SQLite in memory.
#include "patchbay/tables/epoch_book.h"

#include <gmock/gmock.h>

#include "patchbay/sqlite.h"
#include "patchbay/testing/failure.h"

namespace patchbay::tables {
namespace {

using test::failure;
using testing::ElementsAre;
using testing::HasSubstr;

struct EpochBookTest : testing::Test {
  EpochBookTest() {
    for (const auto& sql : book.create_sql()) database.execute(sql);
  }
  std::vector<std::string> run(const std::string& sql, const std::vector<std::string>& parameters) {
    auto statement = database.compile(sql);
    for (size_t i = 0; i < parameters.size(); ++i)
      statement.bind(static_cast<int>(i) + 1, parameters[i]);
    std::vector<std::string> out;
    while (statement.step()) out.push_back(statement.text(0));
    return out;
  }
  std::vector<std::string> txns() {
    return run("SELECT txn FROM _patchbay_epochs ORDER BY txn", {});
  }
  void commit(const std::string& scope, uint64_t number, uint64_t settled = 0) {
    const std::string txn = scope + std::to_string(number);
    book.note_commit({scope, txn, number, settled, false}, txn, 0);
  }

  Database database{":memory:", OpenMode::kCreate};
  EpochBook book{EpochBook::kTable, EpochBook::Parameters::kQuestionMarks,
                 [this](const auto& sql, const auto& parameters) { return run(sql, parameters); }};
};

TEST_F(EpochBookTest, WhatIsCommittedIsKnown) {
  EXPECT_EQ(book.find("a1"), Outcome::kUnknown);
  EXPECT_FALSE(book.is_committed("a1"));
  commit("a", 1);
  EXPECT_EQ(book.find("a1"), Outcome::kCommitted);
  EXPECT_TRUE(book.is_committed("a1"));
}

TEST_F(EpochBookTest, WhatIsFencedNeverCommitsAndWhatIsCommittedIsNotFenced) {
  book.fence({"a", "a1", 1, 0, false}, "a1");
  EXPECT_EQ(book.find("a1"), Outcome::kGone);
  EXPECT_THAT(failure([&] { book.is_committed("a1"); }, Code::kNotFound),
              HasSubstr("transaction a1: was aborted"));
  commit("a", 2);
  book.fence({"a", "a2", 2, 0, false}, "a2");
  EXPECT_EQ(book.find("a2"), Outcome::kCommitted);
}

TEST_F(EpochBookTest, OnlyWhatIsSettledIsForgottenAndTheNewestNever) {
  commit("a", 1);
  commit("a", 2);
  book.fence({"a", "a3", 3, 0, false}, "a3");
  commit("b", 1);
  commit("a", 5, 1);
  EXPECT_THAT(txns(), ElementsAre("a2", "a3", "a5", "b1"));
  commit("a", 6, 6);  // all of them, and the newest is asked for
  EXPECT_THAT(txns(), ElementsAre("a6", "b1"));
  commit("a", 4, 6);  // a lane that comes late
  EXPECT_THAT(txns(), ElementsAre("a6", "b1"));
}

TEST_F(EpochBookTest, TheNewestIsOfItsScopeAlone) {
  EXPECT_EQ(book.newest("a"), 0u);
  commit("a", 3);
  commit("a", 2);
  book.fence({"a", "a9", 9, 0, false}, "a9");
  EXPECT_EQ(book.newest("a"), 3u);
  EXPECT_EQ(book.newest("b"), 0u);
}

TEST_F(EpochBookTest, AHostWithoutScopesForgetsNothing) {
  for (uint64_t number = 1; number <= 3; ++number)
    book.note_commit({}, "t" + std::to_string(number), number);
  EXPECT_THAT(txns(), ElementsAre("t1", "t2", "t3"));
  EXPECT_EQ(book.newest(""), 0u);
}

TEST_F(EpochBookTest, TheTableOfTheVersionBeforeKeepsWhatItSays) {
  database.execute("DROP TABLE _patchbay_epochs");
  database.execute(
      "CREATE TABLE _patchbay_epochs (txn TEXT PRIMARY KEY, epoch INTEGER NOT NULL, at TEXT NOT "
      "NULL DEFAULT CURRENT_TIMESTAMP); INSERT INTO _patchbay_epochs (txn, epoch) VALUES ('old', "
      "9)");
  for (const auto& sql : book.upgrade_sql()) database.execute(sql);
  EXPECT_EQ(book.find("old"), Outcome::kCommitted);
  commit("a", 1, 100);
  EXPECT_THAT(txns(), ElementsAre("a1", "old"));
}

}  // namespace
}  // namespace patchbay::tables
