// Rows that a table refuses: found before anything is recorded, one by one, with the reason.
#include "sqlite_case.h"

namespace patchbay {
namespace {

const Schema kNames = schema_of("t", "id: int64, name: utf8");
const char* const kAppend = R"({"write":"append","create":true})";
const char* const kUpsert = R"({"write":"upsert","keys":["id"],"create":true})";

struct SqliteRefusalTest : SqliteTest {
  // The reasons of what was refused, each with the first column of its row.
  std::vector<std::string> reasons() {
    std::vector<std::string> out;
    for (const auto& one : host.rejects) {
      const auto record =
          parse_json(row_to_json(*one.rows.schema(), one.rows.array(), 0))["record"];
      const auto id = parse_json(record.isString() ? record.asString() : write_json(record))["id"];
      out.push_back(id.asString() + ": " + one.why.code + ": " + one.why.reason);
    }
    host.rejects.clear();
    return out;
  }
  int64_t prepare(const std::string& options, const std::vector<std::vector<std::string>>& values,
                  const std::string& txn = "t1") {
    const auto prepared = sink(options).prepare_all(kNames, txn, batch_of(kNames, values));
    token = prepared.token;
    return prepared.rows_accepted;
  }
  std::string token;
};

TEST_F(SqliteRefusalTest, TheRowsThatAConstraintRefusesAreNamedAndTheOthersGoOn) {
  execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'bad')); INSERT "
      "INTO t VALUES (1, 'there')");
  EXPECT_EQ(prepare(kAppend,
                    {{"1", "a"}, {"2", "b"}, {"2", "c"}, {"3", "null"}, {"4", "bad"}, {"5", "e"}}),
            2);
  EXPECT_THAT(reasons(), ElementsAre("1: constraint: UNIQUE constraint failed: t.id",
                                     "2: constraint: UNIQUE constraint failed: t.id",
                                     "3: constraint: NOT NULL constraint failed: t.name",
                                     "4: constraint: CHECK constraint failed: name <> '***'"));
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|there"));
  sink().commit("t1", 1, {token});
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|there", "2|b", "5|e"));
}

TEST_F(SqliteRefusalTest, TwoStreamsOfAnEpochAreJudgedTogether) {
  execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
  SinkDriver& driver = sink(R"({"write":"append","create":true,"tables":{"u":"t"}})");
  Schema other = kNames;
  other.name = "u";
  const auto first = driver.prepare_all(kNames, "t1", batch_of(kNames, {{"1", "a"}, {"2", "b"}}));
  const auto second = driver.prepare_all(other, "t1", batch_of(other, {{"2", "x"}, {"3", "c"}}));
  EXPECT_EQ(second.rows_accepted, 1);
  EXPECT_THAT(reasons(), ElementsAre("2: constraint: UNIQUE constraint failed: t.id"));
  driver.commit("t1", 1, {first.token, second.token});
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|a", "2|b", "3|c"));
}

TEST_F(SqliteRefusalTest, WhereTheNewestVersionOfAKeyIsRefusedTheOneBeforeCounts) {
  execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT CHECK (name <> 'bad'))");
  EXPECT_EQ(prepare(kUpsert, {{"1", "good"}, {"1", "bad"}, {"2", "bad"}, {"2", "fine"}}), 3);
  EXPECT_EQ(reasons().size(), 1u);
  sink().commit("t1", 1, {token});
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|good", "2|fine"));
}

TEST_F(SqliteRefusalTest, AnUpsertRefusesOnlyNewRowsForWhatTheyLack) {
  execute(
      "CREATE TABLE t (id INTEGER, name TEXT, more TEXT NOT NULL); INSERT INTO t VALUES (1, 'a', "
      "'m')");
  EXPECT_EQ(prepare(kUpsert, {{"1", "b"}, {"2", "c"}}), 1);
  EXPECT_THAT(reasons(), ElementsAre("2: constraint: NOT NULL constraint failed: t.more"));
  sink().commit("t1", 1, {token});
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|b|m"));
}

TEST_F(SqliteRefusalTest, WhatAnotherProgramPutsInBetweenFailsTheCommitAndChangesNothing) {
  execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
  prepare(kAppend, {{"1", "a"}, {"2", "b"}});
  execute("INSERT INTO t VALUES (2, 'other')");
  EXPECT_THAT(test::failure([&] { sink().commit("t1", 1, {token}); }, Code::kData),
              HasSubstr("UNIQUE constraint failed: t.id"));
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("2|other"));
  sink().abort({"t1"});
  EXPECT_THAT(stages(), IsEmpty());
}

TEST_F(SqliteRefusalTest, AConflictClauseOfTheTableDropsNoRowInSilence) {
  for (const char* clause : {"IGNORE", "REPLACE", "ROLLBACK", "FAIL"}) {
    execute(std::string("DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER UNIQUE ON CONFLICT ") +
            clause + ", name TEXT); INSERT INTO t VALUES (1, 'there')");
    EXPECT_EQ(prepare(kAppend, {{"1", "a"}, {"2", "b"}}, clause), 1) << clause;
    EXPECT_THAT(reasons(), ElementsAre("1: constraint: UNIQUE constraint failed: t.id")) << clause;
    sink().commit(clause, 1, {token});
    EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|there", "2|b")) << clause;
  }
}

TEST_F(SqliteRefusalTest, ATriggersOwnWordsAreGivenWithoutTheRowsValues) {
  execute(
      "CREATE TABLE t (id INTEGER, name TEXT); CREATE TABLE log (id); CREATE TRIGGER i BEFORE "
      "INSERT "
      "ON t WHEN NEW.id > 5 BEGIN INSERT INTO log VALUES (NEW.id); SELECT RAISE(FAIL, 'Ann is too "
      "many'); END");
  EXPECT_EQ(prepare(kAppend, {{"1", "a"}, {"6", "Ann"}, {"2", "b"}}), 2);
  EXPECT_THAT(reasons(), ElementsAre("6: constraint: *** is too many"));
  sink().commit("t1", 1, {token});
  EXPECT_THAT(rows("SELECT * FROM log"), IsEmpty());
}

TEST_F(SqliteRefusalTest, ARowThatATriggerLeavesOutIsRefused) {
  execute(
      "CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (7, 'old'); CREATE TRIGGER i "
      "BEFORE INSERT ON t WHEN NEW.id = 6 BEGIN SELECT RAISE(IGNORE); END; CREATE TRIGGER u BEFORE "
      "UPDATE ON t BEGIN SELECT RAISE(IGNORE); END");
  EXPECT_EQ(prepare(kUpsert, {{"1", "a"}, {"6", "b"}, {"7", "c"}}), 1);
  EXPECT_THAT(reasons(), ElementsAre("6: constraint: a trigger of the table leaves the row out",
                                     "7: constraint: a trigger of the table leaves the row out"));
  sink().commit("t1", 1, {token});
  EXPECT_THAT(rows("SELECT * FROM t ORDER BY id"), ElementsAre("1|a", "7|old"));
}

TEST_F(SqliteRefusalTest, ATriggerThatRollsBackEverythingFailsTheEpoch) {
  execute(
      "CREATE TABLE t (id INTEGER, name TEXT); CREATE TRIGGER i BEFORE INSERT ON t WHEN NEW.id = 6 "
      "BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
  EXPECT_THAT(test::failure([&] { prepare(kAppend, {{"1", "a"}, {"6", "b"}}); }, Code::kData),
              HasSubstr("rolls back everything"));
  EXPECT_THAT(rows("SELECT * FROM t"), IsEmpty());
}

TEST_F(SqliteRefusalTest, TypesThatAStrictTableRefusesAreRefusedRowByRow) {
  execute("CREATE TABLE t (id INT, name INT) STRICT");
  EXPECT_EQ(prepare(kAppend, {{"1", "12"}, {"2", "x"}, {"3", "007"}}), 1);
  host.rejects.clear();
  sink().commit("t1", 1, {token});
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|12"));
}

TEST_F(SqliteRefusalTest, ValuesThatAnAffinityWouldChangeAreRefused) {
  execute("CREATE TABLE v (i INTEGER, x REAL, s TEXT)");
  const Schema schema = schema_of("v", "i: utf8, x: int64, s: float64");
  const auto prepared = sink().prepare_all(schema, "t1",
                                           batch_of(schema, {{"5", "1", "0.5"},
                                                             {"00501", "1", "0.5"},
                                                             {"5", "9007199254740993", "0.5"},
                                                             {"5", "1", "0.30000000000000004"},
                                                             {"5", "1", "NaN"}}));
  EXPECT_EQ(prepared.rows_accepted, 1);
  std::vector<std::string> fields;
  for (const auto& one : host.rejects)
    fields.push_back(one.why.reason.substr(0, one.why.reason.find(';')));
  EXPECT_THAT(fields,
              ElementsAre("i: is utf8 that a column with SQLite's affinity INTEGER would change",
                          "x: is int64 that a column with SQLite's affinity REAL would change",
                          "s: is float64 that a column with SQLite's affinity TEXT would change",
                          "s: is float64 that a column with SQLite's affinity TEXT would change"));
}

TEST_F(SqliteRefusalTest, ThePipelinesLimitOfRejectsEndsTheRehearsal) {
  execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
  host.max_rejects = 1;
  test::failure([&] { prepare(kAppend, {{"1", "a"}, {"1", "b"}, {"1", "c"}, {"1", "d"}}); },
                Code::kCancelled);
  EXPECT_EQ(host.rejects.size(), 2u);
}

}  // namespace
}  // namespace patchbay
