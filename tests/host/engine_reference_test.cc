// Streams by reference: only where a manifest says so, and without rows.
#include <gmock/gmock.h>

#include "engine/stages.h"

namespace patchbay::host {
namespace {

std::string refusal(const Json::Value& references, const Schema& schema, bool rows) {
  ComponentManifest component;
  component.references = references;
  Node node;
  node.id = "a";
  node.component = &component;
  try {
    check_reference(node, schema, rows);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
    return error.what();
  }
  return "";
}

TEST(ReferenceTest, IsDeclaredAndHasNoRows) {
  const Schema rows{"s", {}, {}}, reference{"s", {}, {}, R"({"system": "lake"})"};
  EXPECT_EQ(refusal({}, rows, true), "");
  EXPECT_EQ(refusal("lake", reference, false), "");
  EXPECT_THAT(refusal({}, reference, false), testing::HasSubstr("which its manifest does not say"));
  EXPECT_THAT(refusal("lake", reference, true), testing::HasSubstr("and sends rows"));
}

}  // namespace
}  // namespace patchbay::host
