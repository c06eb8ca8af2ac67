// The source: what is read, and where the next read begins.
#include "sqlite_case.h"

namespace patchbay {
namespace {

TEST_F(SqliteTest, TablesAndQueriesAreStreams) {
  execute(
      "CREATE TABLE a (id INTEGER, day DATE, ok BOOLEAN); CREATE TABLE _patchbay_x (i); INSERT "
      "INTO a VALUES (1, "
      "'2026-01-01', 1), (NULL, NULL, NULL)");
  EXPECT_EQ(source().plan().size(), 1u);
  EXPECT_THAT(test::rows_as_json(source_->read_all()),
              ElementsAre(R"({"id":1,"day":"2026-01-01","ok":true})",
                          R"({"id":null,"day":null,"ok":null})"));
  EXPECT_THAT(
      test::rows_as_json(
          source(R"({"query":"SELECT count(*) AS n, 0.5 AS x, 't' AS t FROM a"})").read_all()),
      ElementsAre(R"({"n":2,"x":0.5,"t":"t"})"));
}

TEST_F(SqliteTest, AValueOfAnotherTypeCostsItsRow) {
  execute("CREATE TABLE a (id INTEGER); INSERT INTO a VALUES (1), ('PHI-x'), (3)");
  EXPECT_THAT(test::rows_as_json(source().read_all()), ElementsAre(R"({"id":1})", R"({"id":3})"));
  ASSERT_EQ(host.rejects.size(), 1u);
  EXPECT_EQ(host.rejects[0].why.reason, "id: expected int64, found another type");
  EXPECT_EQ(host.rejects[0].why.position_json, R"({"row":2})");
}

TEST_F(SqliteTest, ACursorReadsWhatIsBeyondItAndRestsWhereItChanges) {
  execute("CREATE TABLE a (id INTEGER, t TEXT); INSERT INTO a VALUES (3, 'c'), (1, 'a'), (3, 'd')");
  host.max_rows = 1;
  const std::string by_id = R"({"tables":{"a":"a"},"cursor":"id"})";
  auto reader = source(by_id).open(source_->plan().at(0));
  Json::Value state;
  reader.next();
  reader.next();
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kState);
  EXPECT_EQ(state["cursor"], 1);
  reader.next();
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kNotNow);
  EXPECT_EQ(test::count_rows(reader.batches()), 1);
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kState);
  EXPECT_EQ(state["cursor"], 3);
  execute("INSERT INTO a VALUES (4, 'e'), (2, 'late')");
  auto again = source(by_id).open(source_->plan().at(0), state);
  EXPECT_THAT(test::rows_as_json(again.batches()), ElementsAre(R"({"id":4,"t":"e"})"));
}

// Reads the table t by its column c to the end; the values of v.
struct CursorTest : SqliteTest {
  std::vector<std::string> read(const std::string& more = R"({"cursor":"c"})") {
    Json::Value options = parse_json(more);
    if (!options.isMember("query")) options["tables"]["t"] = "t";
    auto reader = source(write_json(options)).open(source_->plan().at(0), state);
    std::vector<std::string> out;
    for (const auto& batch : reader.batches()) {
      const auto v = BatchView(batch).column<Utf8View>("v");
      for (int64_t i = 0; i < batch.rows(); ++i) out.emplace_back(v[i]);
    }
    Json::Value now;
    if (reader.checkpoint(now) == Checkpoint::kState) state = now;
    return out;
  }
  Json::Value state;
};

TEST_F(CursorTest, RowsOfTheLastValueThatComeLaterAreRead) {
  execute(
      "CREATE TABLE t (c DATE, v TEXT); INSERT INTO t VALUES ('2026-03-01', 'one'), "
      "('2026-03-02', 'two')");
  EXPECT_THAT(read(), ElementsAre("one", "two"));
  EXPECT_THAT(read(), IsEmpty());
  execute("INSERT INTO t VALUES ('2026-03-02', 'later')");
  EXPECT_THAT(read(), ElementsAre("later"));
  execute("INSERT INTO t VALUES ('2026-03-03', 'next')");
  EXPECT_THAT(read(), ElementsAre("next"));
  EXPECT_THAT(read(), IsEmpty());
}

TEST_F(CursorTest, OfManyRowsWithTheLastValueTheLaterOnesAreReadToo) {
  execute(
      "CREATE TABLE t (c INTEGER, v TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
      "i + 1 FROM n LIMIT 3000) INSERT INTO t SELECT 7, i FROM n");
  EXPECT_EQ(read().size(), 3000u);
  EXPECT_LT(write_json(state).size(), 200u);
  EXPECT_THAT(read(), IsEmpty());
  execute("INSERT INTO t VALUES (7, 'later')");
  EXPECT_THAT(read(), ElementsAre("later"));
  execute("DELETE FROM t WHERE v = '5'");
  EXPECT_THAT(test::failure([&] { read(); }, Code::kData), HasSubstr("last_value: wait"));
}

TEST_F(CursorTest, RowsOfTheGreatestValueCanWaitForAGreaterOne) {
  const char* kWait = R"({"cursor":"c","last_value":"wait"})";
  execute("CREATE TABLE t (c TEXT, v TEXT); INSERT INTO t VALUES ('d1', 'a'), ('d2', 'b')");
  EXPECT_THAT(read(kWait), ElementsAre("a"));
  EXPECT_EQ(write_json(state), R"({"cursor":"d1"})");
  execute("INSERT INTO t VALUES ('d2', 'c'), ('d3', 'd')");
  EXPECT_THAT(read(kWait), ElementsAre("b", "c"));
  EXPECT_THAT(read(kWait), IsEmpty());
  EXPECT_FALSE(source_->plan().at(0)["complete"].asBool());
  EXPECT_EQ(test::failure([&] { source(R"({"last_value":"wait"})"); }, Code::kConfig),
            "last_value: wait needs a cursor");
}

TEST_F(CursorTest, AUniqueColumnNeedsNoMemoryOfItsRows) {
  execute("CREATE TABLE t (c INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a')");
  EXPECT_THAT(read(), ElementsAre("a"));
  EXPECT_EQ(write_json(state), R"({"cursor":1})");
  execute("INSERT INTO t VALUES (2, 'b')");
  EXPECT_THAT(read(), ElementsAre("b"));
}

TEST_F(CursorTest, AStateOfTheVersionBeforeGoesOnBehindItsValue) {
  execute("CREATE TABLE t (c INTEGER, v TEXT); INSERT INTO t VALUES (1, 'a'), (1, 'b'), (2, 'c')");
  state = parse_json(R"({"cursor":1})");
  EXPECT_THAT(read(), ElementsAre("c"));
}

TEST_F(CursorTest, TheDatabaseDecidesWhatIsEqual) {
  execute(
      "CREATE TABLE t (c TEXT COLLATE NOCASE, v TEXT); INSERT INTO t VALUES ('a', '1'), ('A', "
      "'2'), ('B', '3')");
  host.max_rows = 1;
  {
    auto reader = source(R"({"tables":{"t":"t"},"cursor":"c"})").open(source_->plan().at(0));
    reader.next();
    reader.next();
    EXPECT_EQ(reader.checkpoint(state), Checkpoint::kNotNow);
    reader.next();
    EXPECT_EQ(reader.checkpoint(state), Checkpoint::kState);
  }
  EXPECT_THAT(read(), ElementsAre("3"));
  execute("INSERT INTO t VALUES ('b', '4')");
  EXPECT_THAT(read(), ElementsAre("4"));
}

TEST_F(CursorTest, NumbersAreEqualAcrossTheirClasses) {
  execute(
      "CREATE TABLE u (c, v TEXT); INSERT INTO u VALUES (3, "
      "'a'), (3.0, 'b'), (4, 'd')");
  host.max_rows = 1;
  auto reader = source(R"({"query":"SELECT c, v FROM u ORDER BY c, v","cursor":"c"})")
                    .open(source_->plan().at(0));
  reader.next();
  reader.next();
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kNotNow);
}

TEST_F(CursorTest, ARefusedValueNeverMovesTheCursor) {
  const struct {
    const char *type, *bad, *why;
  } kCases[] = {{"INTEGER", "'n/a'", "c: is of another type, and the cursor goes by whole numbers"},
                {"INTEGER", "1e300", "c: is of another type, and the cursor goes by whole numbers"},
                {"REAL", "9e999", "c: is infinite, so that the cursor would pass everything"},
                {"REAL", "x'00'", "c: is of another type, and the cursor goes by numbers"},
                {"TEXT", "x'ff'", "c: is of another type, and the cursor goes by text"},
                {"DATE", "'n/a'", "c: is of another type, and the cursor goes by numbers"}};
  for (const auto& c : kCases) {
    execute(std::string("DROP TABLE IF EXISTS t; CREATE TABLE t (c ") + c.type +
            ", v TEXT); INSERT INTO t VALUES (1, 'one'), (" + c.bad + ", 'bad')");
    state = {};
    host.rejects.clear();
    EXPECT_THAT(read(), ElementsAre("one")) << c.type;
    ASSERT_EQ(host.rejects.size(), 1u) << c.type;
    EXPECT_EQ(host.rejects[0].why.reason, c.why);
    execute("INSERT INTO t VALUES (3, 'three')");
    EXPECT_THAT(read(), ElementsAre("three")) << c.type;
    EXPECT_EQ(host.rejects.size(), 2u) << c.type << ": refused in each run, not forgotten";
  }
}

TEST_F(CursorTest, ARowThatIsRefusedForAnotherColumnIsPassed) {
  execute(
      "CREATE TABLE t (c INTEGER, n INTEGER, v TEXT); INSERT INTO t VALUES (1, 1, 'a'), (2, "
      "'bad', 'b')");
  EXPECT_THAT(read(), ElementsAre("a"));
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_EQ(host.rejects.size(), 1u);
}

TEST_F(CursorTest, ColumnsThatHaveChangedAreAnErrorWhereRowsCanNotBeTold) {
  execute("CREATE TABLE t (c INTEGER, v TEXT); INSERT INTO t VALUES (1, 'a')");
  read();
  execute("ALTER TABLE t ADD COLUMN w TEXT");
  EXPECT_THAT(read(), IsEmpty());
  execute("ALTER TABLE t ADD COLUMN x TEXT DEFAULT 'x'");
  EXPECT_THAT(test::failure([&] { read(); }, Code::kSchema), HasSubstr("columns have changed"));
}

TEST_F(SqliteTest, SplitsSayWhatTheyAreAndWhetherTheyAreWhole) {
  execute("CREATE TABLE a (Id INTEGER, t TEXT)");
  Json::Value split = source(R"({"tables":{"s":"a"},"cursor":"id"})").plan().at(0);
  EXPECT_EQ(write_json(split["identity"]), R"({"cursor":"id","table":"a","type":"INTEGER"})");
  EXPECT_TRUE(split["complete"].asBool());
  split = source(R"({"query":"SELECT 1 AS x"})").plan().at(0);
  EXPECT_EQ(write_json(split["identity"]), R"({"query":"SELECT 1 AS x"})");
}

TEST_F(SqliteTest, AReaderKeepsNoSinkOfItsOwnProcessWaiting) {
  execute("CREATE TABLE a (id INTEGER, v TEXT)");
  for (int i = 0; i < 50; ++i) execute("INSERT INTO a VALUES (" + std::to_string(i) + ", 'x')");
  host.max_rows = 10;
  host.attempts = 1;
  const std::string options = R"({"write":"append","tables":{"a":"b"},"create":true})";
  sink(options);
  auto reader = source(R"({"tables":{"a":"a"}})").open(source_->plan().at(0));
  const auto schema = std::get<StreamBegin>(reader.next()).schema;
  std::vector<Batch> batches;
  batches.push_back(std::get<BatchEvent>(reader.next()).batch.rows_at({0}));
  sink_->write_all(*schema, "t1", std::move(batches));  // would wait for the reader otherwise
  execute("DELETE FROM a");                             // what is read is what was there
  EXPECT_EQ(test::count_rows(reader.batches()), 40);
  EXPECT_THAT(rows("SELECT * FROM b"), ElementsAre("0|x"));
}

TEST_F(SqliteTest, RealNumbersInAColumnOfTextComeWithAllTheirDigits) {
  execute(
      "CREATE TABLE a (n DECIMAL(20, 6)); INSERT INTO a VALUES (0.1 + 0.2), (0.5), "
      "(123456789012.34567), (3)");
  EXPECT_THAT(test::rows_as_json(source().read_all()),
              ElementsAre(R"({"n":"0.30000000000000004"})", R"({"n":"0.5"})",
                          R"({"n":"123456789012.34567"})", R"({"n":"3"})"));
}

TEST_F(SqliteTest, ARowWithoutACursorIsRefusedInEachRunNotForgotten) {
  execute("CREATE TABLE a (id INTEGER); INSERT INTO a VALUES (NULL), (1)");
  Json::Value state;
  for (const char* rows : {"first", "second"}) {
    auto reader = source(R"({"cursor":"id"})").open(source_->plan().at(0), state);
    host.rejects.clear();
    EXPECT_EQ(test::count_rows(reader.batches()), state.isNull() ? 1 : 0) << rows;
    ASSERT_EQ(host.rejects.size(), 1u) << rows;
    EXPECT_EQ(host.rejects[0].why.reason, "id: is null, so a cursor can't pass the row");
    EXPECT_EQ(reader.checkpoint(state), Checkpoint::kState);
  }
}

// SQLite compares any two values: below a text are all numbers.
TEST_F(SqliteTest, AStateOfAnotherTypeThanTheColumnIsRefused) {
  const struct {
    const char *type, *state;
    std::string fault;  // empty: fits
  } kCases[] = {{"INTEGER", "1", ""},
                {"INTEGER", "1.0", ""},
                {"INTEGER", R"("1")", "its cursor is text, and c goes by whole numbers"},
                {"REAL", R"("x")", "its cursor is text, and c goes by numbers"},
                {"TEXT", "1", "its cursor is a number, and c goes by text"},
                {"TEXT", R"("0")", ""},
                {"TEXT", "true", "its cursor is neither number nor text"}};
  for (const auto& c : kCases) {
    execute("DROP TABLE IF EXISTS a; CREATE TABLE a (c " + std::string(c.type) +
            "); INSERT INTO a VALUES ('2')");
    const auto read = [&] {
      Json::Value state;
      state["cursor"] = parse_json("[" + std::string(c.state) + "]")[0];
      auto reader = source(R"({"cursor":"c"})").open(source_->plan().at(0), state);
      EXPECT_EQ(test::count_rows(reader.batches()), 1) << c.type << " " << c.state;
    };
    if (c.fault.empty()) {
      read();
    } else {
      EXPECT_THAT(test::failure(read, Code::kConfig), HasSubstr(c.fault)) << c.state;
    }
  }
}

TEST_F(SqliteTest, MistakesOfTheSourceAreNamed) {
  EXPECT_THAT(test::failure([&] { source().check(); }, Code::kConfig), HasSubstr(path.string()));
  execute("CREATE TABLE a (id INTEGER)");
  EXPECT_THAT(test::failure([&] { source(R"({"query":"SELEC 1"})").check(); }, Code::kConfig),
              HasSubstr("syntax error"));
  EXPECT_THAT(test::failure([&] { source(R"({"cursor":"nr"})").open(source_->plan().at(0)); },
                            Code::kConfig),
              HasSubstr("nr"));
}

}  // namespace
}  // namespace patchbay
