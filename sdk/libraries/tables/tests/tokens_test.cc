// Tokens, their tables, and what an epoch may do to a table.
#include "patchbay/tables/tokens.h"

#include <gmock/gmock.h>

#include "patchbay/json_value.h"
#include "patchbay/testing/failure.h"

namespace patchbay::tables {
namespace {

using test::failure;
using testing::ElementsAre;

const NamePolicy kFolding{"SQLite", false, false};

TableToken token(const std::string& stream, const std::string& table, int64_t rows = 1) {
  TableToken out;
  out.stream = stream;
  out.table = table;
  out.stage = stream + "_stage";
  out.write = WriteMode::kReplace;
  out.columns = {"id", stream};
  out.rows = rows;
  return out;
}

TEST(TableToken, ComesBackAsItWas) {
  TableToken in = token("a", "t", 7);
  in.write = WriteMode::kMirror;
  in.keys = {"id"};
  in.types = {scalar(TypeId::kInt64), list_of(decimal(9, 2))};
  in.complete = in.recreate = true;
  in.deletes = DeleteLimit::parse("3");
  in.more["job"] = "j";
  const TableToken out = TableToken::parse(in.text());
  EXPECT_EQ(out.text(), in.text());
  EXPECT_EQ(out.types, in.types);
  EXPECT_EQ(out.deletes.rows, 3);
}

TEST(TableToken, OfTheVersionBeforeMayEmptyATable) {
  const auto out = TableToken::parse(
      R"({"stage":"_patchbay_t1_1","table":"t","write":"replace","keys":[],"columns":["a"]})");
  EXPECT_TRUE(out.may_empty);
  EXPECT_EQ(out.columns, std::vector<std::string>{"a"});
  EXPECT_EQ(TableToken::parse(R"({"staging":"s","write":"append"})").stage, "s");
}

TEST(TableGroups, AreOnePerTableInTheOrderOfTheFirstToken) {
  const auto groups =
      group_by_table(kFolding, {token("a", "t"), token("b", "u"), token("c", "T", 5)});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].table(), "t");
  EXPECT_EQ(groups[0].tokens.size(), 2u);
  EXPECT_EQ(groups[0].rows(), 6);
  EXPECT_THAT(groups[0].columns(kFolding), ElementsAre("id", "a", "c"));
  EXPECT_EQ(groups[1].table(), "u");
}

TEST(TableGroups, AreCompleteWhereTheLastTokenOfEachStreamIs) {
  TableGroup group{{token("a", "t"), token("a", "t")}};
  EXPECT_FALSE(group.complete());
  group.tokens[1].complete = true;
  EXPECT_TRUE(group.complete());
  group.tokens.push_back(token("b", "t"));
  EXPECT_FALSE(group.complete());
}

TEST(RequireRows, NothingNeverReplacesSomething) {
  TableGroup group{{token("a", "t", 0), token("a", "t", 0)}};
  EXPECT_NO_THROW(require_rows(group, 0));
  EXPECT_EQ(failure([&] { require_rows(group, 2); }, Code::kData),
            "table t: has 2 rows, and the stream a has none, so that write: replace would empty "
            "it; set empty: allow if that is right");
  group.tokens[1].rows = 1;
  EXPECT_NO_THROW(require_rows(group, 2));
  group.tokens[1].rows = 0;
  for (auto& one : group.tokens) one.may_empty = true;
  EXPECT_NO_THROW(require_rows(group, 2));
  for (auto& one : group.tokens) one.may_empty = false, one.write = WriteMode::kUpsert;
  EXPECT_NO_THROW(require_rows(group, 2));
}

TEST(RequireFewDeletes, GivesBothCounts) {
  TableGroup group{{token("a", "t")}};
  group.tokens[0].write = WriteMode::kMirror;
  EXPECT_NO_THROW(require_few_deletes(group, 2, 10));
  EXPECT_EQ(failure([&] { require_few_deletes(group, 3, 10); }, Code::kData),
            "table t: has 10 rows, and 3 of them are not in the stream any more; deletes allows at "
            "most 20%. Set deletes: {max: ..} if that is right");
}

TEST(PreparedTokens, AreThoseOfOneTransaction) {
  PreparedTokens prepared;
  prepared.add("t1", token("a", "t"));
  prepared.add("t1", token("b", "u"));
  EXPECT_EQ(prepared.group_with(kFolding, "t1", token("c", "T")).tokens.size(), 2u);
  EXPECT_EQ(prepared.of("t1").size(), 2u);
  EXPECT_EQ(prepared.group_with(kFolding, "t2", token("c", "t")).tokens.size(), 1u);
}

TEST(IsLastOfTable, WhereTheHostSaysThatTheStreamHasEndedOrCanNotAbortLater) {
  const auto options = parse_table_options(
      Config(parse_json(R"({"write":"replace","tables":{"a":"t","b":"t"}})")), kFolding);
  EXPECT_TRUE(is_last_of_table(options, kFolding, "c", {"scope", "t1", 1, 0, true}));
  EXPECT_FALSE(is_last_of_table(options, kFolding, "c", {"scope", "t1", 1, 0, false}));
  EXPECT_TRUE(is_last_of_table(options, kFolding, "c", {}));
  EXPECT_FALSE(is_last_of_table(options, kFolding, "a", {"scope", "t1", 1, 0, true}));
}

}  // namespace
}  // namespace patchbay::tables
