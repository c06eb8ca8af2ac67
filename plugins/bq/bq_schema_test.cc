// Types of streams and of tables, and which rows a table can take.
#include "bq_schema.h"

#include <gmock/gmock.h>

#include "bq_misfits.h"
#include "patchbay/builder.h"
#include "patchbay/error.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Schema one_field(const std::string& type) { return {"s", {{"f", parse_type(type), true}}, {}}; }

std::string column_of(const std::string& type) {
  return write_json(bq_schema(one_field(type))["fields"][0]);
}

std::string message_of(const std::function<void()>& action, Code code) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "no error";
}

TEST(BqSchema, NamesThatDifferInCaseAreOneColumn) {
  const auto same = [](const std::string& other) {
    return "differs only by case from " + other + ", and BigQuery takes both for one column";
  };
  const Schema flat{"s", parse_type("struct<id: int64, Id: utf8>").fields, {}};
  EXPECT_THAT(message_of([&] { bq_schema(flat); }, Code::kConfig), HasSubstr("Id: " + same("id")));
  const Schema nested{"s", parse_type("struct<l: list<struct<x: int64, X: int64>>>").fields, {}};
  const Json::Value table = parse_json(R"([{"name":"l","type":"RECORD","mode":"REPEATED",
      "fields":[{"name":"x","type":"INTEGER"}]}])");
  EXPECT_THAT(message_of([&] { missing_columns(nested, table); }, Code::kConfig),
              HasSubstr("l.X: " + same("l.x") + "; rename or drop one of them"));
}

TEST(BqSchema, AColumnThatMustHaveAValueGetsOne) {
  const Schema stream{"s", parse_type("struct<a: int64, r: struct<x: int64>>").fields, {}};
  const auto table = [](const std::string& more, const std::string& inner) {
    return parse_json(
        R"([{"name":"A","type":"INTEGER","mode":"REQUIRED"},{"name":"r","type":"RECORD",
        "fields":[{"name":"x","type":"INTEGER"})" +
        inner + "]}" + more + "]");
  };
  const std::string needed = R"(,{"name":"b","type":"STRING","mode":"REQUIRED")";
  EXPECT_EQ(missing_columns(stream, table("", "")).size(), 0u);
  EXPECT_EQ(
      missing_columns(stream, table(needed + R"(,"defaultValueExpression":"'x'"})", "")).size(),
      0u);
  const std::string why = "b: the table's column is REQUIRED, and the stream has no such field";
  EXPECT_THAT(message_of([&] { missing_columns(stream, table(needed + "}", "")); }, Code::kSchema),
              HasSubstr(why));
  EXPECT_THAT(message_of([&] { missing_columns(stream, table("", needed + "}")); }, Code::kSchema),
              HasSubstr("r." + why));
}

TEST(BqSchema, EveryTypeHasItsColumn) {
  const struct {
    const char *type, *column;
  } kCases[] = {
      {"bool", "BOOLEAN"},
      {"int8", "INTEGER"},
      {"int64", "INTEGER"},
      {"uint32", "INTEGER"},
      {"uint64", "NUMERIC"},
      {"float32", "FLOAT"},
      {"decimal128(38, 9)", "NUMERIC"},
      {"decimal128(29, 0)", "NUMERIC"},
      {"decimal128(30, 0)", "BIGNUMERIC"},
      {"decimal128(38, 10)", "BIGNUMERIC"},
      {"utf8", "STRING"},
      {"arrow.json", "JSON"},
      {"binary", "BYTES"},
      {"date32", "DATE"},
      {"time64[us]", "TIME"},
      {"timestamp[us]", "DATETIME"},
      {"timestamp[us, UTC]", "TIMESTAMP"},
      {"timestamp[us, Europe/Berlin]", "TIMESTAMP"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(column_of(c.type),
              std::string(R"({"mode":"NULLABLE","name":"f","type":")") + c.column + "\"}")
        << c.type;
  }
  EXPECT_EQ(column_of("list<struct<a: int64, b: list<utf8>>>"),
            R"({"fields":[{"mode":"NULLABLE","name":"a","type":"INTEGER"},)"
            R"({"mode":"REPEATED","name":"b","type":"STRING"}],)"
            R"("mode":"REPEATED","name":"f","type":"RECORD"})");
  EXPECT_EQ(message_of([] { column_of("struct<a: list<list<int64>>>"); }, Code::kConfig),
            "f.a: is a list of lists, which BigQuery has not; cast or drop it with `fields`");
}

// What a table of these columns lacks, or why it does not fit.
std::string missing(const std::string& type, const std::string& columns) {
  std::string out;
  try {
    for (const auto& one : missing_columns(one_field(type), parse_json(columns)))
      out += one.path + " " + type_name(one.type) + ";";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kSchema);
    return error.what();
  }
  return out;
}

TEST(BqSchema, MissingColumnsAreFoundAtEveryDepth) {
  const std::string record =
      R"([{"name":"F","type":"STRUCT","mode":"REPEATED","fields":[{"name":"A","type":"INT64"}]}])";
  EXPECT_EQ(missing("int64", "[]"), "f int64;");
  EXPECT_EQ(missing("list<struct<a: int64>>", record), "");
  EXPECT_EQ(missing("list<struct<a: int64, b: struct<c: utf8>>>", record), "f.b struct<c: utf8>;");
}

TEST(BqSchema, AColumnTakesWhatBigQueryWouldConvertWithoutLoss) {
  const struct {
    const char *type, *column;
    bool takes;
  } kCases[] = {
      {"int64", "INT64", true},      {"int64", "FLOAT", true},        {"int64", "BIGDECIMAL", true},
      {"int64", "STRING", false},    {"float64", "FLOAT64", true},    {"float64", "INTEGER", false},
      {"utf8", "TIMESTAMP", true},   {"utf8", "INTEGER", true},       {"utf8", "GEOGRAPHY", true},
      {"utf8", "BYTES", false},      {"utf8", "RECORD", false},       {"bool", "INTEGER", false},
      {"date32", "TIMESTAMP", true}, {"timestamp[us]", "DATE", false}};
  for (const auto& c : kCases) {
    const std::string column =
        std::string(R"([{"name":"f","type":")") + c.column + R"(","mode":"NULLABLE"}])";
    const std::string found = missing(c.type, column);
    EXPECT_EQ(found.empty(), c.takes) << c.type << " into " << c.column << ": " << found;
  }
  EXPECT_EQ(missing("list<utf8>", R"([{"name":"f","type":"STRING"}])"),
            "f: the table's column is STRING, the stream's list<utf8> does not fit; cast it with "
            "`fields`, or change the table");
}

TEST(BqSchema, AnUpsertSetsMembersWhereTheRecordHasMore) {
  const Json::Value table = parse_json(
      R"([{"name":"Id","type":"INTEGER"},{"name":"A","type":"RECORD","fields":[{"name":"x","type":"INTEGER"},
          {"name":"y","type":"RECORD","fields":[{"name":"z","type":"INTEGER"},{"name":"w","type":"INTEGER"}]}]},
          {"name":"l","type":"RECORD","mode":"REPEATED","fields":[{"name":"x","type":"INTEGER"},{"name":"m","type":"INTEGER"}]}])");
  const auto paths = [&](const std::string& type) {
    std::string out;
    for (const auto& path : paths_to_set({"s", parse_type(type).fields, {}}, table)) {
      for (const auto& name : path) out += name + ".";
      out += " ";
    }
    return out;
  };
  EXPECT_EQ(paths("struct<id: int64, a: struct<x: int64, y: struct<z: int64, w: int64>>>"),
            "Id. A. ");
  EXPECT_EQ(paths("struct<id: int64, a: struct<X: int64>>"), "Id. A.x. ");
  EXPECT_EQ(paths("struct<a: struct<x: int64, y: struct<Z: int64>>>"), "A.x. A.y.z. ");
  EXPECT_EQ(paths("struct<l: list<struct<x: int64, m: int64>>>"), "l. ");
  EXPECT_THAT(message_of([&] { paths("struct<l: list<struct<x: int64>>>"); }, Code::kSchema),
              HasSubstr("l: is a list whose records have more members in the table"));
}

TEST(BqSchema, ColumnsOfSeveralAnnouncementsAreUnited) {
  const Json::Value a = parse_json(
      R"([{"name":"id","type":"INTEGER"},{"name":"r","type":"RECORD","fields":[{"name":"x","type":"INT64"}]}])");
  const Json::Value b = parse_json(
      R"([{"name":"R","type":"STRUCT","fields":[{"name":"y","type":"STRING"}]},{"name":"e","type":"DATE"}])");
  const Json::Value both = union_of_fields(a, b);
  ASSERT_EQ(both.size(), 3u);
  EXPECT_EQ(both[1]["fields"][1]["name"], "y");
  EXPECT_EQ(both[2]["name"], "e");
  EXPECT_THAT(
      message_of([&] { union_of_fields(a, parse_json(R"([{"name":"ID","type":"STRING"}])")); },
                 Code::kSchema),
      HasSubstr("ID: comes with two types"));
}

TEST(BqMisfits, TimesThatBigQueryHasNot) {
  BatchBuilder batch(std::make_shared<Schema>(one_field("time64[us]")));
  for (const int64_t micros :
       {int64_t{0}, int64_t{86'399'999'999}, int64_t{86'400'000'000}, int64_t{-1}})
    batch.column<Time64Builder>(0).append(micros);
  Json::Value fields;
  fields.append(parse_json(R"({"name":"f","type":"TIME"})"));
  const Batch all = batch.finish();
  const auto found = BqMisfits(all.schema()->fields, fields).find(all);
  EXPECT_EQ(found[0] + found[1], "");
  EXPECT_THAT(found[2], HasSubstr("f: is out of the times 00:00:00 to 23:59:59.999999"));
  EXPECT_FALSE(found[3].empty());
}

TEST(BqSchema, AColumnIsAddedInsideItsRecordWhateverTheCase) {
  const Json::Value table = parse_json(
      R"({"fields":[{"name":"Recipient","type":"RECORD","fields":[{"name":"id","type":"INTEGER"}]}]})");
  const auto added = [&](const std::string& path) {
    return with_column(table, path, parse_type("utf8"))["fields"];
  };
  EXPECT_EQ(added("recipient.suffix")[0]["fields"][1]["name"], "suffix");
  EXPECT_EQ(added("recipient.ID"), table["fields"]) << "it is there already";
  EXPECT_EQ(added("suffix")[1]["type"], "STRING");
  EXPECT_THAT(message_of([&] { added("sender.suffix"); }, Code::kInternal),
              HasSubstr("sender.suffix: its record is not in the table"));
}

// Why rows {"f": value} don't fit a column, row by row.
std::vector<std::string> misfits(const Batch& batch, const std::string& column) {
  Json::Value fields;
  fields.append(parse_json(column));
  return BqMisfits(batch.schema()->fields, fields).find(batch);
}

Batch texts(const std::vector<const char*>& values, const char* type = "utf8") {
  BatchBuilder batch(std::make_shared<Schema>(one_field(type)));
  for (const char* value : values) {
    if (value) {
      batch.column<Utf8Builder>(0).append(value);
    } else {
      batch.column(0).append_null();
    }
  }
  return batch.finish();
}

TEST(BqMisfits, TextMustBeAValueOfItsColumn) {
  const struct {
    const char *column, *good, *bad;
  } kCases[] = {{"INTEGER", "-7", "7.5"},
                {"FLOAT64", "7.5e3", "much"},
                {"BOOL", "true", "maybe"},
                {"DATE", "2026-02-28", "2026-02-30"},
                {"TIMESTAMP", "2026-02-28T10:00:00Z", "answered"},
                {"NUMERIC", "1.123456789", "1.1234567891"}};
  for (const auto& c : kCases) {
    const auto found = misfits(texts({c.good, nullptr, c.bad}),
                               std::string(R"({"name":"F","type":")") + c.column + "\"}");
    EXPECT_EQ(found[0] + found[1], "") << c.column;
    EXPECT_THAT(found[2], HasSubstr("f: the table's column is ")) << c.column;
  }
  for (const char* column : {"STRING", "JSON", "GEOGRAPHY"}) {
    EXPECT_THAT(
        misfits(texts({"anything"}), std::string(R"({"name":"f","type":")") + column + "\"}"),
        ElementsAre(""));
  }
}

TEST(BqMisfits, AreFoundInsideStructsAndLists) {
  const auto schema = std::make_shared<Schema>(one_field("struct<when: utf8, tags: list<utf8>>"));
  BatchBuilder batch(schema);
  auto& record = batch.column<StructBuilder>(0);
  const auto add = [&](const char* when, const std::vector<const char*>& tags) {
    record.append();
    record.member<Utf8Builder>(0).append(when);
    auto& list = record.member<ListBuilder>(1);
    list.append();
    for (const char* tag : tags)
      tag ? list.item<Utf8Builder>().append(tag) : list.item().append_null();
  };
  add("2026-01-01 00:00:00", {"1", "2"});
  record.append_null();
  add("later", {"3"});
  add("2026-01-01", {"4", "x"});
  add("2026-01-01", {nullptr});
  Batch rows = batch.finish();
  const std::string column =
      R"({"name":"f","type":"RECORD","fields":[{"name":"when","type":"TIMESTAMP"},)"
      R"({"name":"tags","type":"INTEGER","mode":"REPEATED"}]})";
  const std::vector<std::string> expected{
      "", "", "f.when: the table's column is timestamp[us, UTC], found utf8 that is none",
      "f.tags[]: the table's column is int64, found utf8 that is none",
      "f.tags[]: is null, which BigQuery does not take in a list"};
  EXPECT_EQ(misfits(rows, column), expected);
  EXPECT_THAT(misfits(rows.slice(2, 2), column), ElementsAre(expected[2], expected[3]));
}

TEST(BqMisfits, NullsAndYearsThatBigQueryHasNot) {
  EXPECT_THAT(misfits(texts({"a", nullptr}), R"({"name":"f","type":"STRING","mode":"REQUIRED"})"),
              ElementsAre("", "f: is null, and the table's column is REQUIRED"));
  BatchBuilder days(std::make_shared<Schema>(one_field("date32")));
  for (const int32_t day : {-719'163, -719'162, 2'932'896, 2'932'897})
    days.column<Date32Builder>(0).append(day);
  const std::string years = "f: is out of the years 0001 to 9999 that BigQuery has";
  EXPECT_THAT(misfits(days.finish(), R"({"name":"f","type":"DATE"})"),
              ElementsAre(years, "", "", years));
  BatchBuilder times(std::make_shared<Schema>(one_field("timestamp[us, UTC]")));
  for (const int64_t at : {-62'135'596'800'000'001, -62'135'596'800'000'000,
                           253'402'300'799'999'999, 253'402'300'800'000'000})
    times.column<TimestampBuilder>(0).append(at);
  EXPECT_THAT(misfits(times.finish(), R"({"name":"f","type":"TIMESTAMP"})"),
              ElementsAre(years, "", "", years));
}

TEST(BqMisfits, ColumnsThatTheTableLacksAreNotLookedAt) {
  EXPECT_THAT(misfits(texts({"a"}), R"({"name":"g","type":"INTEGER","mode":"REQUIRED"})"),
              ElementsAre(""));
}

}  // namespace
}  // namespace patchbay
