// A table's columns beside a stream's fields.
#include "patchbay/tables/columns.h"

#include <gmock/gmock.h>

#include "patchbay/json_value.h"
#include "patchbay/testing/failure.h"

namespace patchbay::tables {
namespace {

using test::failure;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const NamePolicy kFolding{"SQLite", false, false};

Schema stream(std::initializer_list<const char*> names) {
  Schema out{"s", {}, {}};
  for (const char* name : names) out.fields.push_back({name, scalar(TypeId::kUtf8), true});
  return out;
}

struct PlanTable : testing::Test {
  std::vector<std::string> plan(const std::string& json, const Schema& schema,
                                const std::optional<std::vector<Column>>& columns) {
    const auto options = parse_table_options(Config(parse_json(json)), kFolding);
    std::vector<std::string> out;
    for (const auto& step : to_json(plan_table(
             options, kFolding, schema, columns, "x.db",
             [&](const Field& field, const Column& column) -> std::optional<std::string> {
               if (field.name != misfit) return std::nullopt;
               return "is utf8, which a column of type " + column.type + " can't hold";
             })))
      out.push_back(step["action"].asString() + " " + step["field"].asString());
    return out;
  }
  std::string misfit;
};

TEST_F(PlanTable, ListsWhatTheTableLacks) {
  EXPECT_THAT(plan("{}", stream({"a"}), std::nullopt), ElementsAre("create_table "));
  EXPECT_THAT(plan("{}", stream({"a", "b"}), {{{"A"}}}), ElementsAre("add_column b"));
  EXPECT_THAT(plan("{}", stream({"a"}), {{{"a"}, {"more"}}}), IsEmpty());
  EXPECT_THAT(
      failure([&] { plan(R"({"create":false})", stream({"a"}), std::nullopt); }, Code::kNotFound),
      HasSubstr("table s: is not in x.db, and create is false"));
}

TEST_F(PlanTable, RefusesWhatAColumnCanNotTake) {
  misfit = "a";
  EXPECT_EQ(failure([&] { plan("{}", stream({"a"}), {{{"a", "INT"}}}); }, Code::kSchema),
            "a: is utf8, which a column of type INT can't hold; cast or drop it with `fields`, "
            "change the table");
  EXPECT_THAT(failure([&] { plan("{}", stream({"g"}), {{{"g", "", true}}}); }, Code::kSchema),
              HasSubstr("g: is a column that table s computes itself"));
}

TEST_F(PlanTable, AnotherTableIsReplacedOnlyWhereTheOptionSaysSo) {
  const std::vector<Column> columns{{"a"}, {"b"}, {"c"}};
  EXPECT_THAT(
      failure([&] { plan(R"({"write":"replace"})", stream({"a", "x"}), columns); }, Code::kSchema),
      AllOf(HasSubstr("table s: has the columns b and c"), HasSubstr("recreate: true")));
  EXPECT_THAT(plan(R"({"write":"replace","recreate":true})", stream({"a", "x"}), columns),
              ElementsAre("recreate_table "));
  EXPECT_THAT(plan(R"({"write":"replace","recreate":true})", stream({"a", "b", "c"}), columns),
              IsEmpty());
  misfit = "a";
  EXPECT_THAT(failure([&] { plan(R"({"write":"replace"})", stream({"a"}), {{{"a", "INT"}}}); },
                      Code::kSchema),
              HasSubstr("recreate: true"));
  EXPECT_THAT(plan(R"({"write":"replace","recreate":true})", stream({"a"}), {{{"a", "INT"}}}),
              ElementsAre("recreate_table "));
}

TEST_F(PlanTable, ColumnsThatALaterFileMayBringAreNotJudgedYet) {
  EXPECT_THAT(plan(R"({"write":"replace"})", stream({"a"}), {{{"a"}, {"b"}}}), IsEmpty());
}

TEST(ColumnsBeyond, AreThoseThatNothingFills) {
  const std::vector<Column> columns{
      {"A"}, {"b"}, {"computed", "", true}, {"filled", "", false, true}, {"c"}};
  EXPECT_THAT(columns_beyond(kFolding, {"a"}, columns), ElementsAre("b", "c"));
  EXPECT_NO_THROW(require_none_beyond("t", {}));
  EXPECT_EQ(failure([&] { require_none_beyond("t", {"b"}); }, Code::kSchema),
            "table t: has the column b, which the stream lacks, so that write: replace would half "
            "keep the table; add the field with `fields`, drop the column, or set recreate: true, "
            "which makes the table anew with the stream's columns and types");
}

TEST(MatchColumns, LeavesOutOnlyWhatWasDeclined) {
  const std::vector<Column> columns{{"B"}, {"a"}};
  DeclinedFields declined;
  declined.note("s", {{SchemaStep::Kind::kAddColumn, "s", "new", {}, false}});
  const auto pairs = match_columns(kFolding, stream({"a", "new", "b"}), "s", columns, declined);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].field, 0u);
  EXPECT_EQ(pairs[0].column, 1u);
  EXPECT_EQ(pairs[1].field, 2u);
  EXPECT_EQ(pairs[1].column, 0u);
  EXPECT_THAT(failure([&] { match_columns(kFolding, stream({"gone"}), "s", columns, declined); },
                      Code::kSchema),
              HasSubstr("gone: table s has no such column any more"));
}

TEST(Listed, NamesAreCountedPastTen) {
  EXPECT_EQ(listed({"a"}), "a");
  EXPECT_EQ(listed({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(listed(std::vector<std::string>(12, "x")), "x, x, x, x, x, x, x, x, x, x and 2 more");
}

}  // namespace
}  // namespace patchbay::tables
