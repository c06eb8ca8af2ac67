#include <random>

#include "csv_fixture.h"
#include "csv_marks.h"

namespace patchbay::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct TextCase {
  const char* what;
  std::string text;
  Rows rows;
  std::string config = "{}";
};

const TextCase kTexts[] = {
    {"plain", "a,b\n1,x\n", {R"({"a":1,"b":"x"})"}},
    {"no newline at the end", "a,b\n1,x", {R"({"a":1,"b":"x"})"}},
    {"CRLF, CR and LF mixed",
     "a,b\r\n1,x\r2,y\n3,z\r",
     {R"({"a":1,"b":"x"})", R"({"a":2,"b":"y"})", R"({"a":3,"b":"z"})"}},
    {"quoted newlines and commas", "a,b\n\"x,\r\ny\",\"\n\"\n", {R"({"a":"x,\r\ny","b":"\n"})"}},
    {"doubled quotes", "a,b\n\"\"\"x\"\"\",\"a\"\"\"\"b\"\n", {R"({"a":"\"x\"","b":"a\"\"b"})"}},
    {"quotes inside are text", "a,b\n5\" disk,x\"y\"z\n", {R"({"a":"5\" disk","b":"x\"y\"z"})"}},
    {"text behind a closing quote", "a,b\n\"x\"y,\"x\" \"y\"\n", {R"({"a":"xy","b":"x \"y\""})"}},
    {"null and empty", "a,b\n,\"\"\n", {R"({"a":null,"b":""})"}},
    {"null has other texts",
     "a,b\nNA,\nx,\"NA\"\n",
     {R"({"a":null,"b":null})", R"({"a":"x","b":"NA"})"},
     R"({"null": ["", "NA"]})"},
    {"empty is text where null is another",
     "a,b\n\\N,\n",
     {R"({"a":null,"b":""})"},
     R"({"null": "\\N"})"},
    {"a quoted empty number is null",
     "a,b\n1,x\n\"\",y\n",
     {R"({"a":1,"b":"x"})", R"({"a":null,"b":"y"})"}},
    {"blank lines are left out", "\n\na,b\n\n1,x\n\r\n\n", {R"({"a":1,"b":"x"})"}},
    {"blank lines of one column are null",
     "a\nx\n\n\"\"\n",
     {R"({"a":"x"})", R"({"a":null})", R"({"a":""})"}},
    {"UTF-8 with a mark",
     "\xef\xbb\xbf"
     "a,b\n1,\xc3\xa9\n",
     {"{\"a\":1,\"b\":\"\xc3\xa9\"}"}},
    {"UTF-16 with a mark",
     std::string("\xff\xfe"
                 "a\0\n\0\xe9\0\n\0",
                 10),
     {"{\"a\":\"\xc3\xa9\"}"}},
    {"big-endian UTF-16",
     std::string("\xfe\xff"
                 "\0a\0\n\0\xe9",
                 8),
     {"{\"a\":\"\xc3\xa9\"}"}},
    {"UTF-16 without a mark",
     std::string("a\0\n\0\xe9\0\n\0", 8),
     {"{\"a\":\"\xc3\xa9\"}"},
     R"({"encoding": "utf-16"})"},
    {"latin1", "a\n\xe9\n", {"{\"a\":\"\xc3\xa9\"}"}, R"({"encoding": "latin1"})"},
    {"windows-1252", "a\n\x80\n", {"{\"a\":\"\xe2\x82\xac\"}"}, R"({"encoding": "windows-1252"})"},
    {"tabs", "a\tb\n1\tx,y\n", {R"({"a":1,"b":"x,y"})"}, R"({"delimiter": "\\t"})"},
    {"control characters",
     "a\x01"
     "b\n1\x01x\n",
     {R"({"a":1,"b":"x"})"},
     R"({"delimiter": "\\x01"})"},
    {"backslashes in quotes",
     "a,b\n\"x\\\"y\",\"a\\\\\"\n",
     {R"({"a":"x\"y","b":"a\\"})"},
     R"({"escape": "\\"})"},
    {"backslashes outside quotes are text",
     "a,b\nC:\\new,\"x\\\"\"\n",
     {R"({"a":"C:\\new","b":"x\""})"},
     R"({"escape": "\\"})"},
    {"backslashes without quotes",
     "a|b\nx\\|y\\\nz|\\N\n",
     {R"({"a":"x|y\nz","b":null})"},
     R"({"escape": "\\", "quote": "", "delimiter": "|", "null": "\\N"})"},
    {"no quotes", "a,b\n\"x,\"y\"\n", {R"({"a":"\"x","b":"\"y\""})"}, R"({"quote": ""})"},
    {"no header", "1,x\n", {R"({"column_1":1,"column_2":"x"})"}, R"({"header": false})"},
    {"no header, with names",
     "1,x\n",
     {R"({"n":1,"t":"x"})"},
     R"({"header": false, "columns": ["n", "t"]})"},
    {"other names", "a,b\n1,x\n", {R"({"n":1,"t":"x"})"}, R"({"columns": ["n", "t"]})"},
    {"names that are missing", ",b\n1,x\n", {R"({"column_1":1,"b":"x"})"}},
    {"lines before the header",
     "made by x\n\na,b\n1,x\n",
     {R"({"a":1,"b":"x"})"},
     R"({"skip_lines": 2})"},
    {"header only", "a,b\n", {}},
    {"nothing", "", {}},
    {"a mark only", "\xef\xbb\xbf", {}},
};

TEST_F(Csv, ReadsTexts) {
  for (const auto& one : kTexts) {
    for (const size_t piece : {size_t{1} << 20, size_t{1}, size_t{3}}) {
      EXPECT_EQ(rows(one.text, one.config, piece), one.rows) << one.what << ", pieces of " << piece;
      EXPECT_THAT(refusals(), IsEmpty()) << one.what;
    }
  }
}

TEST_F(Csv, GuessesTypes) {
  const std::pair<const char*, const char*> cases[] = {
      {"1\n-20\n", "int64"},
      {"9223372036854775807\n", "int64"},
      {"9223372036854775808\n", "decimal128(38, 0)"},
      {"123456789012345678901234567890123456789\n", "utf8"},
      {"1.50\n20\n", "decimal128(15, 2)"},
      {"123456789012345678.5\n", "decimal128(38, 1)"},
      {"0.1234567891\n", "float64"},
      {"1e5\n2\n", "float64"},
      {"007\n", "utf8"},
      {"+1\n", "utf8"},
      {"0.5\n-0.5\n", "decimal128(15, 1)"},
      {"1.\n", "float64"},
      {"true\nFALSE\n", "bool"},
      {"1\ntrue\n", "utf8"},
      {"2024-02-29\n", "date32"},
      {"2023-02-29\n", "utf8"},
      {"0000-00-00\n", "utf8"},
      {"2024-02-29 12:00\n2024-03-01T00:00:00.123456\n", "timestamp[us]"},
      {"2024-02-29T12:00:00Z\n2024-02-29T12:00:00+01:00\n", "timestamp[us, UTC]"},
      {"2024-02-29T12:00:00Z\n2024-02-29T12:00:00\n", "utf8"},
      {"nan\n", "utf8"},
      {"\"\"\n", "utf8"},
  };
  for (const auto& [text, type] : cases)
    EXPECT_EQ(types(std::string("x\n") + text), std::string("x:") + type) << text;
  EXPECT_EQ(types("x\n1\n", R"({"guess": false})"), "x:utf8");
  EXPECT_EQ(types("x,y\n1,1\n", R"({"types": {"x": "float64"}})"), "x:float64 y:int64");
}

TEST_F(Csv, ReadsEveryDeclaredType) {
  const std::pair<const char*, const char*> cases[] = {
      {"int8", "-128"},
      {"uint8", "255"},
      {"int16", "-32768"},
      {"uint16", "65535"},
      {"int32", "-2147483648"},
      {"uint32", "4294967295"},
      {"int64", "-9223372036854775808"},
      {"uint64", "18446744073709551615"},
      {"float64", "1e+300"},
      {"float32", "0.1"},
  };
  for (const auto& [type, value] : cases) {
    const std::string config = std::string(R"({"types": {"x": ")") + type + "\"}}";
    EXPECT_THAT(rows(std::string("x\n") + value + "\n", config),
                ElementsAre(std::string("{\"x\":") + value + "}"));
    EXPECT_THAT(rows("x\n1e400\n\n99999999999999999999\nx\n1.\xc3\xa9\n-\n", config).size(),
                testing::AnyOf(1, 2, 3));
  }
}

TEST_F(Csv, RefusesRowsWithFileLineAndColumn) {
  EXPECT_THAT(rows("a,b\n1,x\n2\n\"\n\",y\n3,x,y\n4,z\n", R"({"types": {"a": "int64"}})"),
              ElementsAre(R"({"a":1,"b":"x"})", R"({"a":4,"b":"z"})"));
  EXPECT_THAT(
      refusals(),
      ElementsAre(
          R"(columns {"file":"a.csv","line":3,"column":"b"} 1 fields where there are 2 columns)",
          R"(type {"file":"a.csv","line":4,"column":"a"} a: expected int64, found other text)",
          R"(columns {"file":"a.csv","line":6,"column":"3"} 3 fields where there are 2 columns)"));
  EXPECT_EQ(host_.rejects[0].why.stream, "s");
}

TEST_F(Csv, AValueThatBreaksAGuessIsRefused) {
  std::string text = "n,t\n";
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ",some text\n";
  EXPECT_EQ(rows(text + "x,y\n7,z\n").size(), 200'001u);
  EXPECT_THAT(
      refusals(),
      ElementsAre(HasSubstr(R"({"file":"a.csv","line":200002,"column":"n"} n: expected int64)")));
  EXPECT_THAT(refusals()[0], HasSubstr("the type was guessed"));
}

TEST_F(Csv, RefusesBytesThatAreNoText) {
  EXPECT_THAT(rows(std::string("a,b\n1,x\n2,\xff\n3,\xc3\n4,a\0b\n5,y\n", 26)),
              ElementsAre(R"({"a":1,"b":"x"})", R"({"a":5,"b":"y"})"));
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr(R"("line":3} the text is no UTF-8)"),
                                      HasSubstr(R"("line":4} the text is no UTF-8)"),
                                      HasSubstr(R"("line":5} there is a NUL character)")));
}

TEST_F(Csv, FilesThatCantBeReadFail) {
  const std::tuple<std::string, const char*, const char*> cases[] = {
      {"a,b\n1,x\n2,\"y\n3,z\n", "{}",
       "a.csv: line 3: a quote in the record that begins here is never closed"},
      {"a,a\n", "{}", "a.csv: two columns are called a; name them with columns"},
      {"a,b\n1,2\n" + std::string(3000, 'x') + ",2\n", R"({"max_row_bytes": 2000})",
       "a.csv: line 3: a record of more than 2000 bytes"},
      {"a,b\n1,2\n\"" + std::string(3000, '\n'), R"({"max_row_bytes": 2000})",
       "inside a quote that may never be closed"},
      {"\xff\xff\n", "{}", "a.csv: line 1: the header is no UTF-8 text"},
      {"a\nx\n", R"({"types": {"b": "int64"}})", "types: a.csv has no column b"},
      {"a\nx\n", R"({"columns": ["a", "b"]})", "a.csv: the header has 1 fields"},
      {"a\n\x81\n", R"({"encoding": "windows-1252"})",
       "a.csv: line 2: bytes that are no windows-1252"},
      {std::string("\xff\xfe"
                   "a\0\n",
                   5),
       "{}", "a.csv: line 1: bytes that are no utf-16le at the end: the file is cut"},
      {"a\n", R"({"encoding": "utf-9"})", "encoding: utf-9 is not known"},
      {"a\n", R"({"delimiter": "\""})", "quote: must differ from delimiter"},
  };
  for (const auto& [text, config, message] : cases)
    EXPECT_THAT(failure(text, config), HasSubstr(message));
}

TEST_F(Csv, AHeaderLongerThanTheSampleIsWaitedFor) {
  const auto batches = decode({std::string(3 << 19, 'n') + ",b\n1,2\n"}, "{}", 1 << 18);
  for (const auto& log : host_.logs) EXPECT_THAT(log.message, testing::Not(HasSubstr("is empty")));
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].schema()->fields[1].name, "b");
}

TEST_F(Csv, AnEmptyFileIsWarnedOf) {
  decode({"", "a\n1\n"});
  ASSERT_FALSE(host_.logs.empty());
  EXPECT_EQ(host_.logs[0].message, "a.csv: is empty: it has no header");
}

TEST_F(Csv, AnotherDelimiterIsSuspected) {
  decode({"a;b|c\n1;2|3\n"});
  EXPECT_THAT(host_.logs.back().message, HasSubstr("a.csv: its header is a single column"));
}

TEST_F(Csv, TheHeaderTellsTheDelimiter) {
  const std::string whole = R"({"a":1,"b":"x,y"})";
  for (const std::string one : {";", "\t", "|"}) {
    for (const size_t piece : {size_t{1} << 20, size_t{1}}) {
      EXPECT_THAT(rows("a" + one + "b\n1" + one + "x,y\n", "{}", piece), ElementsAre(whole)) << one;
    }
    EXPECT_THAT(host_.logs.back().message,
                HasSubstr("a.csv: the delimiter is \"" + (one == "\t" ? "\\t" : one) +
                          "\", by its header"));
  }
  EXPECT_EQ(types("\xef\xbb\xbf\"a,1\";b\n1;2"), "a,1:int64 b:int64");
  EXPECT_EQ(types("no header\na;b\n1;2\n", R"({"skip_lines": 1})"), "a:int64 b:int64");
  EXPECT_EQ(types("a;b\n1;\"x\ny;\"\n2;z\n"), "a:int64 b:utf8");
}

TEST_F(Csv, ADelimiterIsNotGuessedAgainstTheEvidence) {
  for (const std::string text : {"a,b;c\n1,2\n", "text; notes\nnone here\nnor here\nbut; here\n",
                                 "\"a;b\"\n1\n", "a;b|c\n1;2|3\n"}) {
    EXPECT_EQ(types(text), types(text, R"({"delimiter": ","})")) << text;
  }
  EXPECT_EQ(types("a;b\n1;2\n", R"({"delimiter": ","})"), "a;b:utf8");
  EXPECT_EQ(types("a;b\n1;2\n", R"({"header": false})"), "column_1:utf8");
}

TEST_F(Csv, TheFirstFileSettlesTheDelimiter) {
  EXPECT_THAT(
      rows_as_json(decode({"a;b\n1;2\n", "b;a\n\"x,y\";3\n"}, R"({"types": {"b": "utf8"}})")),
      ElementsAre(R"({"a":1,"b":"2"})", R"({"a":3,"b":"x,y"})"));
  EXPECT_THROW(decode({"a;b\n1;2\n", "a,b\n1,2\n"}), Error);
}

TEST_F(Csv, LaterFilesFillTheStreamsColumnsByName) {
  EXPECT_THAT(rows_as_json(decode({"a,b\n1,x\n", "b,a\ny,2\n", "a\n3\n"})),
              ElementsAre(R"({"a":1,"b":"x"})", R"({"a":2,"b":"y"})", R"({"a":3,"b":null})"));
}

TEST_F(Csv, ANewColumnGoesByThePolicy) {
  const std::vector<std::string> files{"a\n1\n", "a,n\n2,7\n", "a\n3\n"};
  EXPECT_THROW(decode(files), Error);
  host_.on_schema_change = BAY_CHANGE_EVOLVE;
  EXPECT_THAT(rows_as_json(decode(files)),
              ElementsAre(R"({"a":1})", R"({"a":2,"n":7})", R"({"a":3,"n":null})"));
  host_.on_schema_change = BAY_CHANGE_IGNORE;
  EXPECT_THAT(rows_as_json(decode(files)), ElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":3})"));
  host_.on_schema_change = BAY_CHANGE_REJECT;
  EXPECT_THAT(rows_as_json(decode(files)), ElementsAre(R"({"a":1})", R"({"a":3})"));
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("unknown_field")));
}

TEST_F(Csv, ThreadsKeepTheOrder) {
  std::string text = "n,t\n";
  for (int i = 0; i < 300'000; ++i)
    text += (i % 1000 == 500 ? "x" : std::to_string(i)) + ",\"some, text\"\n";
  const auto one = rows(text, R"({"types": {"n": "int64"}})");
  const Rows refused = refusals();
  host_.rejects.clear();
  EXPECT_EQ(one.size(), 299'700u);
  EXPECT_EQ(rows(text, R"({"types": {"n": "int64"}, "threads": 4})"), one);
  EXPECT_EQ(refusals(), refused);
}

TEST_F(Csv, MarksAreFoundInEveryPlace) {
  std::mt19937 random(1);
  for (size_t size = 0; size < 300; ++size) {
    std::string text(size, 'x');
    for (auto& c : text) c = "xy,\n\"\r"[random() % 6];
    std::vector<uint64_t> marks;
    find_marks(text, {',', '\n', '\r', '"', '\n'}, marks);
    for (size_t i = 0; i < marks.size() * 64; ++i) {
      const bool expected = i < size && text[i] != 'x' && text[i] != 'y';
      ASSERT_EQ((marks[i / 64] >> (i % 64)) & 1, expected) << size << " " << i;
    }
  }
}

}  // namespace
}  // namespace patchbay::test
