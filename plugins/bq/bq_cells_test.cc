// Rows as BigQuery answers them.
#include "bq_cells.h"

#include <gmock/gmock.h>

#include "patchbay/json_value.h"
#include "patchbay/testing/component_driver.h"

namespace patchbay {
namespace {

const char* kTable = R"([
  {"name": "i", "type": "INTEGER"}, {"name": "f", "type": "FLOAT"}, {"name": "b", "type": "BOOL"},
  {"name": "y", "type": "BYTES"}, {"name": "d", "type": "DATE"}, {"name": "t", "type": "TIME"},
  {"name": "dt", "type": "DATETIME"}, {"name": "ts", "type": "TIMESTAMP"}, {"name": "n", "type": "NUMERIC"},
  {"name": "j", "type": "JSON"}, {"name": "s", "type": "STRING", "mode": "REQUIRED"}, {"name": "g", "type": "GEOGRAPHY"},
  {"name": "r", "type": "RECORD", "mode": "REPEATED", "fields": [
    {"name": "x", "type": "INT64"}, {"name": "l", "type": "STRING", "mode": "REPEATED"}]}])";

std::string rows(const std::string& fields, const std::string& cells) {
  BatchBuilder batch(std::make_shared<Schema>(schema_of_table("s", parse_json(fields))));
  append_cells(batch, parse_json("{\"f\":[" + cells + "]}"));
  std::vector<Batch> batches;
  batches.push_back(batch.finish());
  return test::rows_as_json(batches).at(0);
}

TEST(BqCells, ColumnsHaveTheirTypes) {
  std::string types;
  for (const auto& field : schema_of_table("s", parse_json(kTable)).fields)
    types += field.name + " " + type_name(field.type) + (field.nullable ? "\n" : " required\n");
  EXPECT_EQ(types,
            "i int64\nf float64\nb bool\ny binary\nd date32\nt time64[us]\ndt timestamp[us]\n"
            "ts timestamp[us, UTC]\nn decimal128(38, 9)\nj arrow.json\ns utf8 required\ng utf8\n"
            "r list<struct<x: int64, l: list<utf8>>>\n");
}

TEST(BqCells, ValuesOfEveryTypeAreRead) {
  EXPECT_EQ(
      rows(
          kTable,
          R"({"v":"-9223372036854775808"},{"v":"-Infinity"},{"v":"true"},{"v":"AP+A"},{"v":"2024-02-29"},)"
          R"({"v":"23:59:59.5"},{"v":"2024-02-29T01:02:03"},{"v":"1709168523000001"},{"v":"-0.000000001"},)"
          R"({"v":"{\"a\":[1]}"},{"v":"Ä"},{"v":"here"},)"
          R"({"v":[{"v":{"f":[{"v":"1"},{"v":[{"v":"a"},{"v":""}]}]}},{"v":{"f":[{"v":null},{"v":[]}]}}]})"),
      R"({"i":-9223372036854775808,"f":"-Infinity","b":true,"y":"AP+A","d":"2024-02-29","t":"23:59:59.500000",)"
      R"("dt":"2024-02-29T01:02:03","ts":"2024-02-29T01:02:03.000001Z","n":"-0.000000001","j":{"a":[1]},"s":"Ä",)"
      R"("g":"here","r":[{"x":1,"l":["a",""]},{"x":null,"l":[]}]})");
}

TEST(BqCells, NullsAreNullAndEmptyListsEmpty) {
  EXPECT_EQ(rows(R"([{"name":"i","type":"INTEGER"},{"name":"l","type":"DATE","mode":"REPEATED"},)"
                 R"({"name":"r","type":"RECORD","fields":[{"name":"x","type":"INTEGER"}]}])",
                 R"({"v":null},{"v":[]},{"v":null})"),
            R"({"i":null,"l":[],"r":null})");
}

TEST(BqCells, AValueOfAnotherTypeNamesItsColumn) {
  const struct {
    const char *type, *value, *what;
  } kCases[] = {
      {"INTEGER", R"({"v":"1.5"})", "int64"},
      {"DATE", R"({"v":"yesterday"})", "date32"},
      {"TIMESTAMP", R"({"v":"1.7e9"})", "timestamp[us, UTC]"},
      {"NUMERIC", R"({"v":"1e40"})", "decimal128(38, 9)"},
      {"STRING", R"({"v":{"f":[]}})", "utf8"},
      {"STRING", R"({"v":["a"]})", "utf8"},
      {"STRING", R"("a")", "utf8"},
      {R"(STRING","mode":"REPEATED)", R"({"v":"a"})", "list<utf8>"},
      {R"(STRING","mode":"REPEATED)", R"({"v":["a"]})", "utf8"},
      {R"(RECORD","fields":[{"name":"when","type":"STRING"}],"mode":")", R"({"v":"a"})", "utf8"}};
  for (const auto& c : kCases) {
    try {
      rows(std::string(R"([{"name":"when","type":")") + c.type + "\"}]", c.value);
      ADD_FAILURE() << c.type << " took " << c.value;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      EXPECT_EQ(error.what(), std::string("when: BigQuery sent a value that is no ") + c.what);
    }
  }
}

}  // namespace
}  // namespace patchbay
