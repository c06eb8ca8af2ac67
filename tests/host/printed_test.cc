// Foreign text cannot control a terminal, nor end a line.
#include "report/printed.h"

#include <gtest/gtest.h>

#include "report/json_text.h"
#include "report/redactor.h"
#include "report/table.h"

namespace patchbay::host {
namespace {

TEST(Printed, ControlCharactersOfForeignTextAreVisible) {
  const struct {
    std::string foreign, shown;
  } kCases[] = {
      {"plain ä € 😀", "plain ä € 😀"},
      {"a\nb\r\tc", "a\\nb\\r\\tc"},
      {std::string("\0\x1b[31m\x7f", 7), "\\x00\\x1b[31m\\x7f"},
      {"\xc2\x85\xc2\x9b", "\\u0085\\u009b"},
      {"\xe2\x80\xae"
       "gpj\xe2\x80\xac",
       "\\u202egpj\\u202c"},
      {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069"},
      {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
      {"\xff"
       "a\xc3(\xed\xa0\x80",
       "\\xffa\\xc3(\\xed\\xa0\\x80"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(one_line(c.foreign), c.shown);
    EXPECT_EQ(Printed(c.foreign).text(), c.shown);
    EXPECT_EQ(Printed(std::string_view(c.foreign)).text(), c.shown);
    EXPECT_EQ(one_line(c.shown), c.shown);
  }
  EXPECT_EQ(safe_lines("a\nb\x1b"), "a\nb\\x1b");
}

TEST(Printed, LiteralsAreOfThisProgramAndNothingElseIs) {
  const std::string name = "x\nforged: ok";
  const char* words = name.c_str();
  EXPECT_EQ(Printed(name, ": ok\n", words, "\n").text(), "x\\nforged: ok: ok\nx\\nforged: ok\n");
  EXPECT_EQ(Printed::painted("31", Printed("a\x1b[0m" + name)).text(),
            "\033[31ma\\x1b[0mx\\nforged: ok\033[0m");
  EXPECT_EQ(Printed().add(Printed::lines("one\ntwo\x1b"), "\n").text(), "one\ntwo\\x1b\n");
}

TEST(Printed, CellsOfTablesToo) {
  Table table({"na\x1bme", "n"});
  table.add({"b\x1b[31m\nforged", "1"});
  EXPECT_EQ(table.text({}).text(), "na\\x1bme           n\nb\\x1b[31m\\nforged  1\n");
}

TEST(Printed, JsonSaysTheSameWithoutControlCharacters) {
  Json::Value value;
  value["a"] = "\x1b\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8 ä";
  const std::string text = safe_json(compact_json(value));
  EXPECT_EQ(text, R"({"a":"\u001b\u007f\u009b\u202e\u2028 ä"})");
  EXPECT_EQ(parse_json_text(text), value);
  EXPECT_EQ(safe_json("\"\xff\""), "\"\\ufffd\"");
}

TEST(Printed, SecretsAreFoundInTheirVisibleForm) {
  Redactor redactor;
  redactor.learn(
      "se\x1b"
      "cret\nkey");
  EXPECT_EQ(redactor.redact(Printed("it is ",
                                    std::string("se\x1b"
                                                "cret\nkey"),
                                    "\n")
                                .text()),
            "it is ***\n");
}

}  // namespace
}  // namespace patchbay::host
