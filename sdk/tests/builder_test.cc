#include "patchbay/builder.h"

#include <gtest/gtest.h>

#include "every_type.h"
#include "patchbay/view.h"

namespace patchbay {
namespace {

SchemaPtr schema_of(std::vector<Field> fields) {
  return std::make_shared<Schema>(Schema{"s", std::move(fields), {}});
}

TEST(Builder, TypedViewsReadWhatWasAppended) {
  const Batch batch = rows_of_every_type(50);
  const BatchView view(batch);
  const auto i8 = view.column<Int8View>("int8");
  const auto u64 = view.column<Uint64View>("uint64");
  const auto flag = view.column<BoolView>("bool");
  const auto text = view.column<Utf8View>("utf8");
  const auto amount = view.column<DecimalView>("decimal128(12, 3)");
  for (int64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(flag.is_null(i), i % 7 == 0);
    EXPECT_EQ(i8.is_null(i), (i + 1) % 7 == 0);
    if (!flag.is_null(i)) {
      EXPECT_EQ(flag[i], i % 2 == 0);
    }
    if (!i8.is_null(i)) {
      EXPECT_EQ(i8[i], i - 100);
    }
    if (!u64.is_null(i)) {
      EXPECT_EQ(u64[i], UINT64_MAX - static_cast<uint64_t>(i));
    }
    if (!text.is_null(i)) {
      EXPECT_EQ(text[i].size(), static_cast<size_t>(i % 19));
    }
    if (!amount.is_null(i)) {
      EXPECT_TRUE(amount[i] == i - 12'345);
    }
  }
  EXPECT_NO_THROW(validate(*batch.schema(), batch.array()));
}

TEST(Builder, NestedViewsReadWhatWasAppended) {
  const Batch batch = rows_of_every_type(50);
  const BatchView view(batch);
  const auto list = view.column<ListView>("list<utf8>");
  const auto items = list.item<Utf8View>();
  const auto row = view.column<StructView>("struct<id: int64, flags: list<bool>>");
  const auto id = row.member<Int64View>(0);
  for (int64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(list.is_null(i), (i + 18) % 7 == 0);
    if (!row.is_null(i)) {
      EXPECT_EQ(id[i], i * 10);
    }
    if (list.is_null(i)) continue;
    EXPECT_EQ(list[i].end - list[i].begin, i % 4);
    for (int64_t n = list[i].begin; n < list[i].end; ++n) {
      EXPECT_EQ(items[n], "item " + std::to_string(n - list[i].begin));
    }
  }
}

TEST(Builder, FinishLeavesItEmptyAndUsable) {
  BatchBuilder builder(every_type());
  append_row(builder, 3);
  const Batch first = builder.finish();
  EXPECT_EQ(builder.rows(), 0);
  append_row(builder, 4);
  const Batch second = builder.finish();
  EXPECT_EQ(as_json(first), (std::vector{as_json(rows_of_every_type(5))[3]}));
  EXPECT_EQ(as_json(second), (std::vector{as_json(rows_of_every_type(5))[4]}));
}

TEST(Builder, EmptyBatchesAreValid) {
  const Batch batch = rows_of_every_type(0);
  EXPECT_EQ(batch.rows(), 0);
  EXPECT_EQ(batch.bytes(), 0);
  EXPECT_NO_THROW(validate(*batch.schema(), batch.array()));
  EXPECT_TRUE(as_json(batch).empty());
}

TEST(Builder, BuffersAreHandedOverWithoutCopying) {
  BatchBuilder builder(schema_of({{"t", scalar(TypeId::kUtf8), true}}));
  auto& text = builder.column<Utf8Builder>(0);
  text.append(std::string(1 << 20, 'x'));
  const int64_t bytes = builder.bytes();
  const Batch batch = builder.finish();
  EXPECT_EQ(builder.bytes(), static_cast<int64_t>(sizeof(int32_t)));
  EXPECT_GE(bytes, 1 << 20);
}

// Nulls and values around the byte boundaries of a bitmap, the first null at every place.
TEST(Builder, ValidityHoldsWhereverTheFirstNullIs) {
  for (int64_t first = 0; first < 20; ++first) {
    BatchBuilder builder(schema_of({{"n", scalar(TypeId::kInt32), true}}));
    auto& n = builder.column<Int32Builder>(0);
    for (int32_t i = 0; i < 20; ++i) {
      if (i == first || i == 19) {
        n.append_null();
      } else {
        n.append(i);
      }
    }
    const Batch batch = builder.finish();
    EXPECT_EQ(batch.array().children[0]->null_count, first == 19 ? 1 : 2);
    const auto view = BatchView(batch).column<Int32View>(0);
    for (int64_t i = 0; i < 20; ++i) EXPECT_EQ(view.is_null(i), i == first || i == 19) << first;
  }
}

TEST(Builder, WithoutNullsThereIsNoBitmap) {
  BatchBuilder builder(schema_of({{"n", scalar(TypeId::kInt32), true}}));
  builder.column<Int32Builder>(0).append(1);
  const Batch batch = builder.finish();
  EXPECT_EQ(batch.array().children[0]->buffers[0], nullptr);
  EXPECT_EQ(batch.array().children[0]->null_count, 0);
}

TEST(Builder, TruncateKeepsTheRowsBefore) {
  for (int64_t keep = 0; keep <= 40; ++keep) {
    BatchBuilder builder(every_type());
    for (int64_t i = 0; i < 40; ++i) append_row(builder, i);
    builder.truncate(keep);
    for (int64_t i = keep; i < 45; ++i) append_row(builder, i);
    const Batch batch = builder.finish();
    EXPECT_EQ(as_json(batch), as_json(rows_of_every_type(45))) << keep;
    EXPECT_NO_THROW(validate(*batch.schema(), batch.array()));
  }
}

TEST(Builder, TruncateCountsTheNullsThatRemain) {
  BatchBuilder builder(schema_of({{"n", scalar(TypeId::kInt32), true}}));
  for (int i = 0; i < 20; ++i) builder.column(0).append_null();
  builder.truncate(9);
  EXPECT_EQ(builder.finish().array().children[0]->null_count, 9);
}

TEST(Builder, TruncateUndoesAHalfReadRow) {
  const auto schema = schema_of({{"id", scalar(TypeId::kInt64), true},
                                 {"l", parse_type("list<struct<a: int32, b: utf8>>"), true},
                                 {"late", scalar(TypeId::kBool), true}});
  BatchBuilder builder(schema);
  const auto whole_row = [&](int64_t id) {
    builder.column<Int64Builder>(0).append(id);
    auto& list = builder.column<ListBuilder>(1);
    list.append();
    auto& item = list.item<StructBuilder>();
    item.append();
    item.member<Int32Builder>(0).append(1);
    item.member<Utf8Builder>(1).append("b");
    builder.column<BoolBuilder>(2).append(true);
  };
  whole_row(1);
  builder.column<Int64Builder>(0).append(2);
  auto& list = builder.column<ListBuilder>(1);
  list.append();
  list.item<StructBuilder>().append();
  list.item<StructBuilder>().member<Int32Builder>(0).append(9);  // b and late never come
  builder.truncate(1);
  whole_row(3);
  EXPECT_EQ(as_json(builder.finish()),
            (std::vector<std::string>{R"({"id":1,"l":[{"a":1,"b":"b"}],"late":true})",
                                      R"({"id":3,"l":[{"a":1,"b":"b"}],"late":true})"}));
}

TEST(Builder, AShortColumnIsABug) {
  BatchBuilder builder(
      schema_of({{"a", scalar(TypeId::kInt64), true}, {"b", scalar(TypeId::kInt64), true}}));
  builder.column<Int64Builder>(0).append(1);
  EXPECT_THROW(builder.finish(), Error);
}

TEST(Builder, AnotherTypeThanTheSchemasIsABug) {
  BatchBuilder builder(every_type());
  EXPECT_THROW(builder.column<Int64Builder>("utf8"), Error);
  EXPECT_THROW(builder.column("nothing"), Error);
  const Batch batch = builder.finish();
  EXPECT_THROW(BatchView(batch).column<Int64View>("utf8"), Error);
  EXPECT_THROW(BatchView(batch).column<Int64View>("nothing"), Error);
}

TEST(Builder, ColumnsMayBeMovedOutOfTheBatch) {
  ArrowArray column{};
  {
    const Batch batch = rows_of_every_type(10);
    ArrowArray& child = *batch.array().children[4];
    column = child;
    child.release = nullptr;
  }
  EXPECT_EQ(static_cast<const int64_t*>(column.buffers[1])[1], 1 - 10'000'000'000);
  column.release(&column);
}

#ifndef NDEBUG
TEST(BuilderDeathTest, DebugBuildsCheckEveryIndex) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const Batch batch = rows_of_every_type(3);
  const BatchView view(batch);
  EXPECT_DEATH(view.column<Int64View>("int64")[3], "i < length_");
  EXPECT_DEATH(view.column<Utf8View>("utf8")[-1], "i >= 0");
  EXPECT_DEATH(view.column<BoolView>("bool").is_null(3), "i < length_");
  EXPECT_DEATH(view.column<ListView>("list<utf8>")[7], "i < length_");
}
#endif

}  // namespace
}  // namespace patchbay
