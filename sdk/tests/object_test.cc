#include "patchbay/object.h"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

TEST(Object, ChunksReadBack) {
  const auto schema = std::make_shared<Schema>(object_schema("files"));
  ObjectBuilder builder(schema);
  builder.append({"a/b.csv", 5, 1'000'000, "tag", 0, std::string_view("a\0b", 3), false});
  builder.append({"a/b.csv", 5, 1'000'000, "tag", 3, "cd", true});
  builder.append({"empty", std::nullopt, std::nullopt, std::nullopt, 0, "", true});
  EXPECT_EQ(builder.rows(), 3);
  const Batch batch = builder.finish();
  const ObjectView view(batch);
  ASSERT_EQ(view.rows(), 3);
  EXPECT_EQ(view[0].key, "a/b.csv");
  EXPECT_EQ(view[0].data, std::string_view("a\0b", 3));
  EXPECT_EQ(view[0].size, 5);
  EXPECT_EQ(view[0].etag, "tag");
  EXPECT_EQ(view[1].offset, 3);
  EXPECT_TRUE(view[1].last);
  EXPECT_FALSE(view[2].size || view[2].modified || view[2].etag);
  EXPECT_TRUE(view[2].data.empty() && view[2].last);
}

TEST(Object, SchemasAreKnownByTheirColumns) {
  Schema schema = object_schema("files");
  EXPECT_TRUE(is_object_schema(schema));
  schema.fields.pop_back();
  EXPECT_FALSE(is_object_schema(schema));
  EXPECT_FALSE(is_object_schema({}));
}

}  // namespace
}  // namespace patchbay
