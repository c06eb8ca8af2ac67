#include <gmock/gmock.h>

#include "patchbay/objects/objects.h"

namespace patchbay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ObjectSelection selection(const std::string& select, const std::string& order) {
  return {Config::parse(R"({"path": "in/*", "select": ")" + select + R"(", "order": ")" + order +
                        "\"}"),
          "x"};
}

std::vector<std::string> ids(const ObjectSelection& selection,
                             const std::vector<FoundObject>& found) {
  std::vector<std::string> out;
  for (const auto& split : selection.splits(found)) out.push_back(split.id);
  return out;
}

const std::vector<FoundObject> kFound = {
    {"in/b", "1", 1, 30, {}}, {"in/c", "7", 1, 10, {}}, {"in/a", "2", 1, 30, {}}};

TEST(Selection, TakesAllInOrder) {
  EXPECT_THAT(ids(selection("all", "name"), kFound), ElementsAre("in/a", "in/b", "in/c"));
  EXPECT_THAT(ids(selection("all", "modified"), kFound), ElementsAre("in/c", "in/a", "in/b"));
}

TEST(Selection, WhatIsReadOnceHasItsVersionInTheId) {
  EXPECT_THAT(ids(selection("new", "name"), kFound), ElementsAre("in/a#2", "in/b#1", "in/c#7"));
  EXPECT_TRUE(selection("new", "name").splits(kFound)[0].once);
  EXPECT_FALSE(selection("all", "name").splits(kFound)[0].once);
}

TEST(Selection, TheNewestIsTheLastInOrder) {
  EXPECT_THAT(ids(selection("newest", "modified"), kFound), ElementsAre("in/b#1"));
  EXPECT_THAT(ids(selection("newest", "name"), kFound), ElementsAre("in/c#7"));
  EXPECT_THAT(ids(selection("newest", "name"), {}), IsEmpty());
}

TEST(Selection, IsOneStream) {
  const ObjectSelection all = selection("all", "name");
  EXPECT_EQ(all.stream(), "in");
  EXPECT_TRUE(all.is_wanted({}));
  EXPECT_TRUE(all.is_wanted({"in", "out"}));
  EXPECT_FALSE(all.is_wanted({"out"}));
}

}  // namespace
}  // namespace patchbay
