#include "patchbay/json_text.h"
#include "patchbay/json_rows.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "every_type.h"

namespace patchbay {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonText, StringsAreEscaped) {
  using namespace std::string_view_literals;
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
  EXPECT_EQ(json_string("\0\x1f"sv), R"("\u0000\u001f")");
  EXPECT_EQ(json_string("h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

TEST(JsonText, BytesThatAreNoUtf8AreReplaced) {
  for (const char* text : {"\xff", "\x80", "\xc0", "\xe2\x82", "\xed\xa0", "\xf5"}) {
    EXPECT_EQ(json_string(text).find("\"\xef\xbf\xbd"), 0u);
    EXPECT_EQ(json_string(text).find(text), std::string::npos);
  }
}

// Eight bytes are looked at together: what needs escaping is seen wherever it stands among them.
TEST(JsonText, EscapesAreSeenAtEveryPlace) {
  for (int byte = 0; byte < 128; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    const std::string inner = json_string(one).substr(1, json_string(one).size() - 2);
    EXPECT_EQ(inner == one, byte >= 0x20 && byte != '"' && byte != '\\') << byte;
    for (size_t before = 0; before < 17; ++before) {
      const std::string head(before, '!'), tail(17 - before, '\x7f');
      EXPECT_EQ(json_string(head + one + tail), '"' + head + inner + tail + '"') << byte;
    }
  }
}

// Room is made for the text as it stands, and again for each escape, which takes up to six times as
// much.
TEST(JsonText, LongTextsOfNothingButEscapesAreWhole) {
  std::string expected = "\"";
  for (int i = 0; i < 5000; ++i) expected += "\\u0001\xc3\xa9\xef\xbf\xbd.";
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "\x01\xc3\xa9\xff.";
  EXPECT_EQ(json_string(text), expected + '"');
}

TEST(JsonText, FloatsReadBack) {
  const auto text = [](auto value) {
    std::string out;
    append_json_double(out, value);
    return out;
  };
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(0.1f), "0.1");
  EXPECT_EQ(text(-0.0), "-0");
  EXPECT_EQ(std::strtod(text(5e-324).c_str(), nullptr), 5e-324);
  EXPECT_EQ(text(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "\"-Infinity\"");
}

TEST(JsonText, Base64IsPadded) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
  for (const std::string bytes : {"", "f", "fo", "foo", "foobar", "\xff\xfe\xfd"})
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
  for (const char* text : {"Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Z g=", "Zm9v\n"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

TEST(JsonText, ARowOfEveryTypeIsWrittenInFull) {
  EXPECT_EQ(
      as_json(rows_of_every_type(5))[4],
      R"x({"bool":true,"int8":-96,"int16":-996,"int32":null,"int64":-9999999996,"uint8":104,)x"
      R"x("uint16":60004,"uint32":4000000004,"uint64":18446744073709551611,"float32":2,)x"
      R"x("float64":null,"decimal128(12, 3)":"-12.341","utf8":"text","binary":"AP+A",)x"
      R"x("date32":"1969-12-16","time64[us]":"00:00:04.000012",)x"
      R"x("timestamp[us]":"1970-01-05T00:00:00.000004","timestamp[us, Europe/Berlin]":null,)x"
      R"x("list<utf8>":[],"struct<id: int64, flags: list<bool>>":{"id":40,"flags":[false]},)x"
      R"x("list<struct<a: int32>>":[{"a":4}],"arrow.json":{"a":[1,null]}})x");
}

TEST(JsonText, StylesLeaveNullsOutAndQuoteJson) {
  const Batch batch = rows_of_every_type(5);
  std::string out;
  JsonRows(*batch.schema(), batch.array(), {true, true}).append(out, 4);
  EXPECT_EQ(out.find("null,"), std::string::npos);
  EXPECT_NE(out.find(R"("arrow.json":"{\"a\":[1,null]}")"), std::string::npos);
}

// A line break inside a JSON value is insignificant, but would break a file of one record a line.
TEST(JsonText, AJsonValueStaysOnOneLine) {
  BatchBuilder builder(std::make_shared<Schema>(Schema{"s", {{"j", json_text(), true}}, {}}));
  builder.column<Utf8Builder>(0).append("{\n \"a\": 1\r\n}");
  EXPECT_EQ(as_json(builder.finish())[0], R"({"j":{  "a": 1  }})");
}

}  // namespace
}  // namespace patchbay
