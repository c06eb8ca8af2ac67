// Where a read in order of a column rests, and what the next one leaves out.
#include "patchbay/tables/cursor.h"

#include <gmock/gmock.h>

#include <optional>

#include "patchbay/json_value.h"
#include "patchbay/testing/failure.h"

namespace patchbay::tables {
namespace {

using test::failure;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Rows = std::vector<std::pair<int, std::string>>;

uint64_t digest_of(const std::string& text) {
  RowDigest digest;
  digest.add_text(RowDigest::of_name("v"), text);
  return digest.value();
}

// Reads `rows` as a source would; returns what is new, and the state in `state`.
std::vector<std::string> read(const Rows& rows, Json::Value& state,
                              const std::vector<std::string>& columns = {"id", "v"}) {
  CursorRead cursor("s", "id", state);
  cursor.set_columns(columns);
  const auto is_last = [&](const auto& row) {
    return !cursor.from().isNull() && row.first == cursor.from().asInt();
  };
  if (cursor.needs_look()) {
    for (const auto& row : rows) {
      if (is_last(row) && !cursor.look(digest_of(row.second))) break;
    }
    cursor.end_look();
  }
  std::vector<std::string> out;
  for (const auto& row : rows) {
    if (!cursor.from().isNull() && row.first < cursor.from().asInt()) continue;
    if (is_last(row) && !cursor.begins_with_last() && cursor.last() == cursor.from()) continue;
    const bool same = !cursor.last().isNull() && cursor.last().asInt() == row.first;
    if (cursor.take(row.first, same, digest_of(row.second))) out.push_back(row.second);
  }
  state = cursor.state();
  return out;
}

TEST(CursorRead, RowsOfTheLastValueThatComeLaterAreRead) {
  Json::Value state;
  Rows rows{{1, "one"}, {2, "two"}};
  EXPECT_THAT(read(rows, state), ElementsAre("one", "two"));
  EXPECT_THAT(read(rows, state), IsEmpty());
  rows.insert(rows.begin() + 1, {2, "two, later"});
  EXPECT_THAT(read(rows, state), ElementsAre("two, later"));
  rows.emplace_back(2, "two");  // a copy of a known row is a row
  EXPECT_THAT(read(rows, state), ElementsAre("two"));
  rows.emplace_back(3, "three");
  EXPECT_THAT(read(rows, state), ElementsAre("three"));
  EXPECT_THAT(read(rows, state), IsEmpty());
}

TEST(CursorRead, ARowThatIsGoneTakesNothingWithIt) {
  Json::Value state;
  EXPECT_THAT(read({{2, "a"}, {2, "b"}}, state), ElementsAre("a", "b"));
  EXPECT_THAT(read({{2, "b"}, {2, "c"}}, state), ElementsAre("c"));
  EXPECT_THAT(read({}, state), IsEmpty());
  EXPECT_THAT(read({{2, "b"}, {2, "c"}, {2, "d"}}, state), ElementsAre("d"));
}

TEST(CursorRead, AStateOfTheVersionBeforeGoesOnBehindItsValue) {
  Json::Value state = parse_json(R"({"cursor":2})");
  EXPECT_THAT(read({{1, "a"}, {2, "b"}}, state), IsEmpty());
  EXPECT_EQ(write_json(state), R"({"cursor":2})");
  EXPECT_THAT(read({{2, "b"}, {3, "c"}}, state), ElementsAre("c"));
  EXPECT_TRUE(state.isMember("known"));
}

TEST(CursorRead, TheStateStaysSmallAndManyRowsAreToldByTheirOrder) {
  Rows rows;
  for (int i = 0; i < KnownRows::kMostRows + 500; ++i) rows.emplace_back(2, std::to_string(i));
  Json::Value state;
  EXPECT_EQ(read(rows, state).size(), rows.size());
  EXPECT_LT(write_json(state).size(), 200u);
  EXPECT_THAT(read(rows, state), IsEmpty());
  rows.emplace_back(2, "later");
  EXPECT_THAT(read(rows, state), ElementsAre("later"));
  rows[7].second = "changed";
  EXPECT_THAT(failure([&] { read(rows, state); }, Code::kData),
              HasSubstr("are not those that the last run read"));
  rows.resize(10);
  EXPECT_THAT(failure([&] { read(rows, state); }, Code::kData), HasSubstr("last_value: wait"));
}

TEST(CursorRead, UpToABoundEachRowIsTold) {
  Rows rows;
  for (int i = 0; i < KnownRows::kMostRows; ++i) rows.emplace_back(2, std::to_string(i));
  Json::Value state;
  read(rows, state);
  EXPECT_LT(write_json(state).size(), 17000u);
  rows[7].second = "changed";
  EXPECT_THAT(read(rows, state), ElementsAre("changed"));
}

TEST(CursorRead, ChangedColumnsAreAnErrorWhereTheyMakeKnownRowsLookNew) {
  Json::Value state;
  read({{2, "a"}}, state);
  EXPECT_THAT(read({{2, "a"}}, state, {"id", "v", "empty"}), IsEmpty());
  EXPECT_THAT(failure([&] { read({{2, "a with more"}}, state, {"id", "v", "w"}); }, Code::kSchema),
              HasSubstr("its columns have changed since the last run"));
}

TEST(CursorRead, AValueThatIsWholeNeedsNoMemory) {
  CursorRead cursor("s", "id", {});
  EXPECT_TRUE(cursor.state().isNull());
  cursor.set_last_is_whole();
  cursor.take(1, false, 7);
  EXPECT_EQ(write_json(cursor.state()), R"({"cursor":1})");
}

TEST(CursorRead, WhatIsNoStateIsRefusedNeverReadFromTheStart) {
  for (const char* text :
       {R"("x")", "[]", R"({"cursor":1,"known":7})", R"({"cursor":1,"known":{"each":"zz"}})",
        R"({"cursor":1,"known":{"each":""}})", R"({"cursor":1,"known":{"rows":5}})"}) {
    EXPECT_THAT(failure([&] { CursorRead("s", "id", parse_json(text)); }, Code::kData),
                HasSubstr("state:"))
        << text;
  }
}

TEST(RowDigest, DependsOnNamesKindsAndValuesNotOnOrderOrNulls) {
  RowDigest a, b, c, d;
  a.add_text(RowDigest::of_name("x"), "1");
  a.add_integer(RowDigest::of_name("y"), 2);
  b.add_integer(RowDigest::of_name("y"), 2);
  b.add_text(RowDigest::of_name("x"), "1");
  EXPECT_EQ(a.value(), b.value());
  c.add_text(RowDigest::of_name("y"), "2");
  c.add_text(RowDigest::of_name("x"), "1");
  EXPECT_NE(a.value(), c.value());
  d.add_text(RowDigest::of_name("x"), "2");
  d.add_integer(RowDigest::of_name("y"), 1);
  EXPECT_NE(a.value(), d.value());
}

}  // namespace
}  // namespace patchbay::tables
