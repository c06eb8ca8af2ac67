// What validate refuses in arrays that others made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "foreign_array.h"
#include "patchbay/batch.h"
#include "patchbay/error.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

// A good array of every layout; each case breaks one thing in it.
struct Good {
  const uint8_t validity[1] = {0b111};
  const int64_t numbers[4] = {1, 2, 3, 4};
  int32_t text_offsets[4] = {0, 1, 2, 3};
  int32_t list_offsets[4] = {0, 1, 2, 4};

  ForeignArray n{3, 0, 0, {validity, numbers}};
  ForeignArray t{3, 0, 0, {nullptr, text_offsets, "abc"}};
  ForeignArray item{4, 0, 0, {nullptr, numbers}};
  ForeignArray l{3, 0, 0, {nullptr, list_offsets}, {&item}};
  ForeignArray m{3, 0, 0, {nullptr, numbers}};
  ForeignArray r{3, 0, 0, {nullptr}, {&m}};
  ForeignArray root{3, 0, 0, {nullptr}, {&n, &t, &l, &r}};
};

const Schema& schema() {
  static const Schema schema{"s",
                             {{"n", scalar(TypeId::kInt64), true},
                              {"t", scalar(TypeId::kUtf8), true},
                              {"l", parse_type("list<int64>"), true},
                              {"r", parse_type("struct<m: int64>"), true}},
                             {}};
  return schema;
}

TEST(Validate, AcceptsTheGoodOne) {
  const Good good;
  EXPECT_NO_THROW(validate(schema(), good.root.c));
}

struct Case {
  const char* words;  // part of the message
  std::function<void(Good&)> break_it;
};

const Case kCases[] = {
    {"negative length", [](Good& g) { g.root.c.length = -1; }},
    {"negative length", [](Good& g) { g.root.c.offset = -1; }},
    {"too large", [](Good& g) { g.root.c.offset = INT64_MAX; }},
    {"nulls at top level", [](Good& g) { g.root.c.null_count = 1; }},
    {"nulls at top level",
     [](Good& g) {
       static const uint8_t two_of_three[1] = {0b101};
       g.root.buffers[0] = two_of_three;
       g.root.c.null_count = -1;
     }},
    {"released", [](Good& g) { g.root.c.release = nullptr; }},
    {"3 children where the schema has 4", [](Good& g) { g.root.c.n_children = 3; }},
    {"a missing child", [](Good& g) { g.root.c.children = nullptr; }},
    {"a missing child", [](Good& g) { g.root.pointers[1] = nullptr; }},
    {"array n: released", [](Good& g) { g.n.c.release = nullptr; }},
    {"array n: fewer rows", [](Good& g) { g.n.c.length = 2; }},
    {"array n: fewer rows", [](Good& g) { g.root.c.offset = 1; }},
    {"array n: a negative", [](Good& g) { g.n.c.offset = -1; }},
    {"array n: 3 buffers", [](Good& g) { g.n.c.n_buffers = 3; }},
    {"array n: 2 buffers where int64", [](Good& g) { g.n.c.buffers = nullptr; }},
    {"array n: no values", [](Good& g) { g.n.buffers[1] = nullptr; }},
    {"array n: nulls without", [](Good& g) { g.n.buffers[0] = nullptr, g.n.c.null_count = 1; }},
    {"array n: more nulls than rows", [](Good& g) { g.n.c.null_count = 4; }},
    {"array n: offset and length too large",
     [](Good& g) { g.n.c.length = INT64_MAX, g.n.c.offset = INT64_MAX; }},
    {"array t: offsets that decrease", [](Good& g) { g.text_offsets[1] = 3; }},
    {"array t: a negative offset", [](Good& g) { g.text_offsets[0] = -1; }},
    {"array t: no values", [](Good& g) { g.t.buffers[1] = nullptr; }},
    {"array t: no bytes", [](Good& g) { g.t.buffers[2] = nullptr; }},
    {"array l: offsets beyond its items", [](Good& g) { g.list_offsets[3] = 5; }},
    {"array l: offsets that decrease", [](Good& g) { g.list_offsets[2] = 0; }},
    {"array l: 0 children", [](Good& g) { g.l.c.n_children = 0; }},
    {"array l: a missing child", [](Good& g) { g.l.pointers[0] = nullptr; }},
    {"array l.item: no values", [](Good& g) { g.item.buffers[1] = nullptr; }},
    {"array r.m: fewer rows", [](Good& g) { g.r.c.offset = 1; }},
    {"array r.m: no values", [](Good& g) { g.m.buffers[1] = nullptr; }},
};

TEST(Validate, NamesWhatIsBroken) {
  for (const auto& c : kCases) {
    Good good;
    c.break_it(good);
    try {
      validate(schema(), good.root.c);
      ADD_FAILURE() << "accepted: " << c.words;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      EXPECT_THAT(error.what(), HasSubstr(c.words));
    }
  }
}

// Views of an empty list reach for its item as well.
TEST(Validate, EmptyListsNeedTheirItemToo) {
  ForeignArray list(0, 0, 0, {nullptr, nullptr});
  ForeignArray root(0, 0, 0, {nullptr}, {&list});
  const Schema lists{"s", {{"l", parse_type("list<int64>"), true}}, {}};
  EXPECT_THROW(validate(lists, root.c), Error);
}

}  // namespace
}  // namespace patchbay
