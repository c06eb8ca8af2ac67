#include "patchbay/bq_reference.h"

#include <gmock/gmock.h>

#include "patchbay/bq_types.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

BqReference reference() {
  BqReference out;
  out.place = {"https://bq", "p", "", "EU"};
  out.http.allow_http = true;
  out.http.ca_file = "ca.pem";
  out.http.proxy = "http://proxy";
  out.query = "SELECT 1 AS n";
  out.fields = parse_json(R"([{"name": "n", "type": "BIGNUMERIC"}])");
  return out;
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    return error.what();
  }
  return "";
}

TEST(BqReference, ComesBackAsItWas) {
  const Schema schema = schema_of_reference("s", reference());
  EXPECT_EQ(schema.fields, schema_of_table("s", reference().fields).fields);
  const BqReference back = reference_of(schema);
  EXPECT_EQ(std::tie(back.place.endpoint, back.place.project, back.place.location, back.query),
            std::make_tuple("https://bq", "p", "EU", "SELECT 1 AS n"));
  EXPECT_EQ(std::tie(back.http.allow_http, back.http.ca_file, back.http.proxy),
            std::make_tuple(true, "ca.pem", "http://proxy"));
  EXPECT_EQ(back.fields, reference().fields);
}

TEST(BqReference, RowsAndOtherSystemsAreRefused) {
  EXPECT_THAT(refusal([] { reference_of({"s", {}, {}}); }), testing::HasSubstr("stream s: sends"));
  EXPECT_THAT(refusal([] { reference_of({"s", {}, {}, R"({"system": "spark"})"}); }),
              testing::HasSubstr("stream s: sends"));
}

TEST(BqReference, OneQueryWorksInOnePlace) {
  const BqPlace here{"https://bq", "p", "d", "EU"};
  EXPECT_EQ(refusal([&] { require_same_server("stream s", here, {"https://bq", "q", "e", "EU"}); }),
            "");
  EXPECT_EQ(
      refusal([&] { require_same_server("stream s", here, {"https://other", "p", "d", "EU"}); }),
      "stream s: is at endpoint https://bq, and not at https://other, where the other tables "
      "are; one query works in one place");
  EXPECT_THAT(
      refusal([&] { require_same_server("stream s", here, {"https://bq", "p", "d", "US"}); }),
      testing::HasSubstr("location EU, and not at US"));
}

}  // namespace
}  // namespace patchbay
