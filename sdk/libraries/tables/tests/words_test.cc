// A remote's words without the rows' values.
#include "patchbay/tables/words.h"

#include <gmock/gmock.h>

#include "patchbay/builder.h"

namespace patchbay::tables {
namespace {

using testing::UnorderedElementsAre;

const Schema kStream{"s",
                     {{"id", scalar(TypeId::kInt64), true},
                      {"city", scalar(TypeId::kUtf8), true},
                      {"who", list_of(struct_of({{"name", scalar(TypeId::kUtf8), true}})), true}},
                     {}};

TEST(WithoutValues, PathsStayAndValuesGo) {
  const struct {
    const char *said, *shown;
  } kCases[] = {
      {"no such field: suffix.", "no such field: suffix."},
      {"Cannot convert value to integer (bad value):Ann Lee",
       "Cannot convert value to integer (bad value): ***"},
      {"Could not parse 'Ann' as INT64 for field who.name (position 3)",
       "Could not parse '***' as INT64 for field who.name (position 3)"},
      {"Could not parse 'D'Artagnan' as DATE for field v",
       "Could not parse '***' as DATE for field v"},
      {"Invalid datetime string \"soon\"", "Invalid datetime string \"***\""},
      {"Invalid value: \"Say \"Mandel\"\"", "Invalid value: ***"},
      {"Cannot convert value to integer (bad value): Brown; seen by Dr Green",
       "Cannot convert value to integer (bad value): ***"},
      {"Field 'who.name' isn't a record, can't use \"id\"",
       "Field 'who.name' isn't a record, can't use \"id\""},
      {"Only optional fields can be set to NULL. Field: id; Value: NULL",
       "Only optional fields can be set to NULL. Field: id; Value: NULL"},
      {"a `tick` here", "a `***` here"},
      {"an open 'quote", "an open '***'"},
      {"Invalid value at 'rows[1].json.city' (TYPE_INT64), \"Quendolf\"",
       "Invalid value at 'rows[1].json.city' (TYPE_INT64), \"***\""},
  };
  for (const auto& c : kCases) EXPECT_EQ(without_values(c.said, kStream), c.shown);
  EXPECT_LE(without_values(std::string(9999, 'x'), kStream).size(), 500u);
}

TEST(WithoutValues, TheRowsOwnTextsGoWhereverTheyAreLongestFirst) {
  const auto shown = [](const char* said, const std::vector<std::string>& texts) {
    return without_values(said, kStream, texts);
  };
  EXPECT_EQ(shown("Value Tom Mandel cannot be cast", {"Tom", "Tom Mandel"}),
            "Value *** cannot be cast");
  EXPECT_EQ(shown("no field of a", {"a", "of"}), "no field *** ***");
  EXPECT_EQ(shown("it is an age", {"a"}), "it is an age");
  EXPECT_EQ(shown("field city is bad", {"city"}), "field city is bad");
  EXPECT_EQ(shown("cannot cast A very long name of som... here", {"A very long name of somebody"}),
            "cannot cast ***... here");
  EXPECT_EQ(shown("got 4711", {"4711"}), "got ***");
}

TEST(TextsOf, AreAllTextsAndNumbersOfTheRowAtAnyDepth) {
  BatchBuilder batch(std::make_shared<Schema>(kStream));
  batch.column<Int64Builder>(0).append(4711);
  batch.column<Utf8Builder>(1).append("Oslo");
  auto& who = batch.column<ListBuilder>(2);
  who.append();
  who.item<StructBuilder>().append();
  who.item<StructBuilder>().member<Utf8Builder>(0).append("Ann");
  EXPECT_THAT(texts_of(batch.finish(), 0), UnorderedElementsAre("4711", "Oslo", "Ann"));
}

}  // namespace
}  // namespace patchbay::tables
