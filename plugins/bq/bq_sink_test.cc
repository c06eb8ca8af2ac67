// Rows by insertAll, steps of a schema, and names.
#include "bq_case.h"

namespace patchbay {
namespace {

TEST_F(BqSinkTest, ARefusedRowIsRejectedAndTheStoppedAreSentAgain) {
  replies = {answer(200, R"({"insertErrors":[
    {"index":0,"errors":[{"reason":"stopped"}]}, {"index":2,"errors":[{"reason":"stopped"}]},
    {"index":1,"errors":[{"reason":"invalid","location":"name","message":"Cannot convert value to integer (bad value):Ann"},
                         {"reason":"invalid","location":"id","message":"no such field: id."}]}]})")};
  auto writer = sink()->open(people(), "t1");
  writer.write(rows({{1, "Bob"}, {2, "Ann"}, {3, "Cid"}}));
  EXPECT_EQ(writer.prepare().rows_accepted, 2);
  ASSERT_EQ(host.rejects.size(), 1u);
  EXPECT_EQ(host.rejects[0].why.reason,
            "name: invalid: Cannot convert value to integer (bad value):***; id: invalid: no such "
            "field: id.");
  EXPECT_EQ(host.rejects[0].rows.array().length, 1);
  const auto sent = bodies();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(write_json(sent[1]["rows"][1]["json"]), R"({"id":3,"name":"Cid"})");
  EXPECT_THAT(ids(sent[1]), ElementsAre(ids(sent[0])[0], ids(sent[0])[2]));
}

TEST_F(BqSinkTest, OnlyFieldsThatThePolicyDeclinedAreLeftOut) {
  const std::string whole = table;
  table = R"({"schema":{"fields":[{"name":"id","type":"INTEGER"}]}})";
  EXPECT_THAT(test::failure([&] { sink()->open(people(), "t0"); }, Code::kSchema),
              HasSubstr("name: table people has no such column any more"));
  const auto driver = sink();
  Json::Value steps = driver->plan_schema(people());
  steps[0]["apply"] = false;
  driver->apply_schema(people(), steps);
  driver->open(people(), "t1").write(rows({{1, "Bob"}}));
  table = whole;
  sink()->open(people(), "t2").write(rows({{1, "Bob"}}));
  EXPECT_TRUE(bodies()[0]["ignoreUnknownValues"].asBool());
  EXPECT_FALSE(bodies()[1]["ignoreUnknownValues"].asBool());
}

TEST_F(BqSinkTest, WordsOfARequestWithRowsLoseTheRowsValues) {
  const std::string quoted = "Invalid value at 'rows[1].json.name' (TYPE_INT64), Quendolf of 4711";
  for (const int status : {400, 503}) {
    replies.assign(5, answer(status, R"({"error":{"message":")" + quoted +
                                         R"(","errors":[{"reason":"invalid"}]}})"));
    auto writer = sink()->open(people(), "t1");
    const std::string said =
        test::failure([&] { writer.write(rows({{1, "Bob"}, {4711, "Quendolf"}})); },
                      status == 400 ? Code::kRemote : Code::kUnavailable);
    EXPECT_THAT(said, HasSubstr("Invalid value at"));
    EXPECT_THAT(said, AllOf(Not(HasSubstr("Quendolf")), Not(HasSubstr("4711"))));
  }
}

TEST_F(BqSinkTest, ColumnsAreAddedInOneRequest) {
  table = R"({"etag":"e1","schema":{"fields":[{"name":"r","type":"RECORD","fields":[]}]}})";
  const Schema wider{
      "people", parse_type("struct<r: struct<x: int64>, a: utf8, b: bool>").fields, {}};
  const auto driver = sink();
  driver->apply_schema(wider, driver->plan_schema(wider));
  ASSERT_EQ(noted.size(), 1u);
  EXPECT_THAT(noted[0], AllOf(StartsWith("PATCH "), HasSubstr("If-Match: e1"), HasSubstr(R"("x")"),
                              HasSubstr(R"("a")"), HasSubstr(R"("b")")));
}

TEST_F(BqSinkTest, AViewIsNoTarget) {
  table = R"({"type":"VIEW","schema":{"fields":[{"name":"id","type":"INTEGER"}]}})";
  EXPECT_EQ(test::failure([&] { sink()->plan_schema(people()); }, Code::kConfig),
            "tables: people is a VIEW, which takes no rows");
}

TEST_F(BqSinkTest, AnswersThatNameNoRowAreTemporary) {
  for (const char* errors : {R"([{"index":0,"errors":[{"reason":"stopped"}]}])",
                             R"([{"index":7,"errors":[{"reason":"invalid"}]}])",
                             R"([{"index":"x","errors":[{"reason":"invalid"}]}])"}) {
    replies = {answer(200, std::string(R"({"insertErrors":)") + errors + "}")};
    auto writer = sink()->open(people(), "t1");
    EXPECT_EQ(test::failure([&] { writer.write(rows({{1, "Bob"}})); }, Code::kUnavailable),
              "table people: BigQuery stopped every row without a reason");
  }
}

TEST_F(BqSinkTest, RowsWithAKeyKeepTheirIdInEveryTransaction) {
  for (const char* txn : {"t1", "t2"}) {
    auto writer = sink()->open(people(), txn);
    writer.write(rows({{1, "Bob"}, {1, "Bobby"}}));
  }
  const auto sent = bodies();
  EXPECT_EQ(ids(sent[0]), ids(sent[1]));
  EXPECT_NE(ids(sent[0])[0], ids(sent[0])[1]) << "another version of the row";
}

TEST_F(BqSinkTest, RowsWithoutAKeyCountHoweverAlike) {
  for (const auto& schema : {people({}), people({"gone"}), people()}) {
    noted.clear();
    auto writer = sink()->open(schema, "t1");
    writer.write(rows({{std::nullopt, "Bob"}, {std::nullopt, "Bob"}}, schema));
    const auto found = ids(bodies()[0]);
    EXPECT_NE(found[0], found[1]);
  }
}

TEST_F(BqSinkTest, RequestsHaveAtMost500Rows) {
  BatchBuilder batch(std::make_shared<Schema>(people()));
  for (int64_t i = 0; i < 1001; ++i) {
    batch.column<Int64Builder>(0).append(i);
    batch.column<Utf8Builder>(1).append("x");
  }
  auto writer = sink()->open(people(), "t1");
  writer.write(batch.finish());
  std::vector<size_t> sizes;
  for (const auto& body : bodies()) sizes.push_back(body["rows"].size());
  EXPECT_THAT(sizes, ElementsAre(500u, 500u, 1u));
}

TEST_F(BqSinkTest, NamesThatBigQueryHasNotAreToldWithTheField) {
  const auto plan = [&](const std::string& name) {
    Schema schema = people();
    schema.fields[1].name = name;
    return schema;
  };
  for (const char* name : {"a.b", "order total $", "1st", "_TABLE_x", "\xc3\xa4"}) {
    const auto driver = sink(R"({"method":"load"})");
    const Json::Value steps = driver->plan_schema(plan(name));
    EXPECT_THAT(test::failure([&] { driver->apply_schema(plan(name), steps); }, Code::kConfig),
                StartsWith(std::string(name) + ": "));
  }
}

TEST_F(BqSinkTest, KeysByWhichBigQueryCanNotGroupAreRefused) {
  Schema schema = people();
  schema.fields[0].type = scalar(TypeId::kFloat64);
  EXPECT_THAT(
      test::failure(
          [&] { sink(R"({"method":"load","write":"upsert","keys":["id"]})")->plan_schema(schema); },
          Code::kConfig),
      HasSubstr("keys: id is float64, which BigQuery can't group by"));
}

TEST_F(BqSinkTest, ATableThatRequiresAFilterTakesNoUpsert) {
  table =
      R"({"requirePartitionFilter":true,"schema":{"fields":[{"name":"id","type":"INTEGER"},{"name":"name","type":"STRING"}]}})";
  EXPECT_THAT(
      test::failure(
          [&] {
            sink(R"({"method":"load","write":"upsert","keys":["id"]})")->plan_schema(people());
          },
          Code::kConfig),
      HasSubstr("requires a filter on its partitions"));
}

TEST_F(BqSinkTest, WhatCannotGoTogetherIsRefused) {
  EXPECT_EQ(test::failure([&] { sink(R"({"method":"load","write":"upsert"})"); }, Code::kConfig),
            "keys: missing, needed with write: upsert");
  EXPECT_EQ(test::failure([&] { sink(R"({"write":"replace"})"); }, Code::kConfig),
            "write: must be append with method: stream");
  EXPECT_EQ(
      test::failure([&] { sink(R"({"keys":["nr"]})")->plan_schema(people()); }, Code::kConfig),
      "keys: stream people has no field nr");
  EXPECT_THAT(noted, IsEmpty());
}

}  // namespace
}  // namespace patchbay
