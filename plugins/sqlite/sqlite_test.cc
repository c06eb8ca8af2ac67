// Values, tables and files of the plugin; what its sink and its source promise is in the tests
// beside this one, crashes are tests/systems/crash_test.py.
#include "sqlite_case.h"
#include "sqlite_fit.h"
#include "sqlite_values.h"

namespace patchbay {
namespace {

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

TEST(SqliteFit, TextThatANumberWouldNotGiveBackIsKnown) {
  const struct {
    const char* text;
    bool in_numeric, in_real;
  } kCases[] = {{"abc", true, true},
                {"", true, true},
                {"2026-01-01", true, true},
                {"10001", true, false},
                {"-7", true, false},
                {"0", true, false},
                {"00501", false, false},
                {"1e5", false, false},
                {"+1", false, false},
                {" 1", false, false},
                {"1.5", true, true},
                {"1.50", false, false},
                {"10.0", false, true},
                {"-0", false, false},
                {"0x10", true, true},
                {"1e", true, true},
                {".5", false, false},
                {"9223372036854775807", true, false},
                {"18446744073709551615", false, false}};
  for (const auto& c : kCases) {
    EXPECT_EQ(number_keeps_text(Affinity::kNumeric, c.text), c.in_numeric) << c.text;
    EXPECT_EQ(number_keeps_text(Affinity::kReal, c.text), c.in_real) << c.text;
  }
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
      .write_all(kPeople, "t2", people({{2, "old"}, {2, "new"}, {3, "c"}}));
  EXPECT_THAT(rows("SELECT * FROM people ORDER BY id"),
              ElementsAre("null|x", "1|a", "2|new", "3|c"));
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

}  // namespace
}  // namespace patchbay
