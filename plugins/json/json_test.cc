#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "patchbay/json_value.h"
#include "patchbay/object.h"
#include "patchbay/testing/component_driver.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Rows = std::vector<std::string>;

class JsonFiles : public testing::Test {
 protected:
  std::vector<Batch> decode(const std::vector<std::string>& files, const std::string& more = "{}",
                            size_t piece = 1 << 20) {
    Json::Value config =
        parse_json(R"({"format": "lines", "records": "", "max_record_bytes": 16777216})");
    const Json::Value members = parse_json(more);
    for (const auto& name : members.getMemberNames()) config[name] = members[name];
    const auto schema = std::make_shared<const Schema>(object_schema("s"));
    std::vector<Batch> in;
    char name = 'a';
    for (const auto& text : files) {
      ObjectBuilder builder(schema);
      const std::string key = std::string(1, name++) + ".json";
      size_t at = 0;
      do {
        const size_t n = std::min(piece, text.size() - at);
        builder.append({key,
                        {},
                        {},
                        {},
                        static_cast<int64_t>(at),
                        std::string_view(text).substr(at, n),
                        at + n == text.size()});
        at += n;
      } while (at < text.size());
      in.push_back(builder.finish());
    }
    TransformDriver transform(host_, *patchbay_plugin_v1(FakeHost::table()), "decode", config);
    return transform.run(schema, std::move(in));
  }
  Rows rows(const std::string& text, const std::string& config = "{}", size_t piece = 1 << 20) {
    return rows_as_json(decode({text}, config, piece));
  }
  std::string types(const std::string& text) {
    std::string out;
    for (const auto& batch : decode({text})) {
      out.clear();
      for (const auto& field : batch.schema()->fields)
        out += (out.empty() ? "" : " ") + field.name + ":" + type_name(field.type);
    }
    return out;
  }
  std::string failure(const std::string& text, const std::string& config = "{}") {
    try {
      decode({text}, config, 100);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      return error.what();
    }
    return "no failure";
  }
  Rows refusals() const {
    Rows out;
    for (const auto& one : host_.rejects)
      out.push_back(one.why.code + " " + one.why.position_json + " " + one.why.reason);
    return out;
  }

  FakeHost host_;
};

const char* const kArray = R"({"format": "array"})";

struct TextCase {
  const char* what;
  std::string text;
  Rows rows;
  std::string config = "{}";
};

const Rows kTwo{R"({"a":1})", R"({"a":2})"};

const TextCase kTexts[] = {
    {"lines", "{\"a\":1}\n{\"a\":2}\n", kTwo},
    {"no newline at the end", "{\"a\":1}\r\n\n  {\"a\":2}", kTwo},
    {"several objects on a line", "{\"a\":1}{\"a\":2}\n", kTwo},
    {"several objects with blanks", "{\"a\":1} {\"a\":2} \n", kTwo},
    {"a mark", "\xef\xbb\xbf{\"a\":1}\n{\"a\":2}\n", kTwo},
    {"braces in text",
     "{\"a\":\"}{\"}\n{\"a\":\"\\\"}{\"}\n",
     {R"({"a":"}{"})", R"({"a":"\"}{"})"}},
    {"a list", "[{\"a\":1},{\"a\":2}]", kTwo, kArray},
    {"a list over lines", " [ {\"a\"\n:1}\n ,\n{\"a\":2}\n]\n\n", kTwo, kArray},
    {"an empty list", "[ ]", {}, kArray},
    {"a list with brackets in text",
     "[{\"a\":\"]\\\\\"},{\"a\":\"\\\"}\"}]",
     {R"({"a":"]\\"})", R"({"a":"\"}"})"},
     kArray},
    {"objects where a list could be", "{\n\"a\":1}\n{\"a\":2}", kTwo, kArray},
    {"one object where a list could be", "{\n\"a\": 1\n}\n", {R"({"a":1})"}, kArray},
    {"a mark before a list", "\xef\xbb\xbf[{\"a\":1}]", {R"({"a":1})"}, kArray},
    {"nothing", "", {}},
    {"a document", R"({"x": {"r": [{"a":1},{"a":2}]}})", kTwo,
     R"({"format": "document", "records": "/x/r"})"},
    {"a document of one record", R"({"a":1})", {R"({"a":1})"}, R"({"format": "document"})"},
    {"a pointer with escapes and places",
     R"({"x/y": [0, {"~": [{"a":1}]}]})",
     {R"({"a":1})"},
     R"({"format": "document", "records": "/x~1y/1/~0"})"},
    {"exact numbers",
     R"({"i":9007199254740993,"u":18446744073709551615,"d":"0.10"})",
     {R"({"i":9007199254740993,"u":18446744073709551615,"d":"0.10"})"}},
    {"declared decimals",
     R"({"d":0.1234567890123456789})",
     {R"({"d":"0.1234567890123456789"})"},
     R"x({"schema": {"d": "decimal(38,19)"}})x"},
};

TEST_F(JsonFiles, ReadsTexts) {
  for (const auto& one : kTexts) {
    for (const size_t piece : {size_t{1} << 20, size_t{1}, size_t{3}}) {
      EXPECT_EQ(rows(one.text, one.config, piece), one.rows) << one.what << ", pieces of " << piece;
      EXPECT_THAT(refusals(), IsEmpty()) << one.what;
    }
  }
}

TEST_F(JsonFiles, GuessesTypes) {
  const std::pair<const char*, const char*> cases[] = {
      {"{\"x\":1}", "x:int64"},
      {"{\"x\":1}\n{\"x\":1.5}", "x:float64"},
      {"{\"x\":18446744073709551615}", "x:uint64"},
      {"{\"x\":-1}\n{\"x\":18446744073709551615}", "x:decimal128(20, 0)"},
      {"{\"x\":9007199254740993}\n{\"x\":1}\n{\"x\":1.5}", "x:arrow.json"},
      {"{\"x\":1.5}\n{\"x\":-9223372036854775808}", "x:arrow.json"},
      {"{\"x\":1.5}\n{\"x\":18446744073709551615}", "x:arrow.json"},
      {"{\"x\":9007199254740991}\n{\"x\":1.5}", "x:float64"},
      {"{\"x\":1}\n{\"x\":\"a\"}", "x:arrow.json"},
      {"{\"x\":null}", "x:utf8"},
      {"{\"x\":[1,null]}\n{\"y\":{\"z\":true}}", "x:list<int64> y:struct<z: bool>"},
      {"{\"x\":{}}", "x:arrow.json"},
      {"{\"x\":[]}", "x:list<utf8>"},
      {"{\"x\":[]}\n{\"x\":\"a\"}", "x:arrow.json"},
      {"{\"x\":[]}\n{\"x\":null}\n{\"x\":[[],[1]]}", "x:list<list<int64>>"},
      {"{\"x\":{\"y\":null}}\n{\"x\":{\"y\":1.5,\"z\":[]}}\n{\"x\":{}}",
       "x:struct<y: float64, z: list<utf8>>"},
      {"{\"x\":[{\"y\":null}]}\n{\"x\":[{\"y\":true}]}", "x:list<struct<y: bool>>"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(types(text), expected) << text;
}

TEST_F(JsonFiles, DeepNestingBecomesText) {
  std::string text = "1";
  for (int i = 0; i < 200; ++i) text = "{\"x\":" + text + "}";
  EXPECT_EQ(rows(text + "\n").size(), 1u);
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_THAT(rows("{\"x\":1}\n{\"x\":" + deep + "}\n"), ElementsAre(R"({"x":1})"));
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("\"line\":2")));
}

TEST_F(JsonFiles, RefusesRecordsWithFileAndLine) {
  EXPECT_THAT(rows("{\"a\":1}\n{\"a\":\"x\"}\n\n{\"a\":2\n7\n{\"a\":1,\"a\":2}\n{\"a\":\"\xff\"}\n"
                   "{\"a\":3} x\n{\"a\":4}\n",
                   R"({"schema": {"a": "int64"}})"),
              ElementsAre(R"({"a":1})", R"({"a":4})"));
  EXPECT_THAT(
      refusals(),
      ElementsAre(HasSubstr(R"(type {"file":"a.json","line":2,"record":2} a: expected int64)"),
                  HasSubstr(R"(syntax {"file":"a.json","line":4,"record":3} is no JSON)"),
                  HasSubstr(R"(syntax {"file":"a.json","line":5,"record":4} is no JSON)"),
                  HasSubstr(R"(duplicate {"file":"a.json","line":6,"record":5})"),
                  HasSubstr(R"(syntax {"file":"a.json","line":7,"record":6} is no JSON)"),
                  HasSubstr(R"(syntax {"file":"a.json","line":8,"record":7} is no JSON)")));
}

TEST_F(JsonFiles, ABrokenRecordOfAListIsRefusedAlone) {
  EXPECT_THAT(rows("[{\"a\":1},\n{\"a\":tru},\n7,{\"a\":2}]", kArray),
              ElementsAre(R"({"a":1})", R"({"a":2})"));
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("\"line\":2"), HasSubstr("\"line\":3")));
}

TEST_F(JsonFiles, FilesThatCantBeReadFail) {
  const std::tuple<std::string, const char*, const char*> cases[] = {
      {"{\"a\":1}\n{\"a\":", "{}", "a.json: line 2: the file is cut, its last record is no JSON"},
      {"[{\"a\":1},\n{\"a\":2", kArray, "a.json: line 2: the file is cut within the record"},
      {"[{\"a\":1},\n{\"a\":2}\n", kArray,
       "a.json: line 3: the file is cut: its list is never closed"},
      {"[", kArray, "the file is cut"},
      {"7", kArray, "a.json: line 1: should be a list of records"},
      {"[{\"a\":1} {\"a\":2}]", kArray, "a comma is missing"},
      {"[{\"a\":1},,{\"a\":2}]", kArray, "a record is missing"},
      {"[{\"a\":1}] x", kArray, "there is more behind the end"},
      {"[{\"a\":\"" + std::string(3000, 'x') + "\"}]",
       R"({"format": "array", "max_record_bytes": 2000})", "a record of more than 2000 bytes"},
      {"\n{\"a\":\"" + std::string(3000, 'x'), R"({"max_record_bytes": 2000})",
       "a.json: line 2: a record of more than 2000 bytes"},
      {"{\"x\": [", R"({"format": "document", "records": "/x"})", "a.json: is no JSON, or is cut"},
      {"{\"x\": 1}", R"({"format": "document", "records": "/y"})", "a.json: y: missing"},
      {std::string("\xff\xfe{\0", 4), "{}", "is UTF-16, and JSON is UTF-8"},
  };
  for (const auto& [text, config, message] : cases)
    EXPECT_THAT(failure(text, config), HasSubstr(message));
}

TEST_F(JsonFiles, ALongListIsReadInBoundedPieces) {
  std::string text = "[";
  for (int i = 0; i < 200'000; ++i)
    text += (i > 0 ? ",\n" : "\n") + std::string("{\"id\":") + std::to_string(i) + "}";
  const auto batches = decode({text + "]"}, kArray, 1 << 18);
  EXPECT_EQ(count_rows(batches), 200'000);
  EXPECT_GT(batches.size(), 5u);
}

TEST_F(JsonFiles, NewFieldsGoByThePolicyAndKeepEveryRow) {
  host_.on_schema_change = BAY_CHANGE_EVOLVE;
  const std::string first = "{\"a\":1}\n";
  EXPECT_THAT(rows_as_json(decode({first, "{\"a\":2,\"b\":[1]} x\n{\"a\":3,\"b\":[2]}\n"})),
              ElementsAre(R"({"a":1})", R"({"a":3,"b":[2]})"));
  EXPECT_EQ(host_.rejects.size(), 1u);
}

TEST_F(JsonFiles, ANameWithANulRefusesItsRecordAndIsNotCut) {
  EXPECT_THAT(rows("{\"a\\u0000b\":1,\"c\":2}\n{\"a\":5,\"c\":3}\n{\"c\":4,\"a\\u0000\":7}\n"),
              ElementsAre(R"({"c":3,"a":5})"));
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("NUL character"), HasSubstr("NUL character")));
}

TEST_F(JsonFiles, RecordsWithoutFieldsAreNotLost) {
  EXPECT_THAT(rows("{}\n{}\n"), IsEmpty());
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("has no field"), HasSubstr("has no field")));
}

TEST_F(JsonFiles, WhatWasWrittenReadsBackTheSame) {
  std::mt19937 random(3);
  Schema schema{"s",
                {{"i", scalar(TypeId::kInt64), true},
                 {"t", scalar(TypeId::kUtf8), true},
                 {"m", decimal(15, 2), true},
                 {"l", list_of(scalar(TypeId::kUtf8)), true}},
                {}};
  BatchBuilder batch(std::make_shared<const Schema>(schema));
  const char* parts[] = {"a", "\"", "\n", "\\", "}{", "\xc3\xa9", "\x01", "[", "]", ","};
  const auto text = [&] {
    std::string out;
    for (size_t n = random() % 6; n > 0; --n) out += parts[random() % std::size(parts)];
    return out;
  };
  for (int row = 0; row < 500; ++row) {
    batch.column<Int64Builder>(0).append(static_cast<int64_t>(random()) << (random() % 32));
    batch.column<Utf8Builder>(1).append(text());
    batch.column<DecimalBuilder>(2).append(static_cast<int64_t>(random()) - (1ll << 31));
    auto& list = batch.column<ListBuilder>(3);
    list.append();
    for (size_t n = random() % 3; n > 0; --n) list.item<Utf8Builder>().append(text());
  }
  std::vector<Batch> batches;
  batches.push_back(batch.finish());
  const SchemaPtr in = batches[0].schema();
  const Rows before = rows_as_json(batches);
  for (const std::string format : {"lines", "array"}) {
    Json::Value config = parse_json(R"({"key": "{stream}", "part_rows": 0, "part_bytes": 0})");
    config["format"] = format;
    TransformDriver encode(host_, *patchbay_plugin_v1(FakeHost::table()), "encode", config);
    std::vector<Batch> copy;
    copy.push_back(batches[0].slice(0, 500));
    std::string file;
    for (const auto& one : encode.run(in, std::move(copy))) {
      const ObjectView view(one);
      for (int64_t row = 0; row < view.rows(); ++row) file += view[row].data;
    }
    const std::string decoding =
        "{\"format\": \"" + format + "\"," +
        R"x("schema": {"i": "int64", "t": "utf8", "m": "decimal(15,2)", "l": "list<utf8>"}})x";
    for (const size_t piece : {size_t{1} << 20, size_t{5}}) {
      std::vector<std::string> after = rows(file, decoding, piece);
      ASSERT_EQ(after.size(), before.size());
      for (size_t i = 0; i < after.size(); ++i)
        EXPECT_EQ(parse_json(after[i]), parse_json(before[i]));
    }
  }
}

}  // namespace
}  // namespace patchbay::test
