// Options, names and steps: what every sink with tables says and refuses alike.
#include "patchbay/tables/options.h"

#include <gmock/gmock.h>

#include "patchbay/json_value.h"
#include "patchbay/tables/schema_step.h"
#include "patchbay/testing/failure.h"

namespace patchbay::tables {
namespace {

using test::failure;
using testing::HasSubstr;

const NamePolicy kExact{"Exact"};
const NamePolicy kFolding{"SQLite", false, false};

TableOptions options(const std::string& json, const NamePolicy& policy = kExact) {
  return parse_table_options(Config(parse_json(json)), policy);
}

std::vector<Field> fields(std::initializer_list<const char*> names) {
  std::vector<Field> out;
  for (const char* name : names) out.push_back({name, scalar(TypeId::kUtf8), true});
  return out;
}

TEST(TableOptions, DefaultsAreThoseOfTheManifests) {
  const TableOptions out = options("{}");
  EXPECT_EQ(out.write, WriteMode::kAppend);
  EXPECT_TRUE(out.create);
  EXPECT_FALSE(out.may_empty);
  EXPECT_FALSE(out.recreate);
  EXPECT_EQ(out.deletes.text(), "20%");
  EXPECT_EQ(out.table_of("a"), "a");
}

TEST(TableOptions, AreReadOnce) {
  const TableOptions out = options(
      R"({"write":"mirror","keys":["id"],"tables":{"a":"t"},"create":false,"empty":"allow",)"
      R"("deletes":{"max":500}})");
  EXPECT_EQ(out.write, WriteMode::kMirror);
  EXPECT_TRUE(out.has_keys() && out.owns_table() && out.may_empty);
  EXPECT_FALSE(out.create);
  EXPECT_EQ(out.table_of("a"), "t");
  EXPECT_EQ(out.deletes.text(), "500");
}

TEST(TableOptions, WhatContradictsItselfIsRefused) {
  const struct {
    const char *json, *words;
  } kCases[] = {
      {R"({"write":"paint"})", "write: must be append, replace, upsert or mirror"},
      {R"({"write":"upsert"})", "keys: missing, needed with write: upsert"},
      {R"({"write":"mirror"})", "keys: missing, needed with write: mirror"},
      {R"({"recreate":true})", "recreate: is for write: replace, and write is append"},
      {R"({"deletes":{"max":"many"}})", "deletes: max must be"},
      {R"({"deletes":{"max":"101%"}})", "deletes: max must be"},
      {R"({"deletes":{"max":-1}})", "deletes: max must be"},
      {R"({"write":"mirror","keys":["id"],"tables":{"a":"t","b":"t"}})",
       "the streams a and b can't share the table t"},
  };
  for (const auto& c : kCases)
    EXPECT_THAT(failure([&] { options(c.json); }, Code::kConfig), HasSubstr(c.words)) << c.json;
}

TEST(TableOptions, AStreamIsAloneWhereNoOtherCanComeToItsTable) {
  const TableOptions out = options(R"({"tables":{"a":"t","b":"t","c":"d","e":"e2"}})");
  EXPECT_FALSE(out.is_only_stream(kExact, "a"));
  EXPECT_FALSE(out.is_only_stream(kExact, "c"));  // a stream d has that name of itself
  EXPECT_TRUE(out.is_only_stream(kExact, "x"));
  EXPECT_TRUE(options(R"({"tables":{"a":"b","b":"c"}})").is_only_stream(kExact, "a"));
  EXPECT_FALSE(options(R"({"tables":{"a":"T","b":"t"}})").is_only_stream(kFolding, "a"));
}

TEST(DeleteLimit, AllowsANumberOrAShare) {
  const auto limit = DeleteLimit::parse;
  EXPECT_TRUE(limit("20%").allows(2, 10));
  EXPECT_FALSE(limit("20%").allows(3, 10));
  EXPECT_FALSE(limit("20%").allows(1, 0));
  EXPECT_TRUE(limit("0.5%").allows(1, 200));
  EXPECT_TRUE(limit("3").allows(3, 3));
  EXPECT_FALSE(limit("3").allows(4, 1000));
}

TEST(Names, FieldsThatAreOneColumnAreRefused) {
  EXPECT_NO_THROW(require_names(kExact, fields({"id", "ID"})));
  EXPECT_EQ(failure([&] { require_names(kFolding, fields({"id", "ID"})); }, Code::kConfig),
            "ID: differs only by case from id, and SQLite takes both for one column; rename or "
            "drop one of them with `fields`");
  EXPECT_THAT(failure([&] { require_names(kExact, fields({"a", "a"})); }, Code::kConfig),
              HasSubstr("a: is there twice"));
}

TEST(Names, ThoseThatWouldBeCutAreRefused) {
  const NamePolicy policy{"PostgreSQL", true, true, 3};
  EXPECT_NO_THROW(require_names(policy, fields({"abc"})));
  EXPECT_THAT(failure([&] { require_names(policy, fields({"abcd"})); }, Code::kConfig),
              HasSubstr("abcd: is longer than the 3 bytes that PostgreSQL allows"));
}

TEST(Names, MembersCountWhereTheDatabaseHasThem) {
  const std::vector<Field> nested{{"l", list_of(struct_of(fields({"a", "A"}))), true}};
  EXPECT_NO_THROW(require_names(kFolding, nested));
  EXPECT_THAT(failure([&] { require_names(kFolding, nested, true); }, Code::kConfig),
              HasSubstr("l.A: differs only by case from l.a"));
}

TEST(Names, KeysAreFoundAsTheDatabaseFindsThem) {
  const TableOptions out = options(R"({"write":"upsert","keys":["ID"]})");
  const Schema stream{"s", fields({"id"}), {}};
  EXPECT_NO_THROW(require_keys(out, kFolding, stream));
  EXPECT_EQ(failure([&] { require_keys(out, kExact, stream); }, Code::kConfig),
            "keys: stream s has no field ID");
}

TEST(SchemaSteps, ComeBackAsTheyWere) {
  using Kind = SchemaStep::Kind;
  const std::vector<SchemaStep> steps{{Kind::kCreateDataset, "t"},
                                      {Kind::kCreateTable, "t"},
                                      {Kind::kAddColumn, "t", "a.b", list_of(decimal(9, 2)), false},
                                      {Kind::kRecreateTable, "t"}};
  EXPECT_EQ(write_json(to_json(steps)),
            R"([{"action":"create_dataset","table":"t"},{"action":"create_table","table":"t"},)"
            R"({"action":"add_column","apply":false,"field":"a.b","table":"t",)"
            R"("type":"list<decimal128(9, 2)>"},{"action":"recreate_table","table":"t"}])");
  EXPECT_EQ(to_json(steps_from_json(to_json(steps))), to_json(steps));
  EXPECT_THAT(
      failure([&] { steps_from_json(parse_json(R"([{"action":"paint"}])")); }, Code::kInternal),
      HasSubstr("paint"));
}

TEST(DeclinedFields, AreThoseOfTheLastAnnouncement) {
  using Kind = SchemaStep::Kind;
  DeclinedFields declined;
  declined.note("s", {{Kind::kAddColumn, "t", "a", {}, false}, {Kind::kAddColumn, "t", "b", {}}});
  EXPECT_TRUE(declined.holds("s", "a") && declined.any("s"));
  EXPECT_FALSE(declined.holds("s", "b") || declined.holds("other", "a"));
  declined.note("s", {});
  EXPECT_FALSE(declined.any("s"));
}

}  // namespace
}  // namespace patchbay::tables
