// The edges between nodes: how much they hold.
#include <gtest/gtest.h>

#include "engine/outlet.h"
#include "patchbay/builder.h"

namespace patchbay::host {
namespace {

SchemaPtr wide_schema(size_t columns) {
  Schema schema{"wide", {}, {}};
  for (size_t i = 0; i < columns; ++i)
    schema.fields.push_back({"c" + std::to_string(i), scalar(TypeId::kInt64), true});
  return std::make_shared<const Schema>(std::move(schema));
}

Batch one_row(const SchemaPtr& schema) {
  BatchBuilder builder(schema);
  for (size_t i = 0; i < schema->fields.size(); ++i) builder.column<Int64Builder>(i).append(1);
  return builder.finish();
}

TEST(EdgeTest, TinyBatchesCountWithTheMemoryThatTheyTake) {
  constexpr size_t kColumns = 20, kBatches = 100;
  Inbox inbox(1, 1 << 30);
  Outlet outlet({});
  outlet.add(inbox, 0, {});
  const SchemaPtr schema = wide_schema(kColumns);
  outlet.stream(0, schema, "wide");
  for (size_t i = 0; i < kBatches; ++i) {
    Batch batch = one_row(schema);
    const int64_t bytes = batch.bytes();
    outlet.batch(0, std::move(batch), bytes);
  }
  EXPECT_GE(inbox.queued_bytes(), static_cast<int64_t>(kBatches * kColumns * sizeof(ArrowArray)));
}

TEST(EdgeTest, AnEdgeIsEmptyAgainOnceItsBatchesAreTaken) {
  Inbox inbox(1, 1 << 20);
  Outlet outlet({});
  outlet.add(inbox, 0, {});
  const SchemaPtr schema = wide_schema(2);
  outlet.stream(0, schema, "wide");
  outlet.batch(0, one_row(schema), 16);
  ASSERT_TRUE(inbox.pop(0) && inbox.pop(0));
  EXPECT_EQ(inbox.queued_bytes(), 0);
}

}  // namespace
}  // namespace patchbay::host
