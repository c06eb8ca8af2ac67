// The source and the sink on a database in a folder of its own; crashes are
// tests/systems/crash_test.py.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "patchbay/json_value.h"
#include "patchbay/sqlite.h"
#include "patchbay/testing/component_driver.h"
#include "patchbay/testing/failure.h"
#include "sqlite_values.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay {
namespace {

using test::SinkDriver;
using test::SourceDriver;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SqliteValues, DeclaredTypesFollowSqlitesAffinities) {
  const struct {
    const char *declared, *type;
  } kCases[] = {
      {"INTEGER", "int64"},       {"bigint unsigned", "int64"}, {"VARCHAR(10)", "utf8"},
      {"CLOB", "utf8"},           {"BLOB", "binary"},           {"DOUBLE PRECISION", "float64"},
      {"BOOLEAN", "bool"},        {"DECIMAL(10,2)", "utf8"},    {"", "utf8"},
      {"FLOATING POINT", "int64"}};  // the rule says so: it has INT in it
  for (const auto& c : kCases)
    EXPECT_EQ(type_name(type_of_declared(c.declared)), c.type) << c.declared;
}

struct SqliteTest : testing::Test {
  SqliteTest() {
    char name[] = "/tmp/patchbay-sqlite-XXXXXX";
    folder = mkdtemp(name);
    path = folder / "t.db";
  }
  ~SqliteTest() override { std::filesystem::remove_all(folder); }

  Json::Value config(const std::string& more) const {
    Json::Value out = parse_json(more);
    out["path"] = path.string();
    return out;
  }
  SinkDriver& sink(const std::string& more = R"({"write":"append","create":true})") {
    sink_ = std::make_unique<SinkDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()),
                                         "sqlite", config(more));
    return *sink_;
  }
  SourceDriver& source(const std::string& more = "{}") {
    source_ = std::make_unique<SourceDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()),
                                             "sqlite", config(more));
    return *source_;
  }
  void execute(const std::string& sql) { Database(path, OpenMode::kCreate).execute(sql); }
  // All rows of a query, columns joined by |.
  std::vector<std::string> rows(const std::string& sql) {
    Database database(path, OpenMode::kExisting);
    std::vector<std::string> out;
    auto query = database.compile(sql);
    while (query.step()) {
      std::string row;
      for (int i = 0; i < query.columns(); ++i)
        row += (i ? "|" : "") + (query.is_null(i) ? "null" : query.text(i));
      out.push_back(row);
    }
    return out;
  }
  std::vector<std::string> stages() {
    return rows("SELECT name FROM sqlite_master WHERE name LIKE '!_patchbay!_t%' ESCAPE '!'");
  }

  test::FakeHost host;
  std::filesystem::path folder, path;
  std::unique_ptr<SinkDriver> sink_;
  std::unique_ptr<SourceDriver> source_;
};

const Schema kPeople{
    "people", {{"id", scalar(TypeId::kInt64), true}, {"name", scalar(TypeId::kUtf8), true}}, {}};

std::vector<Batch> people(const std::vector<std::pair<int64_t, const char*>>& values) {
  BatchBuilder batch(std::make_shared<Schema>(kPeople));
  for (const auto& [id, name] : values) {
    if (id) {
      batch.column<Int64Builder>(0).append(id);
    } else {
      batch.column(0).append_null();
    }
    batch.column<Utf8Builder>(1).append(name);
  }
  std::vector<Batch> out;
  out.push_back(batch.finish());
  return out;
}

TEST_F(SqliteTest, RowsAreInvisibleUntilCommitAndThenThereOnce) {
  const auto prepared = sink().prepare_all(kPeople, "t1", people({{1, "a"}, {2, "b"}}));
  EXPECT_EQ(prepared.rows_accepted, 2);
  EXPECT_THAT(rows("SELECT * FROM people"), IsEmpty());
  sink().commit("t1", 1, {prepared.token});  // another process
  sink().commit("t1", 1, {prepared.token});  // which did not hear the answer
  EXPECT_THAT(rows("SELECT * FROM people"), ElementsAre("1|a", "2|b"));
  EXPECT_THAT(stages(), IsEmpty());
}

TEST_F(SqliteTest, AbortDropsWhatATransactionOfThatNameLeft) {
  sink().prepare_all(kPeople, "t1", people({{1, "a"}}));
  sink().prepare_all(kPeople, "t12", people({{2, "b"}}));
  sink().abort({"t1", "never"});
  EXPECT_THAT(stages(), ElementsAre("_patchbay_t12_1"));
}

TEST_F(SqliteTest, ACommitWhoseRowsAreGoneSaysSo) {
  const auto prepared = sink().prepare_all(kPeople, "t1", people({{1, "a"}}));
  execute("DROP TABLE _patchbay_t1_1");
  EXPECT_THAT(test::failure([&] { sink().commit("t1", 1, {prepared.token}); }, Code::kNotFound),
              HasSubstr("the prepared rows for table people are gone"));
}

TEST_F(SqliteTest, ReplaceAndUpsertChangeTheTableAtCommit) {
  sink().write_all(kPeople, "t1", people({{1, "a"}, {2, "b"}, {0, "x"}}));
  sink(R"({"write":"upsert","keys":["id"],"create":true})")
      .write_all(kPeople, "t2", people({{2, "old"}, {2, "new"}, {3, "c"}, {0, "y"}}));
  EXPECT_THAT(rows("SELECT * FROM people ORDER BY id"),
              ElementsAre("null|y", "1|a", "2|new", "3|c"));
  sink(R"({"write":"replace","create":true})").write_all(kPeople, "t3", people({{9, "z"}}));
  EXPECT_THAT(rows("SELECT * FROM people"), ElementsAre("9|z"));
}

TEST_F(SqliteTest, SchemaStepsAreWhatTheTableLacks) {
  EXPECT_EQ(write_json(sink().plan_schema(kPeople)),
            R"([{"action":"create_table","table":"people"}])");
  execute("CREATE TABLE people (id INTEGER)");
  Json::Value steps = sink().plan_schema(kPeople);
  EXPECT_EQ(write_json(steps),
            R"([{"action":"add_column","field":"name","table":"people","type":"utf8"}])");
  steps[0]["apply"] = false;  // declined: the column's values are left out
  sink_->apply_schema(kPeople, steps);
  auto writer = sink_->open(kPeople, "t1");
  for (auto& batch : people({{1, "a"}})) writer.write(std::move(batch));
  sink_->commit("t1", 1, {writer.prepare().token});
  EXPECT_THAT(rows("SELECT * FROM people"), ElementsAre("1"));
}

TEST_F(SqliteTest, ValuesOfEveryTypeComeBackAsTheDocumentationSays) {
  Schema schema{
      "t",
      parse_type("struct<b: bool, u: uint64, f: float64, d: decimal128(20, 2), y: binary, "
                 "day: date32, ts: timestamp[us, UTC], l: list<int64>, j: arrow.json>")
          .fields,
      {}};
  BatchBuilder batch(std::make_shared<Schema>(schema));
  batch.column<BoolBuilder>(0).append(true);
  batch.column<Uint64Builder>(1).append(UINT64_MAX);
  batch.column<Float64Builder>(2).append(0.1);
  batch.column<DecimalBuilder>(3).append(-5);
  batch.column<BinaryBuilder>(4).append(std::string_view("\0\xff", 2));
  batch.column<Date32Builder>(5).append(0);
  batch.column<TimestampBuilder>(6).append(1);
  auto& list = batch.column<ListBuilder>(7);
  list.append();
  list.item<Int64Builder>().append(3);
  batch.column<Utf8Builder>(8).append("{\"a\": 1}");
  std::vector<Batch> batches;
  batches.push_back(batch.finish());
  sink().write_all(schema, "t1", std::move(batches));
  EXPECT_THAT(
      rows("SELECT b, u, f, d, hex(y), day, ts, l, j FROM t"),
      ElementsAre(
          "1|18446744073709551615|0.1|-0.05|00FF|1970-01-01|1970-01-01T00:00:00.000001Z|[3]|"
          "{\"a\": 1}"));
}

TEST_F(SqliteTest, NamesMayHoldAnything) {
  Schema schema = kPeople;
  schema.name = "a \"b\"; --";
  schema.fields[0].name = "order";
  schema.fields[1].name = "x\"y";
  sink().write_all(schema, "t1", people({{1, "a"}}));
  EXPECT_THAT(rows("SELECT \"order\", \"x\"\"y\" FROM \"a \"\"b\"\"; --\""), ElementsAre("1|a"));
}

TEST_F(SqliteTest, MistakesOfTheSinkAreNamed) {
  const auto plan = [&](const std::string& more) { sink(more).plan_schema(kPeople); };
  EXPECT_EQ(test::failure([&] { plan(R"({"write":"upsert","create":true})"); }, Code::kConfig),
            "keys: missing, needed with write: upsert");
  EXPECT_EQ(test::failure([&] { plan(R"({"write":"upsert","keys":["nr"],"create":true})"); },
                          Code::kConfig),
            "keys: stream people has no field nr");
  EXPECT_THAT(test::failure([&] { plan(R"({"write":"append","create":false})"); }, Code::kNotFound),
              HasSubstr("table people: is not in " + path.string() + ", and create is false"));
  path = folder / "no/such.db";
  EXPECT_THAT(test::failure([&] { sink().check(); }, Code::kNotFound), HasSubstr("nor its folder"));
}

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
  EXPECT_EQ(write_json(state), R"({"cursor":1})");
  reader.next();
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kNotNow);
  EXPECT_EQ(test::count_rows(reader.batches()), 1);
  EXPECT_EQ(reader.checkpoint(state), Checkpoint::kState);
  EXPECT_EQ(write_json(state), R"({"cursor":3})");
  execute("INSERT INTO a VALUES (4, 'e'), (2, 'late')");
  auto again = source(by_id).open(source_->plan().at(0), state);
  EXPECT_THAT(test::rows_as_json(again.batches()), ElementsAre(R"({"id":4,"t":"e"})"));
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
