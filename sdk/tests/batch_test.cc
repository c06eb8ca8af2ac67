#include "patchbay/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "every_type.h"
#include "patchbay/error.h"

namespace patchbay {
namespace {

using Lines = std::vector<std::string>;

Lines part_of(const Lines& lines, int64_t offset, int64_t length) {
  return {lines.begin() + offset, lines.begin() + offset + length};
}

TEST(Slice, ShowsItsRowsAtEveryOffset) {
  const Lines all = as_json(rows_of_every_type(40));
  Batch batch = rows_of_every_type(40);
  for (int64_t offset = 0; offset <= 40; ++offset) {
    for (const int64_t length : {int64_t{0}, std::min<int64_t>(9, 40 - offset), 40 - offset}) {
      const Batch slice = batch.slice(offset, length);
      EXPECT_EQ(as_json(slice), part_of(all, offset, length));
      EXPECT_NO_THROW(validate(*slice.schema(), slice.array()));
    }
  }
  EXPECT_EQ(as_json(batch), all);
}

TEST(Slice, OfASliceCountsFromItsOwnStart) {
  const Lines all = as_json(rows_of_every_type(40));
  Batch batch = rows_of_every_type(40);
  Batch middle = batch.slice(5, 30);
  Batch inner = middle.slice(7, 11);
  EXPECT_EQ(as_json(inner.slice(3, 4)), part_of(all, 15, 4));
}

TEST(Slice, SharesTheBuffers) {
  Batch batch = rows_of_every_type(40);
  const void* values = batch.array().children[4]->buffers[1];
  EXPECT_EQ(batch.slice(10, 5).array().children[4]->buffers[1], values);
}

TEST(Slice, MayBeReleasedInAnyOrder) {
  const Lines all = as_json(rows_of_every_type(30));
  std::vector<int> order{0, 1, 2, 3};
  do {
    std::vector<Batch> batches;
    batches.push_back(rows_of_every_type(30));
    batches.push_back(batches[0].slice(0, 10));
    batches.push_back(batches[0].slice(10, 20));
    batches.push_back(batches[2].slice(5, 10));
    const std::vector<Lines> expected{all, part_of(all, 0, 10), part_of(all, 10, 20),
                                      part_of(all, 15, 10)};
    for (size_t gone = 0; gone < order.size(); ++gone) {
      for (size_t left = gone; left < order.size(); ++left) {
        const auto i = static_cast<size_t>(order[left]);
        EXPECT_EQ(as_json(batches[i]), expected[i]);
      }
      batches[static_cast<size_t>(order[gone])] = Batch();
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Slice, MayBeReleasedOnOtherThreads) {
  Batch batch = rows_of_every_type(64);
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < 8; ++i) {
    threads.emplace_back([slice = batch.slice(i * 8, 8)] { EXPECT_EQ(as_json(slice).size(), 8u); });
  }
  batch = Batch();
  for (auto& thread : threads) thread.join();
}

TEST(Slice, ItsColumnsMayBeMovedOut) {
  ArrowArray column{};
  {
    Batch batch = rows_of_every_type(40);
    Batch slice = batch.slice(10, 5);
    ArrowArray& child = *slice.array().children[19];
    column = child;
    child.release = nullptr;
  }
  EXPECT_EQ(static_cast<const int64_t*>(column.children[0]->buffers[1])[10], 100);
  column.release(&column);
}

TEST(Slice, OutsideTheBatchIsABug) {
  Batch batch = rows_of_every_type(10);
  for (const auto& [offset, length] : std::initializer_list<std::pair<int64_t, int64_t>>{
           {-1, 2}, {0, 11}, {11, 0}, {5, 6}, {0, -1}, {1, INT64_MAX}}) {
    EXPECT_THROW(batch.slice(offset, length), Error) << offset << ' ' << length;
  }
}

TEST(Columns, SplitAndJoinGiveTheSameRows) {
  const Lines all = as_json(rows_of_every_type(40));
  for (const auto& [offset, length] : std::initializer_list<std::pair<int64_t, int64_t>>{
           {0, 40}, {0, 13}, {11, 13}, {39, 1}, {40, 0}}) {
    Batch batch = rows_of_every_type(40);
    Array part = batch.slice(offset, length).take();
    const Batch joined(every_type(), join_columns(split_columns(std::move(part)), length));
    EXPECT_EQ(as_json(joined), part_of(all, offset, length)) << offset << ' ' << length;
    EXPECT_EQ(joined.array().offset, 0);
    EXPECT_NO_THROW(validate(*joined.schema(), joined.array()));
  }
}

TEST(Columns, OutliveEachOther) {
  std::vector<Array> columns = split_columns(rows_of_every_type(20).take());
  std::vector<Array> kept;
  kept.push_back(std::move(columns[12]));
  columns.clear();
  const Batch batch(std::make_shared<Schema>(Schema{"s", {every_type()->fields[12]}, {}}),
                    join_columns(std::move(kept), 20));
  EXPECT_EQ(as_json(batch)[3], R"({"utf8":"tex"})");
}

TEST(Columns, JoiningColumnsThatAreTooShortIsABug) {
  EXPECT_THROW(join_columns(split_columns(rows_of_every_type(5).take()), 6), Error);
}

TEST(RowsAt, CopiesTheseRowsInThisOrder) {
  const Lines all = as_json(rows_of_every_type(40));
  Batch batch = rows_of_every_type(40);
  const Batch slice = batch.slice(8, 30);
  const Batch rows = slice.rows_at({29, 0, 7, 7, 13});
  EXPECT_EQ(as_json(rows), (Lines{all[37], all[8], all[15], all[15], all[21]}));
  EXPECT_NO_THROW(validate(*rows.schema(), rows.array()));
  EXPECT_EQ(slice.rows_at({}).rows(), 0);
}

TEST(Bytes, OfTheSlicesAddUpToTheBatch) {
  Batch batch = rows_of_every_type(4096);
  const int64_t whole = batch.bytes();
  int64_t sum = 0;
  for (int64_t i = 0; i < 4096; i += 64) sum += batch.slice(i, 64).bytes();
  EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(whole),
              0.05 * static_cast<double>(whole));
}

TEST(Bytes, OfOneRowAreThatRowsAlone) {
  BatchBuilder builder(
      std::make_shared<Schema>(Schema{"s", {{"l", parse_type("list<utf8>"), true}}, {}}));
  auto& list = builder.column<ListBuilder>(0);
  list.append();
  list.item<Utf8Builder>().append(std::string(1'000'000, 'x'));
  list.append();
  list.item<Utf8Builder>().append("y");
  Batch batch = builder.finish();
  EXPECT_GE(batch.slice(0, 1).bytes(), 1'000'000);
  EXPECT_LT(batch.slice(1, 1).bytes(), 100);
  std::vector<Array> columns = split_columns(batch.slice(1, 1).take());
  EXPECT_LT(Batch(batch.schema(), join_columns(std::move(columns), 1)).bytes(), 100);
}

TEST(Array, MovingLeavesItEmpty) {
  Batch batch = rows_of_every_type(3);
  Array first = batch.take();
  Array second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that is the claim
  ArrowArray out{};
  second.move_to(&out);
  EXPECT_FALSE(second);
  ASSERT_TRUE(out.release);
  const Array back(&out);
  EXPECT_FALSE(out.release);
  EXPECT_EQ(as_json(*every_type(), back.get()), as_json(rows_of_every_type(3)));
  EXPECT_EQ(batch.rows(), 0);
}

}  // namespace
}  // namespace patchbay
