// write: replace of a table that is not the stream's.
#include "sqlite_case.h"

namespace patchbay {
namespace {

const char* const kReplace = R"({"write":"replace","create":true})";
const char* const kAnew = R"({"write":"replace","create":true,"recreate":true})";
const Schema kAc = schema_of("r", "a: int64, c: utf8");

struct SqliteRecreateTest : SqliteTest {
  void write(const std::string& options, const std::string& txn) {
    sink(options).write_all(kAc, txn, batch_of(kAc, {{"1", "x"}}));
  }
};

TEST_F(SqliteRecreateTest, OtherColumnsAreRefusedWithTheWayOut) {
  execute("CREATE TABLE r (a INTEGER, b TEXT)");
  EXPECT_THAT(test::failure([&] { write(kReplace, "t1"); }, Code::kSchema),
              testing::AllOf(HasSubstr("has the column b"), HasSubstr("recreate: true")));
}

TEST_F(SqliteRecreateTest, AColumnThatNothingFillsIsFoundAtTheLatestByTheCommit) {
  execute("CREATE TABLE r (a INTEGER, c TEXT, more TEXT); INSERT INTO r VALUES (0, 'old', 'm')");
  const auto prepared = sink(kReplace).prepare_all(kAc, "t1", batch_of(kAc, {{"1", "x"}}));
  EXPECT_THAT(test::failure([&] { sink_->commit("t1", 1, {prepared.token}); }, Code::kSchema),
              HasSubstr("has the column more"));
  EXPECT_THAT(rows("SELECT * FROM r"), ElementsAre("0|old|m"));
  host.epoch.complete = true;  // then prepare knows as much
  EXPECT_THAT(
      test::failure([&] { sink(kReplace).prepare_all(kAc, "t2", batch_of(kAc, {{"1", "x"}})); },
                    Code::kSchema),
      HasSubstr("has the column more"));
}

TEST_F(SqliteRecreateTest, ColumnsThatFillThemselvesStay) {
  execute(
      "CREATE TABLE r (id INTEGER PRIMARY KEY, a INTEGER, c TEXT, since TEXT DEFAULT 'today', "
      "twice "
      "INTEGER AS (a * 2))");
  write(kReplace, "t1");
  EXPECT_THAT(rows("SELECT * FROM r"), ElementsAre("1|1|x|today|2"));
}

TEST_F(SqliteRecreateTest, MakesTheTableAnewWithTheStreamsColumnsAndTypes) {
  execute("CREATE TABLE r (a TEXT, b TEXT); INSERT INTO r VALUES ('old', 'old')");
  write(kAnew, "t1");
  EXPECT_THAT(rows("SELECT * FROM r"), ElementsAre("1|x"));
  EXPECT_THAT(rows("SELECT name, type FROM pragma_table_info('r')"),
              ElementsAre("a|INTEGER", "c|TEXT"));
}

TEST_F(SqliteRecreateTest, ATypeThatWouldChangeValuesIsAReason) {
  execute("CREATE TABLE z (zip INTEGER)");
  const Schema schema = schema_of("z", "zip: utf8");
  sink(kAnew).write_all(schema, "t1", batch_of(schema, {{"00501"}}));
  EXPECT_THAT(rows("SELECT zip, typeof(zip) FROM z"), ElementsAre("00501|text"));
}

TEST_F(SqliteRecreateTest, ATableThatFitsIsKept) {
  execute("CREATE TABLE r (a INTEGER CHECK (a < 9), c TEXT)");
  write(kAnew, "t1");
  EXPECT_THAT(rows("SELECT sql LIKE '%CHECK%' FROM sqlite_master WHERE name = 'r'"),
              ElementsAre("1"));
}

TEST_F(SqliteRecreateTest, TheColumnsOfAllAnnouncementsCount) {
  SinkDriver& driver = sink(kAnew);
  const Schema first = schema_of("r", "a: int64"), second = schema_of("r", "a: int64, c: utf8");
  execute("CREATE TABLE r (b TEXT)");
  std::vector<std::string> tokens;
  tokens.push_back(driver.prepare_all(first, "t1", batch_of(first, {{"1"}})).token);
  tokens.push_back(driver.prepare_all(second, "t1", batch_of(second, {{"2", "x"}})).token);
  driver.commit("t1", 1, tokens);
  EXPECT_THAT(rows("SELECT a, c FROM r ORDER BY a"), ElementsAre("1|null", "2|x"));
}

TEST_F(SqliteRecreateTest, IndexesTriggersAndViewsSurvive) {
  execute(
      "CREATE TABLE r (a INTEGER, b TEXT); CREATE UNIQUE INDEX ra ON r (a); CREATE TABLE log (n); "
      "CREATE TRIGGER ri AFTER INSERT ON r BEGIN INSERT INTO log VALUES (NEW.a); END; CREATE VIEW "
      "v "
      "AS SELECT a FROM r");
  write(kAnew, "t1");
  EXPECT_THAT(rows("SELECT * FROM v"), ElementsAre("1"));
  EXPECT_THAT(rows("SELECT * FROM log"), ElementsAre("1"));
  EXPECT_THAT(rows("SELECT name FROM sqlite_master WHERE tbl_name = 'r' AND type <> 'table' ORDER "
                   "BY name"),
              ElementsAre("ra", "ri"));
}

TEST_F(SqliteRecreateTest, WhatDoesNotFitTheNewColumnsIsNamedAndNothingChanges) {
  const struct {
    const char *sql, *name;
  } kCases[] = {
      {"CREATE INDEX rb ON r (b)", "the index rb"},
      {"CREATE VIEW rv AS SELECT b FROM r", "the view rv"},
      {"CREATE TRIGGER rt AFTER INSERT ON r BEGIN INSERT INTO log VALUES (NEW.b); END",
       "the trigger rt"},
      {"CREATE TRIGGER lt AFTER INSERT ON log BEGIN UPDATE r SET b = 1; END", "the trigger lt"}};
  host.epoch.complete = true;
  for (const auto& c : kCases) {
    execute(
        std::string("DROP TABLE IF EXISTS r; DROP VIEW IF EXISTS rv; DROP TABLE IF EXISTS log; "
                    "CREATE TABLE r (a INTEGER, b TEXT); INSERT INTO r VALUES (0, 'old'); CREATE "
                    "TABLE log (n); ") +
        c.sql);
    const auto prepare = [&] { sink(kAnew).prepare_all(kAc, c.name, batch_of(kAc, {{"1", "x"}})); };
    EXPECT_THAT(test::failure(prepare, Code::kSchema),
                testing::AllOf(HasSubstr(c.name), HasSubstr("can't be made anew")));
    EXPECT_THAT(rows("SELECT * FROM r"), ElementsAre("0|old")) << c.name;
  }
}

TEST_F(SqliteRecreateTest, NothingNeverReplacesSomethingUnlessItMay) {
  execute("CREATE TABLE r (a INTEGER, c TEXT); INSERT INTO r VALUES (0, 'old'), (1, 'old')");
  const auto none = sink(kReplace).prepare_all(kAc, "t1", {});
  EXPECT_THAT(test::failure([&] { sink_->commit("t1", 1, {none.token}); }, Code::kData),
              testing::AllOf(HasSubstr("has 2 rows"), HasSubstr("empty: allow")));
  host.epoch.complete = true;
  EXPECT_THAT(test::failure([&] { sink(kReplace).prepare_all(kAc, "t2", {}); }, Code::kData),
              HasSubstr("empty: allow"));
  EXPECT_EQ(rows("SELECT * FROM r").size(), 2u);
  sink(R"({"write":"replace","create":true,"empty":"allow"})").write_all(kAc, "t3", {});
  EXPECT_THAT(rows("SELECT * FROM r"), IsEmpty());
}

TEST_F(SqliteRecreateTest, AnAnnouncementWithoutRowsIsNotTheWholeStream) {
  execute("CREATE TABLE r (a INTEGER, c TEXT); INSERT INTO r VALUES (0, 'old')");
  SinkDriver& driver = sink(kReplace);
  const Schema first = schema_of("r", "a: int64");
  std::vector<std::string> tokens{driver.prepare_all(first, "t1", {}).token};
  tokens.push_back(driver.prepare_all(kAc, "t1", batch_of(kAc, {{"1", "x"}})).token);
  driver.commit("t1", 1, tokens);
  EXPECT_THAT(rows("SELECT * FROM r"), ElementsAre("1|x"));
}

}  // namespace
}  // namespace patchbay
