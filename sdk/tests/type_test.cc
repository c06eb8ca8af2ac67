#include "patchbay/type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <json/json.h>

#include <sstream>

#include "every_type.h"
#include "patchbay/error.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kInternal, "no error");
}

bool parse(const char* text, Json::Value& out) {
  std::istringstream in(text);
  return Json::parseFromStream(Json::CharReaderBuilder(), in, &out, nullptr);
}

TEST(TypeName, ReadsBack) {
  const SchemaPtr every = every_type();
  for (const auto& field : every->fields) {
    EXPECT_EQ(type_name(field.type), field.name);
    EXPECT_EQ(parse_type(field.name), field.type) << field.name;
  }
}

TEST(TypeName, OtherSpellingsAreKnown) {
  for (const auto& [text, name] : std::initializer_list<std::pair<const char*, const char*>>{
           {"string", "utf8"},
           {"date", "date32"},
           {"time", "time64[us]"},
           {"json", "arrow.json"},
           {"timestamp", "timestamp[us, UTC]"},
           {"timestamp[us,UTC]", "timestamp[us, UTC]"},
           {"decimal(10,2)", "decimal128(10, 2)"},
           {"decimal(10)", "decimal128(10, 0)"},
           {" list< struct< a : int8 ,b:list<json> > > ",
            "list<struct<a: int8, b: list<arrow.json>>>"},
           {"struct<>", "struct<>"}}) {
    EXPECT_EQ(type_name(parse_type(text)), name) << text;
  }
}

TEST(TypeName, UnknownOnesSuggestTheNearest) {
  for (const auto& [text, words] : std::initializer_list<std::pair<const char*, const char*>>{
           {"itn64", "did you mean int64?"},
           {"strng", "did you mean string?"},
           {"timestmp[us, UTC]", "did you mean timestamp[us, UTC]?"},
           {"list<in64>", "did you mean int64?"},
           {"struct<a: int8, b: flaot64>", "did you mean float64?"},
           {"timestamp[ms]", "type timestamp[ms]"},
           {"decimal(x)", "type decimal(x)"},
           {"list<int8", "type list<int8"},
           {"struct<a int8>", "type struct<a int8>"},
           {"int64 int64", "type int64 int64"},
           {"", "type "}}) {
    const Error error = error_of([&] { parse_type(text); });
    EXPECT_EQ(error.code(), Code::kConfig) << text;
    EXPECT_THAT(error.what(), HasSubstr(words)) << text;
  }
}

TEST(TypeName, DecimalsHaveBounds) {
  for (const char* text : {"decimal(0, 0)", "decimal(39, 0)", "decimal(5, 6)", "decimal(5, -1)"}) {
    EXPECT_EQ(error_of([&] { parse_type(text); }).code(), Code::kConfig) << text;
  }
}

TEST(TypeName, DeepNestingIsRefused) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "list<";
  EXPECT_EQ(error_of([&] { parse_type(text); }).code(), Code::kConfig);
}

TEST(SchemaJson, ReadsBack) {
  Schema schema = *every_type();
  schema.fields[0].nullable = false;
  EXPECT_EQ(schema_from_json(to_json(schema)), schema);
}

TEST(SchemaJson, ANameIsEnough) {
  Json::Value json;
  json["name"] = "responses";
  EXPECT_EQ(schema_from_json(json), (Schema{"responses", {}, {}}));
}

TEST(SchemaJson, BrokenOnesAreBadData) {
  for (const char* text :
       {"[]", "{}", R"({"name": 1})", R"({"name": "a", "fields": "b"})",
        R"({"name": "a", "fields": {"name": "b", "type": "int8"}})",
        R"({"name": "a", "fields": [1]})", R"({"name": "a", "fields": [{"name": "b"}]})",
        R"({"name": "a", "fields": [{"name": "b", "type": "int7"}]})",
        R"({"name": "a", "fields": [{"name": "b", "type": "int8", "nullable": "x"}]})",
        R"({"name": "a", "keys": [{}]})", R"({"name": "a", "keys": "b"})"}) {
    Json::Value json;
    ASSERT_TRUE(parse(text, json)) << text;
    EXPECT_EQ(error_of([&] { schema_from_json(json); }).code(), Code::kData) << text;
  }
}

TEST(Schema, FindsFieldsByName) {
  EXPECT_EQ(every_type()->index_of("int8"), 1);
  EXPECT_EQ(every_type()->index_of("INT8"), -1);
}

}  // namespace
}  // namespace patchbay
