#include <gmock/gmock.h>

#include "patchbay/error.h"
#include "patchbay/objects/pattern.h"

namespace patchbay {
namespace {

using testing::ElementsAre;

struct Case {
  const char* pattern;
  const char* name;
  bool result;
};

TEST(Pattern, Matches) {
  const Case cases[] = {
      {"a.csv", "a.csv", true},
      {"a.csv", "aXcsv", false},
      {"*.csv", "a.csv", true},
      {"*.csv", "d/a.csv", false},
      {"*", "", true},
      {"d/*", "d/a", true},
      {"d/*", "d/e/a", false},
      {"a?c", "abc", true},
      {"a?c",
       "a\xc3\xbc"
       "c",
       true},
      {"a?c", "a/c", false},
      {"a?c", "ac", false},
      {"**", "a/b/c", true},
      {"**.csv", "a/b.csv", true},
      {"**/x", "x", true},
      {"**/x", "a/b/x", true},
      {"**/x", "ax", false},
      {"**/x", "a/bx", false},
      {"a/**/b/*.csv", "a/b/1.csv", true},
      {"a/**/b/*.csv", "a/x/y/b/1.csv", true},
      {"a/**/b/*.csv", "a/x/yb/1.csv", false},
      {"{eu,us}/*.csv", "us/1.csv", true},
      {"{eu,us}/*.csv", "as/1.csv", false},
      {"{a,{b,c}x}*", "cx1", true},
      {"{a,{b,c}x}*", "c1", false},
      {"a{,.gz}", "a", true},
      {"a{,.gz}", "a.gz", true},
      {"a{b", "a{b", true},
      {"*a*b/c", "xaxb/c", true},
      {"*a*b/c", "xb/ac", false},
      {"*/a*", "x/ab", true},
      {"*ab", "aab", true},
      {"*?", "\xc3\xbc", true},
      {"*??", "\xc3\xbc", false},
      {"a*", "a", true},
      {"a*/", "ab/", true},
  };
  for (const auto& [pattern, name, result] : cases) {
    EXPECT_EQ(Pattern(pattern).matches(name), result) << pattern << " and " << name;
  }
}

TEST(Pattern, ManyStarsTakeNoLonger) {
  const std::string name(2000, 'a');
  EXPECT_FALSE(Pattern("*a*a*a*a*a*a*a*a*a*a*a*a*b").matches(name));
  EXPECT_FALSE(Pattern("**a**a**a**a**a**a**a**a**b").matches(name));
}

TEST(Pattern, BracesStandForAThousandNamesAtMost) {
  std::string braces;
  for (int i = 0; i < 40; ++i) braces += "{a,b}";
  EXPECT_THROW(Pattern{braces}, Error);
}

TEST(Pattern, FindsNoHiddenNamesAndNoFolders) {
  EXPECT_TRUE(Pattern("**").finds("a/b"));
  EXPECT_FALSE(Pattern("**").finds("a/"));
  EXPECT_FALSE(Pattern("**").finds(".patchbay/1"));
  EXPECT_FALSE(Pattern("a/**").finds("a/b/.c"));
  EXPECT_TRUE(Pattern("a/.b/*").finds("a/.b/c"));
  EXPECT_TRUE(Pattern(".patchbay/*").finds(".patchbay/1"));
  EXPECT_TRUE(Pattern(".env").finds(".env"));
  EXPECT_TRUE(Pattern("*/.c").finds("a/.c"));
}

std::vector<std::string> listed(const std::string& pattern) {
  std::vector<std::string> out;
  for (const auto& one : Pattern(pattern).prefixes())
    out.push_back(one.prefix + (one.flat ? "" : " +"));
  return out;
}

TEST(Pattern, KnowsWhatToList) {
  EXPECT_THAT(listed("a.csv"), ElementsAre("a.csv"));
  EXPECT_THAT(listed("in/*.csv"), ElementsAre("in/"));
  EXPECT_THAT(listed("in/**"), ElementsAre("in/ +"));
  EXPECT_THAT(listed("in/*/x"), ElementsAre("in/ +"));
  EXPECT_THAT(listed("{us,eu}/*"), ElementsAre("eu/", "us/"));
  EXPECT_THAT(listed("{a,ab}*"), ElementsAre("a"));
  EXPECT_THAT(listed("{a,a/b}*"), ElementsAre("a +"));
  EXPECT_THAT(listed("*"), ElementsAre(""));
}

TEST(Pattern, NamesItsStream) {
  EXPECT_EQ(default_stream("in/orders.csv.gz", "files"), "orders");
  EXPECT_EQ(default_stream(".env", "files"), ".env");
  EXPECT_EQ(default_stream("data/orders/*.csv", "files"), "orders");
  EXPECT_EQ(default_stream("data/{a,b}/*.csv", "files"), "data");
  EXPECT_EQ(default_stream("./*.csv", "files"), "files");
  EXPECT_EQ(default_stream("/*.csv", "files"), "files");
  EXPECT_EQ(default_stream("**", "objects"), "objects");
}

}  // namespace
}  // namespace patchbay
