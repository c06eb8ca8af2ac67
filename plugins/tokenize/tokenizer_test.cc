#include "tokenizer.h"

#include <gmock/gmock.h>

#include "patchbay/error.h"
#include "patchbay/testing/component_driver.h"

namespace patchbay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> tokens(const std::string& text, TokenizerConfig config = {"\\W"}) {
  Tokenizer tokenizer(std::move(config));
  std::vector<std::string> out;
  for (const auto token : tokenizer.tokens(text)) out.emplace_back(token);
  return out;
}

// What Spark 4's RegexTokenizer gave for the same texts.
TEST(Tokenizer, SplitsAsSparkDoes) {
  EXPECT_THAT(tokens("Not good, NOT Good! goods"),
              ElementsAre("not", "good", "not", "good", "goods"));
  EXPECT_THAT(tokens("it's_1  \n\t(ok)"), ElementsAre("it", "s_1", "ok"));
  EXPECT_THAT(tokens("café crème"), ElementsAre("caf", "cr", "me"));
  EXPECT_THAT(tokens(""), IsEmpty());
  EXPECT_THAT(tokens("...!"), IsEmpty());
}

TEST(Tokenizer, PatternsThatAreNoSingleByteGiveTheSame) {
  for (const char* pattern : {"\\W", "\\W+", "[^A-Za-z0-9_]", "[^A-Za-z0-9_]+"}) {
    EXPECT_THAT(tokens("Été good\xF0\x9F\x98\x80news ", {pattern}),
                ElementsAre("t", "good", "news"))
        << pattern;
  }
}

TEST(Tokenizer, KeepsEmptyPartsWhereTheyCount) {
  TokenizerConfig config{","};
  config.min_length = 0;
  EXPECT_THAT(tokens(",a,,b,,", config), ElementsAre("", "a", "", "b"));
  EXPECT_THAT(tokens("", config), ElementsAre(""));
}

TEST(Tokenizer, MatchesTokensWherePatternIsNoGap) {
  TokenizerConfig config{"[a-z]+|\\d+"};
  config.gaps = false;
  EXPECT_THAT(tokens("ab12 CD", config), ElementsAre("ab", "12", "cd"));
}

TEST(Tokenizer, CountsLengthAsJavaDoes) {
  TokenizerConfig config{"\\s"};
  config.min_length = 2;
  EXPECT_THAT(tokens("é ab \xF0\x9F\x98\x80", config), ElementsAre("ab", "\xF0\x9F\x98\x80"));
}

TEST(Tokenizer, DropsStopWordsInAnyCase) {
  TokenizerConfig config{"\\s+"};
  config.lowercase = false;
  config.stop_words = {"The", "ist"};
  EXPECT_THAT(tokens("THE Film the IST gut", config), ElementsAre("Film", "gut"));
  config.stop_words = english_stop_words();
  EXPECT_THAT(tokens("This wouldn't be Good", config), ElementsAre("Good"));
  EXPECT_EQ(english_stop_words().size(), 181U);
}

TEST(LowerCase, IsJavas) {
  const std::pair<const char*, const char*> cases[] = {
      {"ÉTÉ", "été"}, {"İ", "i̇"},         {"ΟΔΟΣ ΣΑΣ", "οδος σας"}, {"K", "k"},
      {"ẞ", "ß"},     {"ДОБРО", "добро"}, {"\xFF\xC3", "\xFF\xC3"}};
  for (const auto& [text, expected] : cases) {
    std::string out;
    append_lower(out, text);
    EXPECT_EQ(out, expected) << text;
  }
}

TEST(Tokenizer, RefusesABrokenPattern) { EXPECT_THROW(Tokenizer({"("}), Error); }

class TokenizeTest : public testing::Test {
 protected:
  std::vector<std::string> rows(const std::string& config, const std::vector<const char*>& texts) {
    const auto schema =
        std::make_shared<Schema>(Schema{"reviews", {{"text", scalar(TypeId::kUtf8)}}, {}});
    BatchBuilder builder(schema);
    for (const char* text : texts) {
      if (text) {
        builder.column<Utf8Builder>(0).append(text);
      } else {
        builder.column(0).append_null();
      }
    }
    std::vector<Batch> batches;
    batches.push_back(builder.finish());
    test::TransformDriver transform(host_, *patchbay_plugin_v1(test::FakeHost::table()), "tokenize",
                                    Config::parse(config).root());
    return test::rows_as_json(transform.run(schema, std::move(batches)));
  }
  static std::string options(const std::string& more) {
    return R"({"field": "text", "pattern": "\\W", "gaps": true, "lowercase": true, "min_length": 1, "stop_words": "none", )" +
           more + "}";
  }
  test::FakeHost host_;
};

TEST_F(TokenizeTest, MarksWholeWordsAndKeepsNull) {
  EXPECT_THAT(
      rows(options(R"("contains": {"positive": "good", "any": ["bad", "poor"]})"),
           {"not good", "goods", "", nullptr, "Poor"}),
      ElementsAre(R"({"text":"not good","any":0,"positive":1})",
                  R"({"text":"goods","any":0,"positive":0})", R"({"text":"","any":0,"positive":0})",
                  R"({"text":null,"any":null,"positive":null})",
                  R"({"text":"Poor","any":1,"positive":0})"));
}

TEST_F(TokenizeTest, KeepsTheWords) {
  EXPECT_THAT(rows(options(R"("into": "words")"), {"A b", nullptr, " "}),
              ElementsAre(R"({"text":"A b","words":["a","b"]})", R"({"text":null,"words":null})",
                          R"({"text":" ","words":[]})"));
}

TEST_F(TokenizeTest, RefusesWhatCanNeverBe) {
  for (const char* more : {R"("contains": {"p": "Good"})", R"("contains": {"p": "two words"})",
                           R"("into": "text")", R"("into": "w", "contains": {"w": "a"})"}) {
    try {
      rows(options(more), {"a"});
      ADD_FAILURE() << more;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kConfig) << error.what();
    }
  }
}

}  // namespace
}  // namespace patchbay
