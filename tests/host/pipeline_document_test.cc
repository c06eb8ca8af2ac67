// YAML and JSON text into values with positions, hostile text included.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "patchbay/error.h"
#include "pipeline/document.h"
#include "report/json_text.h"
#include "temporary_folder.h"

namespace patchbay::host {
namespace {

std::string fault_of(const std::string& text) {
  try {
    parse_document("f", text);
  } catch (const Faults& faults) {
    return faults.what();
  }
  return "";
}

std::string repeat(const std::string& text, size_t n) {
  std::string out;
  out.reserve(text.size() * n);
  for (size_t i = 0; i < n; ++i) out += text;
  return out;
}

TEST(Document, ReadsScalarsByYamlsCoreSchema) {
  const struct {
    const char* yaml;
    const char* json;
  } kCases[] = {
      {"1", "1"},
      {"-7", "-7"},
      {"+7", "7"},
      {"1.5", "1.5"},
      {"1e3", "1000.0"},
      {"true", "true"},
      {"False", "false"},
      {"yes", "\"yes\""},
      {"~", "null"},
      {"", "null"},
      {"\"1\"", "\"1\""},
      {"'true'", "\"true\""},
      {"8MiB", "\"8MiB\""},
      {"2026-01-02", "\"2026-01-02\""},
      {"nan", "\"nan\""},
      {"9223372036854775807", "9223372036854775807"},
      {"0.1.0", "\"0.1.0\""},
      {"ä", "\"ä\""},
  };
  for (const auto& c : kCases)
    EXPECT_EQ(compact_json(parse_document("f", std::string("a: ") + c.yaml + "\n").root["a"]),
              c.json)
        << c.yaml;
}

TEST(Document, ReadsJsonAsItIs) {
  const Document document = parse_document(
      "f",
      "{\n\t\"a\": \"\\ud83d\\ude00\\u00e4\\/\\n\\\\ud83d\",\n\t\"b\": [1, {\"c\": null}]\n}\n");
  EXPECT_EQ(document.root["a"].asString(), "\xF0\x9F\x98\x80\xC3\xA4/\n\\ud83d");
  EXPECT_EQ(compact_json(document.root["b"]), "[1,{\"c\":null}]");
  EXPECT_EQ(document.at("/b/1/c").line, 3u);
}

TEST(Document, KnowsWhereEachValueIs) {
  const Document document = parse_document("f", "a: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n");
  const struct {
    const char* pointer;
    unsigned line, column;
  } kCases[] = {{"/a", 1, 1},     {"/b", 2, 1},     {"/b/0", 3, 5},      {"/b/1", 4, 5},
                {"/b/1/c", 4, 6}, {"/b/1/d", 5, 6}, {"/b/1/gone", 4, 5}, {"/gone", 1, 1}};
  for (const auto& c : kCases) {
    EXPECT_EQ(document.at(c.pointer).line, c.line) << c.pointer;
    EXPECT_EQ(document.at(c.pointer).column, c.column) << c.pointer;
  }
}

TEST(Document, FollowsAliases) {
  const Document document = parse_document("f", "a: &x {k: [1, 2]}\nb: *x\n");
  EXPECT_EQ(document.root["b"], document.root["a"]);
}

TEST(Document, RefusesWhatIsNoSingleDocument) {
  const struct {
    std::string text;
    const char* fault;
  } kCases[] = {
      {"", "f: is empty"},
      {"a: 1\n---\nb: 1\n", "f:2:1: a second document begins here; a file is one"},
      {"a: 1\nb: 2\na: 3\n", "f:3:1: a: stands twice, first on line 1"},
      {"{\"a\": 1, \"a\": 2}", "f:1:10: a: stands twice, first on line 1"},
      {"a:\n\t- b\n", "f:2:2: a line is indented by a tab; use spaces"},
      {"a: [1, 2\n", "f:2:1: end of sequence flow not found"},
      {"a: b: c\n", "f:1:5: illegal map value"},
      {"[a]: 1\n", "f:1:1: a key must be plain text"},
      {"a: *x\n", "f:1:4: the referenced anchor is not defined"},
      {"a: &x [*x]\n", "f:1:8: an alias inside its own anchor"},
      {"a: \xff\n", "f:1:4: a byte that is no UTF-8 text"},
      {"a: 1\nb: \xc3(\n", "f:2:4: a byte that is no UTF-8 text"},
      {std::string("a: \0b\n", 6), "f:1:4: a byte that is no UTF-8 text"},
      {"a: " + repeat("[", 64) + repeat("]", 64), "f:1:67: nested deeper than 64"},
  };
  for (const auto& c : kCases) EXPECT_EQ(fault_of(c.text), c.fault) << c.text.substr(0, 40);
  EXPECT_EQ(fault_of("a: " + repeat("[", 63) + repeat("]", 63)), "");
}

// Each would take gigabytes or minutes if it were followed to its end.
TEST(Document, StopsBombsEarly) {
  std::string laughs = "a0: &a0 [x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before +
              "]\n";
  }
  std::string nested;
  for (int i = 0; i < 60; ++i) nested += "&n" + std::to_string(i) + " [";
  const struct {
    const char* name;
    std::string text;
    const char* why;
  } kCases[] = {
      {"billion laughs", laughs, "more than 200000 values"},
      {"too many values", "[" + repeat("1,", 200'001) + "]", "more than 200000 values"},
      {"a long text many times",
       "a: &a \"" + repeat("x", 1 << 20) + "\"\nb:\n" + repeat("- *a\n", 100),
       "larger than 64 MiB"},
      {"a long key above many values",
       "? " + repeat("k", 1 << 20) + "\n: [" + repeat("1,", 100) + "]\n", "larger than 64 MiB"},
      {"anchors around a long text", nested + "\"" + repeat("x", 2 << 20) + "\"" + repeat("]", 60),
       "larger than 64 MiB"},
  };
  for (const auto& c : kCases) EXPECT_THAT(fault_of(c.text), testing::HasSubstr(c.why)) << c.name;
}

TEST(Document, IsNotReadPast16MiB) {
  const TemporaryFolder folder;
  const auto file = folder.write("huge.yaml", "");
  std::filesystem::resize_file(file, std::uintmax_t{1} << 30);  // sparse: takes no room
  try {
    read_document_text(file.string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    EXPECT_EQ(std::string(error.what()),
              file.string() + ": is larger than 16 MiB, so it is no pipeline file");
  }
  // An endless file has no size to look at.
  EXPECT_THROW(read_document_text("/dev/zero"), Error);
}

TEST(Document, SaysWhyAFileCannotBeRead) {
  const TemporaryFolder folder;
  try {
    read_document_text((folder.path() / "gone").string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              (folder.path() / "gone").string() +
                  ": cannot be read: No such file or directory; check the path");
  }
  EXPECT_THROW(read_document_text(folder.path().string()), Error);
}

}  // namespace
}  // namespace patchbay::host
