#include <gtest/gtest.h>

#include "patchbay/objects/objects.h"

namespace patchbay {
namespace {

TEST(ObjectPath, FillsInWhatItNames) {
  const ObjectPath path("out/{stream}/{key}-{part}.{x}");
  EXPECT_EQ(path.fill("s", "a/b", 3), "out/s/a/b-3.{x}");
  EXPECT_EQ(path.fixed(), "out/");
  EXPECT_EQ(ObjectPath("a.csv").fixed(), "a.csv");
}

TEST(ObjectPath, ValuesAreNotTemplates) {
  EXPECT_EQ(ObjectPath("{key}").fill("s", "{stream}{part}", 1), "{stream}{part}");
}

TEST(ObjectPath, KeysStayBelowIt) {
  const ObjectPath path("out/{key}");
  EXPECT_EQ(path.fill("s", "/./a/..b/c..", 1), "out/a/..b/c..");
  for (const char* key : {"..", "../a", "a/../b", "/..", "a/.."})
    EXPECT_THROW(path.fill("s", key, 1), Error) << key;
}

TEST(ObjectPath, TwoObjectsNeverBecomeOne) {
  const ObjectPath path("out/{stream}");
  EXPECT_EQ(path.claim("b", "t1", "s", "a", 1), "out/s");
  EXPECT_EQ(path.claim("b", "t2", "s", "a", 1), "out/s");  // a repeat
  EXPECT_THROW(path.claim("b", "t2", "s", "a", 1), Error);
  EXPECT_THROW(ObjectPath("out/s").claim("b", "t3", "x", "b", 1), Error);
  EXPECT_EQ(path.claim("b", "t3", "other", "b", 1), "out/other");
  EXPECT_EQ(path.claim("another", "t3", "s", "b", 1), "out/s");
}

}  // namespace
}  // namespace patchbay
