// Names, and each step on rows.
#include <gmock/gmock.h>

#include "field_names.h"
#include "patchbay/json_value.h"
#include "patchbay/testing/component_driver.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FieldNames, CamelKeepsTheFirstWordAndTitlesTheRest) {
  const struct {
    const char *name, *camel;
  } kCases[] = {{"survey_response_id", "surveyResponseId"},
                {"custom_data_01", "customData01"},
                {"phone_1", "phone1"},
                {"client_ID", "clientId"},
                {"x_3d_y", "x3DY"},
                {"_x", "X"},
                {"a__b", "aB"},
                {"a_", "a"},
                {"x_the-key", "xThe-Key"},
                {"already", "already"},
                {"", ""},
                {"größe_über", "größeüber"}};
  for (const auto& c : kCases) EXPECT_EQ(camel_case(c.name), c.camel) << c.name;
}

TEST(FieldNames, SnakePutsAnUnderscoreBeforeEachWord) {
  const struct {
    const char *name, *snake;
  } kCases[] = {{"InvoiceNo", "invoice_no"},
                {"HTTPStatus", "http_status"},
                {"UnitPrice2", "unit_price2"},
                {"v2Name", "v2_name"},
                {"Body Mass (g)", "body_mass_(g)"},
                {"a.b-c", "a_b_c"},
                {"ID", "id"},
                {"already_so", "already_so"}};
  for (const auto& c : kCases) EXPECT_EQ(snake_case(c.name), c.snake) << c.name;
  EXPECT_EQ(lower_case("InvoiceNo Ä"), "invoiceno Ä");
}

Schema stream(const std::string& fields, std::vector<std::string> keys = {}) {
  return {"s", parse_type("struct<" + fields + ">").fields, std::move(keys)};
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    return error.what();
  }
  return "no error";
}

TEST(FieldNames, KeysAndNestedNamesAreRespelledToo) {
  const Schema out = respell(
      stream("who_is: struct<first_name: list<struct<a_b: int64>>>", {"who_is"}), camel_case);
  EXPECT_EQ(type_name(struct_of(out.fields)),
            "struct<whoIs: struct<firstName: list<struct<aB: int64>>>>");
  EXPECT_THAT(out.keys, ElementsAre("whoIs"));
}

TEST(FieldNames, TwoThatBecomeOneAreNamed) {
  EXPECT_EQ(
      error_of([] { respell(stream("phone1: utf8, phone_1: utf8"), camel_case); }),
      "rename: phone1 and phone_1 both become phone1; drop one of them, or rename them one by "
      "one");
  EXPECT_THAT(error_of([] { respell(stream("l: list<struct<a: utf8, A: utf8>>"), lower_case); }),
              HasSubstr("rename: l[].a and l[].A both become l[].a"));
  EXPECT_THAT(error_of([] { rename(stream("a: utf8, b: utf8"), {{"a", "b"}}); }),
              HasSubstr("rename: a and b both become b"));
  EXPECT_EQ(error_of([] { rename(stream("name: utf8"), {{"nmae", "b"}}); }),
            "rename: stream s has no field nmae, did you mean name?");
  EXPECT_EQ(rename(stream("a: utf8, b: utf8"), {{"a", "b"}, {"b", "a"}}).fields[0].name, "b");
}

struct FieldsTest : testing::Test {
  // Rows of {id int64, text utf8, when utf8} through the transform, as JSON.
  std::vector<std::string> run(const std::string& config, bool sliced = false) {
    test::TransformDriver fields(host, *patchbay_plugin_v1(test::FakeHost::table()), "fields",
                                 parse_json(config));
    const auto schema =
        std::make_shared<Schema>(stream("id: int64, text: utf8, when: utf8", {"id"}));
    BatchBuilder batch(schema);
    const std::vector<std::array<const char*, 2>> rows{
        {"add - Ann - late", "2026-01-31"}, {"drop", "31.1."}, {nullptr, nullptr}};
    for (size_t i = 0; i < rows.size(); ++i) {
      batch.column<Int64Builder>(0).append(static_cast<int64_t>(i) + 1);
      for (size_t column : {0u, 1u}) {
        if (rows[i][column]) {
          batch.column<Utf8Builder>(column + 1).append(rows[i][column]);
        } else {
          batch.column(column + 1).append_null();
        }
      }
    }
    std::vector<Batch> in;
    in.push_back(batch.finish());
    if (sliced) in[0] = in[0].slice(1, 2);
    auto out = fields.run(schema, std::move(in));
    if (!out.empty()) out_schema = out[0].schema();
    return test::rows_as_json(out);
  }
  std::string failure(const std::string& config) {
    return error_of([&] { run(config); });
  }

  test::FakeHost host;
  SchemaPtr out_schema;
};

TEST_F(FieldsTest, SplitGivesTheRestToTheLastPart) {
  EXPECT_THAT(
      run(R"({"split":{"text":{"by":" - ","into":["what","who"]}},"keep":["id","what","who"]})"),
      ElementsAre(R"({"id":1,"what":"add","who":"Ann - late"})",
                  R"({"id":2,"what":"drop","who":null})", R"({"id":3,"what":null,"who":null})"));
}

TEST_F(FieldsTest, SetGivesEveryRowOneValueOfItsType) {
  EXPECT_THAT(
      run(R"({"set":{"a":"x","b":7,"c":1.5,"d":true,"e":null,"text":"over"},"drop":["when"]})")[2],
      R"({"id":3,"text":"over","a":"x","b":7,"c":1.5,"d":true,"e":null})");
  EXPECT_EQ(type_name(out_schema->fields[3].type), "int64");
}

TEST_F(FieldsTest, ACastThatFailsCostsItsRowAlone) {
  for (const bool sliced : {false, true}) {
    host.rejects.clear();
    const auto rows = run(R"({"cast":{"when":"date32","id":"utf8"},"keep":["id","when"]})", sliced);
    EXPECT_EQ(rows.back(), R"({"id":"3","when":null})");
    EXPECT_EQ(rows.size(), sliced ? 1u : 2u);
    ASSERT_EQ(host.rejects.size(), 1u);
    EXPECT_EQ(host.rejects[0].why.reason, "when: a utf8 that is no date32");
    EXPECT_EQ(host.rejects[0].why.code, "cast");
    EXPECT_EQ(host.rejects[0].count, 1);
  }
}

TEST_F(FieldsTest, ARowThatFailsTwoCastsIsOneReject) {
  EXPECT_THAT(run(R"({"cast":{"when":"date32","text":"int64"}})"),
              ElementsAre(R"({"id":3,"text":null,"when":null})"));
  EXPECT_EQ(host.rows_rejected, 2);
}

TEST_F(FieldsTest, StepsRunInTheirOrderWhateverTheOrderInTheFile) {
  EXPECT_THAT(
      run(R"({"rename":{"y":"z"},"drop":["text"],"keep":["text","y"],"cast":{"y":"int64"},"set":{"y":"5"}})")
          [0],
      R"({"z":5})");
}

TEST_F(FieldsTest, KeysFollowAndVanishWithTheirColumn) {
  run(R"({"rename":{"id":"nr"}})");
  EXPECT_THAT(out_schema->keys, ElementsAre("nr"));
  run(R"({"drop":["id"]})");
  EXPECT_THAT(out_schema->keys, ElementsAre());
}

TEST_F(FieldsTest, MistakesNameTheOptionAndTheNearestField) {
  const struct {
    const char *config, *message;
  } kCases[] = {
      {R"({"keep":["idd"]})", "keep: stream s has no field idd, did you mean id?"},
      {R"({"drop":["texd"]})", "drop: stream s has no field texd, did you mean text?"},
      {R"({"cast":{"wen":"int64"}})", "cast: stream s has no field wen, did you mean when?"},
      {R"({"cast":{"id":"list<int64>"}})", "cast.id: must be a scalar type"},
      {R"({"cast":{"id":"itn64"}})", "cast.id: "},
      {R"({"split":{"id":{"by":",","into":["a"]}}})", "split.id: is int64, not text"},
      {R"({"keep":["id"],"drop":["text"]})", "drop: stream s has no field text"},
      {R"({"set":{"ID":1},"rename":"lower"})", "rename: id and ID both become id"},
  };
  for (const auto& c : kCases) EXPECT_THAT(failure(c.config), HasSubstr(c.message)) << c.config;
}

}  // namespace
}  // namespace patchbay
