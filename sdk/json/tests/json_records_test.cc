// Records into batches: what fits, what is refused and why, what is new.
#include "patchbay/json_records.h"

#include <gmock/gmock.h>

#include "patchbay/testing/component_driver.h"

namespace patchbay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct JsonRecordsTest : testing::Test {
  JsonRecords& records(const std::string& fields) {
    made = std::make_unique<JsonRecords>(
        Schema{"s", parse_type("struct<" + fields + ">").fields, {}}, nullptr);
    return *made;
  }
  // The rows of a text as JSON.
  std::vector<std::string> rows(const std::string& text, const RecordsAt& at = {{}, true}) {
    Call call(test::FakeHost::table(), fake.raw());
    if (const auto why = made->parse(call, text, at, "a.json"))
      throw Error(Code::kData, "no JSON: " + *why);
    return test::rows_as_json(made->take(true));
  }
  std::vector<std::string> reasons() const {
    std::vector<std::string> out;
    for (const auto& one : host.rejects) out.push_back(one.why.reason);
    return out;
  }
  std::string failure(const std::string& text, const RecordsAt& at) {
    try {
      rows(text, at);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      return error.what();
    }
    return "no failure";
  }

  test::FakeHost host;
  test::FakeCall fake{host};
  std::unique_ptr<JsonRecords> made;
};

TEST_F(JsonRecordsTest, EveryTypeIsRead) {
  records(
      "b: bool, i: int8, u: uint64, f: float64, d: decimal128(20, 3), t: utf8, y: binary, day: "
      "date32, "
      "c: time64[us], ts: timestamp[us, UTC], l: list<list<int64>>, s: struct<x: int64, y: utf8>, "
      "j: arrow.json");
  EXPECT_THAT(
      rows(
          R"({"b":false,"i":-128,"u":18446744073709551615,"f":1,"d":0.125,"t":"\u00e4\ud83d\ude00","y":"abc",)"
          R"("day":"2024-02-29","c":"01:02:03.5","ts":"2024-02-29T01:02:03+01:00","l":[[1],[],null],)"
          R"("s":{"y":"q","x":2},"j":[ {"a" :null}]})"
          "\n{}"),
      ElementsAre(
          R"({"b":false,"i":-128,"u":18446744073709551615,"f":1,"d":"0.125","t":"ä😀","y":"YWJj",)"
          R"("day":"2024-02-29","c":"01:02:03.500000","ts":"2024-02-29T00:02:03Z","l":[[1],[],null],)"
          R"("s":{"x":2,"y":"q"},"j":[ {"a" :null}]})",
          R"({"b":null,"i":null,"u":null,"f":null,"d":null,"t":null,"y":null,"day":null,"c":null,"ts":null,)"
          R"("l":null,"s":null,"j":null})"));
}

TEST_F(JsonRecordsTest, AMisfitNamesPathExpectedAndFoundAndNoValue) {
  const struct {
    const char *fields, *record, *reason;
  } kCases[] = {
      {"a: int64", R"({"a":"7"})", "a: expected int64, found utf8"},
      {"a: int64", R"({"a":1.5})", "a: expected int64, found float64"},
      {"a: int64", R"({"a":9223372036854775808})", "a: out of the range of int64"},
      {"a: int8", R"({"a":128})", "a: out of the range of int8"},
      {"a: uint8", R"({"a":-1})", "a: out of the range of uint8"},
      {"a: bool", R"({"a":1})", "a: expected bool, found int64"},
      {"a: utf8", R"({"a":{"b":1}})", "a: expected utf8, found struct"},
      {"a: utf8", R"({"a":"\ud800"})", "a: has half a character"},
      {"a: date32", R"({"a":"PHI-soon"})", "a: expected date32, found utf8 that is none"},
      {"a: struct<b: list<int64>>", R"({"a":{"b":[1,true]}})", "a.b[]: expected int64, found bool"},
      {"a: list<struct<b: int64>>", R"({"a":[{"b":[]}]})", "a[].b: expected int64, found list"},
      {"a: int64", R"({"a":1,"a":2})", "a: stands twice in one object"},
      {"a: int64", "[1]", "record: expected struct, found list"},
      {"a: int64", "7", "is no JSON: "},
  };
  for (const auto& c : kCases) {
    records(c.fields);
    host.rejects.clear();
    EXPECT_THAT(rows(c.record), ElementsAre()) << c.record;
    ASSERT_EQ(host.rejects.size(), 1u) << c.record;
    EXPECT_THAT(host.rejects[0].why.reason, HasSubstr(c.reason));
    EXPECT_EQ(host.rejects[0].why.position_json, R"({"record":1})");
  }
}

TEST_F(JsonRecordsTest, ALineThatIsNoJsonCostsItselfAndIsOneReject) {
  for (const char* line : {R"({"a":2,"b":nul})", R"({"a":2,"b":"x")", R"({"a":2,"b":"x"}})",
                           R"({"a":2,"b":"x"} {"a":3})", R"({"a":2 "b":"x"})", "nonsense",
                           R"({"a":"x"} 7)", R"({"a":2,"b":"\ud800"})"}) {
    records("a: int64, b: utf8");
    host.rejects.clear();
    EXPECT_THAT(rows("{\"a\":1,\"b\":\"v\"}\n" + std::string(line) + "\n\n{\"b\":\"w\",\"a\":4}\n"),
                ElementsAre(R"({"a":1,"b":"v"})", R"({"a":4,"b":"w"})"))
        << line;
    EXPECT_EQ(host.rejects.size(), 1u) << line;
    EXPECT_EQ(made->records(), 3) << line;
  }
}

TEST_F(JsonRecordsTest, ABrokenValueInsideAJsonColumnIsBrokenJson) {
  records("a: int64, j: arrow.json");
  EXPECT_THAT(rows(R"({"a":1,"j":{"k":nul}})"
                   "\n"
                   R"({"a":2,"j":{"k":null}})"),
              ElementsAre(R"({"a":2,"j":{"k":null}})"));
  EXPECT_EQ(host.rejects.size(), 1u);
}

TEST_F(JsonRecordsTest, NamesAreFoundHoweverTheyAreWritten) {
  const std::string longest(100, 'n');
  records("a: int64, b: int64, " + longest + ": int64");
  EXPECT_THAT(rows(R"({"\u0061":1,"b":2,")" + longest + R"(":3})"),
              ElementsAre(R"({"a":1,"b":2,")" + longest + R"(":3})"));
  records("a: int64, ab: int64");
  EXPECT_THAT(rows(R"({"ab":2,"a":1})"), ElementsAre(R"({"a":1,"ab":2})"));
}

TEST_F(JsonRecordsTest, RecordsAreFoundInsideADocument) {
  records("a: int64");
  const std::string text = R"({"meta":{"a":9},"result":{"rows":[{"a":1},{"a":2}]}})";
  EXPECT_THAT(rows(text, {{"result", "rows"}, false}), ElementsAre(R"({"a":1})", R"({"a":2})"));
  EXPECT_THAT(rows(text, {{"meta"}, false}), ElementsAre(R"({"a":9})"));
  EXPECT_EQ(failure(text, {{"result", "row"}, false}), "a.json: result.row: missing");
  EXPECT_EQ(failure(text, {{"meta", "a", "b"}, false}), "a.json: meta.a.b: missing");
  EXPECT_EQ(failure(text, {{"meta", "a"}, false}), "a.json: meta.a: must be a list of records");
}

TEST_F(JsonRecordsTest, OfADocumentThatIsCutNothingIsTaken) {
  records("a: int64");
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  for (const char* text :
       {R"([{"a":1})", "[] []", "", "{", "<html>", R"([{"a":1},{"a":nul}])",
        R"([{"a":"x"},{"a":1},{"b":1},{"a":2})", R"([{"a":1},{"c":{"d":nul}}])"}) {
    EXPECT_THAT(failure(text, {}), HasSubstr("no JSON: ")) << text;
    EXPECT_THAT(made->take(true), ElementsAre()) << text;
    EXPECT_EQ(made->records(), 0) << text;
  }
  for (const char* text :
       {R"({"rows":[{"a":1}])", R"({"rows":[{"a":1}]} 7)", R"({"rows":[{"a":1}],"meta":{"count":1)",
        R"({"rows":[{"a":1}],"meta":})"})
    EXPECT_THAT(failure(text, {{"rows"}, false}), HasSubstr("no JSON: ")) << text;
  EXPECT_THAT(host.rejects, ElementsAre());
  EXPECT_THAT(rows(R"({"rows":[{"a":1}],"meta":{"count":1}})", {{"rows"}, false}),
              ElementsAre(R"({"a":1,"b":null,"c":null})"));  // new fields are known from then on
}

TEST_F(JsonRecordsTest, RowsBeforeABrokenDocumentStay) {
  records("a: int64");
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  Call call(test::FakeHost::table(), fake.raw());
  EXPECT_EQ(made->parse(call, R"([{"a":1},{"a":2}])", {}, "a.json"), std::nullopt);
  EXPECT_NE(made->parse(call, R"([{"a":3},{"b":4},{"a":5)", {}, "b.json"), std::nullopt);
  EXPECT_EQ(made->parse(call, R"([{"a":6}])", {}, "c.json"), std::nullopt);
  EXPECT_THAT(test::rows_as_json(made->take(true)),
              ElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":6,"b":null})"));
}

TEST_F(JsonRecordsTest, AnUnknownFieldGoesByThePolicyAndIsAskedForOnce) {
  const std::string text =
      "{\"a\":1}\n{\"a\":2,\"n\":null}\n{\"a\":3,\"n\":\"x\"}\n{\"a\":4,\"n\":\"y\"}";
  records("a: int64");
  host.on_schema_change = BAY_CHANGE_IGNORE;
  EXPECT_EQ(rows(text).size(), 4u);
  records("a: int64");
  host.on_schema_change = BAY_CHANGE_REJECT;
  EXPECT_EQ(rows(text).size(), 2u);
  EXPECT_THAT(reasons(),
              ElementsAre("n: unknown field of type utf8", "n: unknown field of type utf8"));
  records("a: int64");
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  EXPECT_THAT(rows(text),
              ElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":3,"n":"x"})", R"({"a":4,"n":"y"})"));
  EXPECT_EQ(host.asked_changes.size(), 3u);
  records("a: int64");
  host.on_schema_change = BAY_CHANGE_FAIL;
  EXPECT_THROW(rows(text), Error);
}

TEST_F(JsonRecordsTest, NewFieldsGrowInsideStructsAndLists) {
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  records("s: struct<x: int64>, l: list<struct<y: int64>>");
  EXPECT_THAT(
      rows(R"({"s":{"x":1,"n":1.5},"l":[{"y":1},{"m":{"k":[]}}]})"),
      ElementsAre(R"({"s":{"x":1,"n":1.5},"l":[{"y":1,"m":null},{"y":null,"m":{"k":[]}}]})"));
  EXPECT_EQ(type_name(struct_of(made->schema()->fields)),
            "struct<s: struct<x: int64, n: float64>, l: list<struct<y: int64, m: arrow.json>>>");
}

TEST_F(JsonRecordsTest, ManyNewFieldsOfOneRecordAreReadOnceMore) {
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  records("a: int64");
  std::string record = R"({"a":1)";
  for (int i = 0; i < 300; ++i)
    record += ",\"field_" + std::to_string(i) + R"(":"some text, as long as it goes")";
  record += "}";
  for (const RecordsAt& at : {RecordsAt{{}, true}, RecordsAt{{}, false}}) {
    records("a: int64");
    EXPECT_THAT(rows(record, at), ElementsAre(record));
  }
}

TEST_F(JsonRecordsTest, ARecordThatIsRefusedGrowsTheSchemaOnce) {
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  records("a: int64");
  EXPECT_THAT(rows("{\"a\":1}\n{\"n\":2,\"n\":3}\n{\"n\":4,\"a\":\"x\"}\n{\"a\":5,\"n\":6}"),
              ElementsAre(R"({"a":1})", R"({"a":5,"n":6})"));
  EXPECT_THAT(reasons(),
              ElementsAre("n: stands twice in one object", "a: expected int64, found utf8"));
}

TEST_F(JsonRecordsTest, ANewFieldThatCannotBeNamedCostsItsRowNotItsValue) {
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  records("a: int64");
  EXPECT_THAT(rows("{\"a\":1,\"x.y\":2}\n{\"a\":3}"), ElementsAre(R"({"a":3})"));
  EXPECT_THAT(reasons(), ElementsAre(HasSubstr("x.y: new field whose name has a dot")));
  records("s: struct<x: struct<z: int64>>");
  EXPECT_THAT(rows(R"({"s":{"x.y":1}})"), ElementsAre());
  EXPECT_THAT(reasons().back(), HasSubstr("s.x.y: new field whose name has a dot"));
}

TEST(IntegerMember, IsFoundInWhatElseIsBroken) {
  const std::string deep = std::string(2000, '[') + std::string(2000, ']');
  for (const std::string& text :
       {std::string(R"({"n":7})"), std::string(R"({"x":NaN,"n":7})"),
        R"({"x":)" + deep + R"(,"n":7})", std::string(R"({"x":1e999,"n":7.0})"),
        std::string(R"({"x":"\ud800","n":7})")})
    EXPECT_EQ(integer_member(text, "n"), 7) << text;
  EXPECT_EQ(integer_member(R"({"n":9223372036854775807})", "n"), INT64_MAX);
  for (const char* text :
       {R"({"n":"7"})", R"({"n":7.5})", R"({"n":null})", R"({"m":7})", "[7]", "7", "",
        R"({"n":9223372036854775808})", R"({"n":1e300})", R"({"n":1e999})"})
    EXPECT_EQ(integer_member(text, "n"), std::nullopt) << text;
}

TEST(IsJson, WholeDocumentsOnly) {
  for (const char* text : {"{}", "[1,2]", " {\"a\":\"\\u00e4\"}\n"})
    EXPECT_TRUE(is_json(text)) << text;
  for (const char* text : {"", "{", "[1,2", "{} {}", "<html>", "{\"a\":1,}", "\xff"})
    EXPECT_FALSE(is_json(text)) << text;
}

}  // namespace
}  // namespace patchbay
