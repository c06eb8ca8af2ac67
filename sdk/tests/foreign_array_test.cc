#include "foreign_array.h"

#include <gtest/gtest.h>

#include "every_type.h"

namespace patchbay {
namespace {

using Lines = std::vector<std::string>;

// A struct whose own offset is 2, with columns that have offsets of their own.
struct Offsets {
  const int64_t numbers[8] = {0, 10, 20, 30, 40, 50, 60, 70};
  const uint8_t number_validity[1] = {0b11011111};  // 50 is null
  const uint8_t bits[2] = {0b01010101, 0b00000010};
  const int32_t text_offsets[7] = {3, 3, 5, 5, 8, 9, 12};
  const char* text_data = "???aabbbcddd";
  const int32_t list_offsets[6] = {0, 1, 3, 3, 4, 6};
  const uint8_t struct_validity[1] = {0b11101111};

  ForeignArray number{5, 2, 1, {number_validity, numbers}};
  ForeignArray flag{5, 4, -1, {nullptr, bits}};
  ForeignArray text{5, 1, 0, {nullptr, text_offsets, text_data}};
  ForeignArray item{6, 1, 0, {nullptr, numbers}};
  ForeignArray list{5, 0, 0, {nullptr, list_offsets}, {&item}};
  ForeignArray member{8, 0, 0, {nullptr, numbers}};
  ForeignArray row{5, 1, -1, {struct_validity}, {&member}};
  ForeignArray root{3, 2, 0, {nullptr}, {&number, &flag, &text, &list, &row}};

  Schema schema{"s",
                {{"n", scalar(TypeId::kInt64), true},
                 {"f", scalar(TypeId::kBool), true},
                 {"t", scalar(TypeId::kUtf8), true},
                 {"l", parse_type("list<int64>"), true},
                 {"r", parse_type("struct<m: int64>"), true}},
                {}};
  const Lines expected{R"({"n":40,"f":true,"t":"bbb","l":[],"r":{"m":30}})",
                       R"({"n":null,"f":false,"t":"c","l":[40],"r":null})",
                       R"({"n":60,"f":false,"t":"ddd","l":[50,60],"r":{"m":50}})"};
};

TEST(ForeignArray, OffsetsOfEveryLevelAddUp) {
  const Offsets o;
  EXPECT_NO_THROW(validate(o.schema, o.root.c));
  EXPECT_EQ(as_json(o.schema, o.root.c), o.expected);
}

TEST(ForeignArray, SplittingAndJoiningKeepsTheOffsets) {
  Offsets o;
  Array joined = join_columns(split_columns(Array(&o.root.c)), 3);
  EXPECT_NO_THROW(validate(o.schema, joined.get()));
  EXPECT_EQ(as_json(o.schema, joined.get()), o.expected);
}

TEST(ForeignArray, AColumnThatIsLeftOutIsFreed) {
  const int64_t numbers[3] = {1, 2, 3};
  int freed = 0;
  ForeignArray kept{3, 0, 0, {nullptr, numbers}}, left_out{3, 0, 0, {nullptr, numbers}};
  left_out.c.private_data = &freed;
  left_out.c.release = [](ArrowArray* array) {
    ++*static_cast<int*>(array->private_data);
    array->release = nullptr;
  };
  ForeignArray root{3, 0, 0, {nullptr}, {&kept, &left_out}};
  const auto schema = std::make_shared<Schema>(
      Schema{"s", {{"a", scalar(TypeId::kInt64)}, {"b", scalar(TypeId::kInt64)}}, {}});
  Batch batch(schema, Array(&root.c));
  std::vector<Array> first = split_columns(batch.slice(0, 2).take());
  std::vector<Array> second = split_columns(batch.take());
  first.pop_back();
  EXPECT_EQ(freed, 0);
  second.pop_back();
  EXPECT_EQ(freed, 1);
}

TEST(ForeignArray, SlicesStandOnItsOffsets) {
  Offsets o;
  Batch batch(std::make_shared<Schema>(o.schema), Array(&o.root.c));
  EXPECT_EQ(as_json(batch.slice(1, 2)), (Lines{o.expected[1], o.expected[2]}));
  EXPECT_EQ(as_json(batch.rows_at({2, 0})), (Lines{o.expected[2], o.expected[0]}));
}

TEST(ForeignArray, BytesAreOfTheRowsShown) {
  Offsets o;
  const Batch batch(std::make_shared<Schema>(o.schema), Array(&o.root.c));
  EXPECT_GT(batch.bytes(), 0);
  EXPECT_LT(batch.bytes(), 250);
}

TEST(ForeignArray, ValidityMayBeginInsideAByte) {
  const int8_t values[20] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
  const uint8_t validity[3] = {0b10110111, 0b01111110, 0b1101};
  const auto valid = [&](int64_t i) { return (validity[i / 8] >> (i % 8) & 1) != 0; };
  const Schema schema{"s", {{"n", scalar(TypeId::kInt8), true}}, {}};
  for (int64_t offset = 0; offset < 20; ++offset) {
    ForeignArray column(20 - offset, offset, -1, {validity, values});
    ForeignArray root(20 - offset, 0, 0, {nullptr}, {&column});
    const auto lines = as_json(schema, root.c);
    for (int64_t i = 0; i < 20 - offset; ++i) {
      const std::string value = valid(offset + i) ? std::to_string(offset + i) : "null";
      EXPECT_EQ(lines[static_cast<size_t>(i)], "{\"n\":" + value + "}");
    }
  }
}

TEST(ForeignArray, EmptyOnesMayLeaveBuffersOut) {
  ForeignArray item(0, 0, 0, {nullptr, nullptr});
  ForeignArray list(0, 0, 0, {nullptr, nullptr}, {&item});
  ForeignArray text(0, 0, 0, {nullptr, nullptr, nullptr});
  ForeignArray root(0, 0, 0, {nullptr}, {&list, &text});
  const Schema schema{
      "s", {{"l", parse_type("list<int8>"), true}, {"t", scalar(TypeId::kUtf8), true}}, {}};
  EXPECT_NO_THROW(validate(schema, root.c));
  Batch batch(std::make_shared<Schema>(schema), Array(&root.c));
  EXPECT_EQ(batch.bytes(), 0);
  EXPECT_EQ(batch.slice(0, 0).rows(), 0);
  EXPECT_EQ(batch.rows_at({}).rows(), 0);
}

TEST(ForeignArray, TextOfNothingButEmptyStringsNeedsNoBytes) {
  const int32_t offsets[3] = {0, 0, 0};
  ForeignArray text(2, 0, 0, {nullptr, offsets, nullptr});
  ForeignArray root(2, 0, 0, {nullptr}, {&text});
  const Schema schema{"s", {{"t", scalar(TypeId::kUtf8), true}}, {}};
  EXPECT_NO_THROW(validate(schema, root.c));
  EXPECT_EQ(as_json(schema, root.c), (Lines{R"({"t":""})", R"({"t":""})"}));
}

}  // namespace
}  // namespace patchbay
