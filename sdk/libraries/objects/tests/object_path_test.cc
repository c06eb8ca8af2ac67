#include "patchbay/objects/object_path.h"

#include <gmock/gmock.h>

#include "patchbay/testing/failure.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

std::string fill(const std::string& text, const std::string& stream, const std::string& key,
                 uint64_t part = 1) {
  return ObjectPath("path", text).fill({stream, key, part}).key;
}

TEST(ObjectPath, FillsInWhatItNames) {
  EXPECT_EQ(fill("out/{stream}/{key}-{part}.{x}", "s", "a/b", 3), "out/s/a/b-3.{x}");
  EXPECT_EQ(fill("{name}", "s", "a/b.csv"), "b.csv");
  EXPECT_EQ(fill("done/{part}", "s", "a", 0), "done/{part}");
}

TEST(ObjectPath, KnowsItsFixedPart) {
  EXPECT_EQ(ObjectPath("path", "out/a{stream}").fixed(), "out/");
  EXPECT_EQ(ObjectPath("path", "{x}/{key}").fixed(), "{x}/");
  EXPECT_EQ(ObjectPath("path", "/a/b.csv").fixed(), "/a/");
  EXPECT_TRUE(ObjectPath("path", "a{b}.csv").is_fixed());
  EXPECT_FALSE(ObjectPath("path", "{name}").is_fixed());
}

TEST(ObjectPath, KnowsTheFolderOfAStream) {
  EXPECT_EQ(ObjectPath("path", "out/{stream}/x-{key}").stream_folder("s"), "out/s/");
  EXPECT_EQ(ObjectPath("path", "out/{stream}-{key}").stream_folder("s"), "out/");
  EXPECT_EQ(ObjectPath("path", "{key}/{stream}").stream_folder("s"), "");
  EXPECT_TRUE(ObjectPath("path", "{stream}/{key}").differs());
  EXPECT_FALSE(ObjectPath("path", "out/{stream}.{x}").differs());
}

TEST(ObjectPath, ValuesAreNotTemplates) {
  EXPECT_EQ(fill("{key}", "s", "{stream}{part}"), "{stream}{part}");
}

TEST(ObjectPath, KeysStayBelowIt) {
  EXPECT_EQ(fill("out/{key}", "s", "/./a/..b/c.."), "out/a/..b/c..");
  for (const char* key : {"..", "../a", "a/../b", "/..", "a/..", "a\x01", "a\xc2\x9b", "", "a/"})
    test::failure([&] { fill("out/{key}", "s", key); }, Code::kData);
}

TEST(ObjectPath, StreamsAreOnePartOfIt) {
  EXPECT_EQ(fill("out/{stream}", "..s", "k"), "out/..s");
  EXPECT_THAT(test::failure([&] { fill("out/{stream}", "../../\x1b[1m", "k"); }, Code::kConfig),
              HasSubstr("stream \"../../\\u001b[1m\": cannot be a part of a path"));
  for (const char* stream : {"a/b", "/a", "..", "a\n"})
    test::failure([&] { fill("out/{stream}", stream, "k"); }, Code::kConfig);
}

TEST(ObjectPath, PartsThatAreHarmlessAloneDoNotLeadOutTogether) {
  EXPECT_THAT(test::failure([&] { fill("out/{stream}./{key}", ".", "k"); }, Code::kData),
              HasSubstr("leads out of out/"));
  test::failure([&] { fill("out/{stream}/../../{key}", "s", "k"); }, Code::kData);
  EXPECT_EQ(fill("../out/{key}", "s", "k"), "../out/k");  // the user's own words
}

TEST(ObjectPath, AFolderIsNotAnObject) {
  EXPECT_THAT(test::failure([&] { fill("out/", "s", "k"); }, Code::kConfig),
              HasSubstr("names a folder, not an object"));
}

}  // namespace
}  // namespace patchbay
