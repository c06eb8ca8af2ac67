// The sink: what each write mode does to SQLite's kinds of tables, and what is kept of epochs.
#include <gmock/gmock.h>

#include "patchbay/tables/tokens.h"
#include "sqlite_case.h"

namespace patchbay {
namespace {

const char* const kUpsert = R"({"write":"upsert","keys":["id"],"create":true})";
const char* const kReplace = R"({"write":"replace","create":true})";

struct SqliteSinkTest : SqliteTest {
  void write(const std::string& options, const Schema& schema,
             const std::vector<std::vector<std::string>>& values, const std::string& txn) {
    sink(options).write_all(schema, txn, batch_of(schema, values));
  }
};

const Schema kNames = schema_of("t", "id: int64, name: utf8");

TEST_F(SqliteSinkTest, AnUpsertChangesTheStreamsColumnsInEveryKindOfTable) {
  const struct {
    const char *table, *expected;
  } kCases[] = {
      {"CREATE TABLE t (id INTEGER, name TEXT, more TEXT)", "Anna|kept"},
      {"CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, more TEXT)", "Anna|kept"},
      {"CREATE TABLE t (id TEXT PRIMARY KEY, name TEXT, more TEXT) WITHOUT ROWID", "Anna|kept"},
      {"CREATE TABLE t (id INTEGER, name TEXT, more TEXT NOT NULL)", "Anna|kept"},
      {"CREATE TABLE t (id INTEGER, name TEXT, more TEXT, up TEXT AS (upper(name)))", "Anna|kept"},
      {"CREATE TABLE t (id INT, name TEXT, more TEXT) STRICT", "Anna|kept"},
      {"CREATE TABLE t (rowid TEXT, id INTEGER, name TEXT, more TEXT)", "Anna|kept"}};
  int number = 0;
  for (const auto& c : kCases) {
    execute(std::string("DROP TABLE IF EXISTS t; ") + c.table +
            "; INSERT INTO t (id, name, more) VALUES (1, 'Ann', 'kept')");
    write(kUpsert, kNames, {{"1", "x"}, {"1", "Anna"}}, "t" + std::to_string(++number));
    EXPECT_THAT(rows("SELECT name, more FROM t"), ElementsAre(c.expected)) << c.table;
  }
}

TEST_F(SqliteSinkTest, AnUpsertFiresTriggersForUpdatesAndInserts) {
  execute(
      "CREATE TABLE t (id INTEGER, name TEXT); CREATE TABLE log (what TEXT UNIQUE ON CONFLICT "
      "ABORT); INSERT INTO t VALUES (1, 'a'); CREATE TRIGGER u AFTER UPDATE ON t BEGIN INSERT OR "
      "REPLACE INTO log VALUES ('update'); END; CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT OR "
      "REPLACE INTO log VALUES ('insert'); END; CREATE TRIGGER d AFTER DELETE ON t BEGIN INSERT "
      "INTO log VALUES ('delete'); END");
  write(kUpsert, kNames, {{"1", "b"}, {"2", "c"}, {"3", "d"}}, "t1");
  EXPECT_THAT(rows("SELECT what FROM log ORDER BY what"), ElementsAre("insert", "update"));
}

TEST_F(SqliteSinkTest, KeysCompareAsTheTableDoes) {
  execute(
      "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, name TEXT); INSERT INTO t VALUES ('Ab', "
      "'old')");
  const Schema schema = schema_of("t", "id: utf8, name: utf8");
  write(kUpsert, schema, {{"aB", "one"}, {"AB", "two"}, {"c", "x"}, {"C", "y"}}, "t1");
  EXPECT_THAT(rows("SELECT name FROM t ORDER BY id"), ElementsAre("two", "y"));
}

TEST_F(SqliteSinkTest, KeysAreUniqueInATableThatAnUpsertMakes) {
  write(kUpsert, kNames, {{"1", "a"}}, "t1");
  EXPECT_THAT(rows("SELECT name, pk FROM pragma_table_info('t')"), ElementsAre("id|1", "name|0"));
}

TEST_F(SqliteSinkTest, AStreamOfKeysAloneAddsWhatIsMissing) {
  execute("CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, 'kept')");
  const Schema schema = schema_of("t", "id: int64");
  write(kUpsert, schema, {{"1"}, {"2"}, {"2"}}, "t1");
  EXPECT_THAT(rows("SELECT * FROM t ORDER BY id"), ElementsAre("1|kept", "2|null"));
}

TEST_F(SqliteSinkTest, ColumnsAreFoundWhateverTheirCase) {
  execute("CREATE TABLE T (id INTEGER, Name TEXT)");
  write(R"({"write":"append","create":true})", schema_of("t", "ID: int64, NAME: utf8"),
        {{"1", "a"}}, "t1");
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|a"));
  EXPECT_THAT(test::failure([&] { sink().plan_schema(schema_of("u", "id: int64, ID: int64")); },
                            Code::kConfig),
              HasSubstr("ID: differs only by case from id, and SQLite takes both for one column"));
}

TEST_F(SqliteSinkTest, ComputedColumnsTakeNoValues) {
  execute("CREATE TABLE t (id INTEGER, twice INTEGER AS (id * 2))");
  EXPECT_THAT(test::failure([&] { sink().plan_schema(schema_of("t", "id: int64, twice: int64")); },
                            Code::kSchema),
              HasSubstr("twice: is a column that table t computes itself"));
}

TEST_F(SqliteSinkTest, AColumnThatVanishesIsAnErrorNotALeftOutField) {
  execute("CREATE TABLE t (id INTEGER, name TEXT)");
  SinkDriver& driver = sink();
  driver.apply_schema(kNames, driver.plan_schema(kNames));
  const auto prepared = driver.prepare_all(kNames, "t1", batch_of(kNames, {{"1", "a"}}));
  execute("ALTER TABLE t RENAME name TO name_old");
  EXPECT_THAT(test::failure([&] { driver.open(kNames, "t2"); }, Code::kSchema),
              HasSubstr("name: table t has no such column any more"));
  EXPECT_THAT(test::failure([&] { driver.commit("t1", 1, {prepared.token}); }, Code::kSchema),
              HasSubstr("name: table t has no such column any more"));
  EXPECT_THAT(rows("SELECT * FROM t"), IsEmpty());
  execute("DROP TABLE t");
  EXPECT_THAT(test::failure([&] { driver.commit("t1", 1, {prepared.token}); }, Code::kSchema),
              HasSubstr("table t: is gone"));
}

TEST_F(SqliteSinkTest, ReplaceAndMirrorClaimTheirTableByItsDatabase) {
  write(kReplace, kNames, {{"1", "a"}}, "t1");
  ASSERT_EQ(host.claims.size(), 1u);
  EXPECT_EQ(host.claims.begin()->first, std::filesystem::canonical(path).string() + "#t");
  host.lane = "another";
  EXPECT_THAT(test::failure([&] { sink(kReplace).open(kNames, "t2"); }, Code::kConfig),
              HasSubstr("#t"));
  write(R"({"write":"append","create":true})", kNames, {{"2", "b"}}, "t3");
}

TEST_F(SqliteSinkTest, AMirrorDeletesWhatACompleteReadDidNotHave) {
  const char* options = R"({"write":"mirror","keys":["id"],"create":true,"deletes":{"max":"50%"}})";
  execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, more TEXT) WITHOUT ROWID; INSERT INTO t "
      "VALUES (1, 'a', 'm'), (2, 'b', 'm'), (3, 'c', 'm')");
  write(options, kNames, {{"1", "A"}, {"4", "d"}}, "t1");  // an incremental read deletes nothing
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|A|m", "2|b|m", "3|c|m", "4|d|null"));
  host.epoch.complete = true;
  write(options, kNames, {{"1", "AA"}, {"2", "BB"}}, "t2");
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|AA|m", "2|BB|m"));
  const auto prepare = [&] {
    sink(R"({"write":"mirror","keys":["id"],"create":true,"deletes":{"max":0}})")
        .prepare_all(kNames, "t3", batch_of(kNames, {{"1", "x"}}));
  };
  EXPECT_THAT(test::failure(prepare, Code::kData), HasSubstr("has 2 rows, and 1 of them"));
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1|AA|m", "2|BB|m"));
}

TEST_F(SqliteSinkTest, TheBookkeepingOfTheVersionBeforeIsKeptAndItsTokensCommit) {
  execute(
      "CREATE TABLE _patchbay_epochs (txn TEXT PRIMARY KEY, epoch INTEGER NOT NULL, at TEXT NOT "
      "NULL DEFAULT CURRENT_TIMESTAMP); INSERT INTO _patchbay_epochs (txn, epoch) VALUES ('old', "
      "7); "
      "CREATE TABLE t (id INTEGER, name TEXT); CREATE TABLE _patchbay_t9_1 (id INTEGER, name "
      "TEXT); "
      "INSERT INTO _patchbay_t9_1 VALUES (1, 'first'), (2, 'b'), (1, 'last')");
  const std::string old =
      R"({"stage":"_patchbay_old_1","table":"t","write":"append","keys":[],"columns":["id"]})";
  sink().commit("old", 7, {old});  // it was committed by the version before
  EXPECT_THAT(rows("SELECT * FROM t"), IsEmpty());
  const std::string prepared =
      R"({"stage":"_patchbay_t9_1","table":"t","write":"upsert","keys":["id"],"columns":["id","name"]})";
  sink().commit("t9", 9, {prepared});
  EXPECT_THAT(rows("SELECT * FROM t ORDER BY id"), ElementsAre("1|last", "2|b"));
  host.epoch.settled = 100;
  write(kUpsert, kNames, {{"3", "c"}}, "t10");
  EXPECT_THAT(rows("SELECT txn FROM _patchbay_epochs WHERE scope = ''"), ElementsAre("old"));
}

TEST_F(SqliteSinkTest, TransactionsWithNamesThatBeginAlikeAreApart) {
  sink().prepare_all(kNames, "a", batch_of(kNames, {{"1", "x"}}));
  sink().prepare_all(kNames, "a_1", batch_of(kNames, {{"2", "y"}}));
  sink().abort({"a"});
  EXPECT_THAT(rows("SELECT name FROM sqlite_master WHERE name LIKE '!_patchbay!_a%' ESCAPE '!'"),
              ElementsAre("_patchbay_a_1_1"));
}

TEST_F(SqliteSinkTest, AViewTakesRowsByItsTriggerAndIsNeverReplaced) {
  execute(
      "CREATE TABLE base (id INTEGER, name TEXT); CREATE VIEW t AS SELECT * FROM base; CREATE "
      "TRIGGER i INSTEAD OF INSERT ON t BEGIN INSERT INTO base VALUES (NEW.id, NEW.name); END");
  write(R"({"write":"append","create":true})", kNames, {{"1", "a"}}, "t1");
  EXPECT_THAT(rows("SELECT * FROM base"), ElementsAre("1|a"));
  EXPECT_THAT(test::failure([&] { sink(kReplace).plan_schema(kNames); }, Code::kConfig),
              HasSubstr("t is a view"));
}

TEST_F(SqliteSinkTest, APathThatCanNotBeLookedAtIsAFaultOfTheOptionNotABug) {
  path = folder / std::string(300, 'x') / "t.db";
  EXPECT_THAT(test::failure([&] { sink().plan_schema(kNames); }, Code::kConfig),
              HasSubstr("path: "));
}

}  // namespace
}  // namespace patchbay
