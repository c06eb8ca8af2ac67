// The sink against a server that a test writes answer by answer: insertAll, commit jobs, names.
#include "bq_sink.h"

#include <gmock/gmock.h>

#include <map>

#include "patchbay/json_value.h"
#include "patchbay/testing/component_driver.h"
#include "patchbay/testing/failure.h"
#include "scripted_server.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay {
namespace {

using test::SinkDriver;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::string kDone = answer(200, R"({"status":{"state":"DONE"}})");

std::string failed(const std::string& reason) {
  return answer(200, R"({"status":{"state":"DONE","errorResult":{"reason":")" + reason +
                         R"(","message":"why"}}})");
}

// A token and a table for whoever asks; all else is noted, and answered in order as the test says.
struct BqSinkTest : testing::Test {
  BqSinkTest()
      : server({[this](Peer& peer) {
          for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request())
            peer.send(reply_to(r));
        }}) {
    host.secrets["user"] =
        R"({"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","token_uri":")" +
        server.url("/token") + "\"}";
  }

  std::string reply_to(const std::string& request) {
    if (request.starts_with("POST /token"))
      return answer(200, R"({"access_token":"t","expires_in":3600})");
    const size_t job = request.find("/jobs/patchbay_");
    if (job != std::string::npos) {
      const std::string name = request.substr(job + 6, request.find('?', job) - job - 6);
      return stored_jobs.contains(name) ? stored_jobs[name] : answer(404, "");
    }
    if (request.starts_with("GET ")) return answer(200, table);
    const std::lock_guard lock(mutex);
    noted.push_back(request);
    if (replies.empty()) return answer(200, "{}");
    std::string reply = replies.front();
    replies.erase(replies.begin());
    return reply;
  }

  Json::Value config(const std::string& more = "{}") const {
    Json::Value out = parse_json(
        R"({"project":"p","dataset":"d","location":"US","method":"stream","write":"append","create":true,
            "allow_http":false,"credentials":{"secret":"user"}})");
    out["endpoint"] = server.url();
    const Json::Value changes = parse_json(more);
    for (const auto& name : changes.getMemberNames()) out[name] = changes[name];
    return out;
  }
  std::unique_ptr<SinkDriver> sink(const std::string& more = "{}") {
    return std::make_unique<SinkDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()), "bq",
                                        config(more));
  }

  // The bodies of the noted requests.
  std::vector<Json::Value> bodies() const {
    std::vector<Json::Value> out;
    for (const auto& request : noted)
      out.push_back(parse_json(request.substr(request.find("\r\n\r\n") + 4)));
    return out;
  }
  // ids of the rows of one insertAll request.
  static std::vector<std::string> ids(const Json::Value& body) {
    std::vector<std::string> out;
    for (const auto& row : body["rows"]) out.push_back(row["insertId"].asString());
    return out;
  }

  test::FakeHost host;
  std::mutex mutex;
  std::vector<std::string> replies, noted;
  std::string table =
      R"({"schema":{"fields":[{"name":"id","type":"INTEGER"},{"name":"name","type":"STRING"}]}})";
  std::map<std::string, std::string> stored_jobs;  // what is there already
  ScriptedServer server;
};

Schema people(std::vector<std::string> keys = {"id"}) {
  return {"people",
          {{"id", scalar(TypeId::kInt64), true}, {"name", scalar(TypeId::kUtf8), true}},
          std::move(keys)};
}

Batch rows(const std::vector<std::pair<std::optional<int64_t>, const char*>>& values,
           const Schema& schema = people()) {
  BatchBuilder batch(std::make_shared<Schema>(schema));
  for (const auto& [id, name] : values) {
    if (id) {
      batch.column<Int64Builder>(0).append(*id);
    } else {
      batch.column(0).append_null();
    }
    batch.column<Utf8Builder>(1).append(name);
  }
  return batch.finish();
}

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

std::string token(const std::string& table, const std::string& write) {
  return R"({"stage":"s_)" + table + R"(","table":")" + table + R"(","write":")" + write +
         R"(","keys":["id"],"columns":["id","name"],"may_empty":true,"rows":1})";
}

struct BqCommitTest : BqSinkTest {
  void commit(const std::vector<std::string>& tokens) {
    sink(R"({"method":"load"})")->commit("01R-7", 3, tokens);
  }
  // The configurations of the jobs that were inserted.
  std::vector<Json::Value> jobs() {
    std::vector<Json::Value> out;
    for (const auto& request : noted) {
      if (request.starts_with("POST"))
        out.push_back(parse_json(request.substr(request.find("\r\n\r\n") + 4)));
    }
    return out;
  }
};

TEST_F(BqCommitTest, OneTableIsOneCopyJobNamedAfterTheTransaction) {
  for (const auto& [write, disposition] :
       {std::pair("append", "WRITE_APPEND"), std::pair("replace", "WRITE_TRUNCATE")}) {
    noted.clear();
    replies = {kDone};
    commit({token("people", write)});
    const Json::Value job = jobs().at(0);
    EXPECT_EQ(job["jobReference"]["jobId"], "patchbay_01R-7_commit_1");
    const Json::Value& copy = job["configuration"]["copy"];
    EXPECT_EQ(copy["sourceTables"][0]["tableId"], "s_people");
    EXPECT_EQ(copy["destinationTable"]["tableId"], "people");
    EXPECT_EQ(copy["writeDisposition"], disposition);
    EXPECT_EQ(copy["createDisposition"], "CREATE_NEVER");
    EXPECT_THAT(noted.back(),
                StartsWith("DELETE /bigquery/v2/projects/p/datasets/d/tables/s_people "));
  }
}

TEST_F(BqCommitTest, SeveralTablesAreOneTransaction) {
  replies = {kDone};
  commit({token("a", "append"), token("b", "replace")});
  ASSERT_EQ(jobs().size(), 1u);
  EXPECT_EQ(jobs()[0]["configuration"]["query"]["query"],
            "BEGIN TRANSACTION;\n"
            "INSERT INTO `p.d.a` (`id`, `name`) SELECT `id`, `name` FROM `p.d.s_a`;\n"
            "DELETE FROM `p.d.b` WHERE true;\n"
            "INSERT INTO `p.d.b` (`id`, `name`) SELECT `id`, `name` FROM `p.d.s_b`;\n"
            "COMMIT TRANSACTION;");
}

TEST_F(BqCommitTest, SeveralStagingTablesOfOneTableAreOneCopyThatEmptiesItOnce) {
  replies = {kDone};
  std::string second = token("people", "replace");
  second.replace(second.find("s_people"), 8, "s_again_");
  commit({token("people", "replace"), second});
  ASSERT_EQ(jobs().size(), 1u);
  const Json::Value copy = jobs()[0]["configuration"]["copy"];
  EXPECT_EQ(copy["sourceTables"].size(), 2u);
  EXPECT_EQ(copy["writeDisposition"], "WRITE_TRUNCATE");
}

TEST_F(BqCommitTest, StagingTablesThatDifferAreInsertedAfterOneDelete) {
  replies = {kDone};
  Json::Value wider = parse_json(token("people", "replace"));
  wider["more"]["fields"] = 3;
  wider["columns"].append("extra");
  commit({token("people", "replace"), write_json(wider)});
  EXPECT_EQ(jobs()[0]["configuration"]["query"]["query"],
            "BEGIN TRANSACTION;\n"
            "DELETE FROM `p.d.people` WHERE true;\n"
            "INSERT INTO `p.d.people` (`id`, `name`) SELECT `id`, `name` FROM `p.d.s_people`;\n"
            "INSERT INTO `p.d.people` (`id`, `name`, `extra`) SELECT `id`, `name`, `extra` FROM "
            "`p.d.s_people`;\n"
            "COMMIT TRANSACTION;");
}

TEST_F(BqCommitTest, ColumnsThatTheStreamLacksGetTheirDefaults) {
  replies = {kDone};
  Json::Value one = parse_json(token("people", "append"));
  one["more"]["has_defaults"] = true;
  commit({write_json(one)});
  EXPECT_THAT(jobs()[0]["configuration"]["query"]["query"].asString(),
              HasSubstr("INSERT INTO `p.d.people` (`id`, `name`) SELECT "));
}

TEST_F(BqCommitTest, AnUpsertSetsTheStreamsColumnsAndMembersAlone) {
  replies = {kDone};
  Json::Value one = parse_json(token("a", "upsert"));
  one["more"]["set"] = parse_json(R"([["id"],["addr","zip"]])");
  commit({write_json(one)});
  EXPECT_THAT(jobs()[0]["configuration"]["query"]["query"].asString(),
              HasSubstr("UPDATE SET `addr`.`zip` = s.`addr`.`zip` WHEN NOT MATCHED"));
}

TEST_F(BqCommitTest, WhatIsCommittedIsFoundBeforeAnythingIsJudgedAgain) {
  stored_jobs["patchbay_01R-7_commit_1"] = kDone;
  commit({R"({"stage":"s","table":"people","write":"replace","keys":[],"columns":["id"]})"});
  EXPECT_THAT(noted, ElementsAre(StartsWith("DELETE ")));
  const auto driver = sink(R"({"method":"load"})");
  EXPECT_EQ(driver->outcome("01R-7", {}), Outcome::kCommitted);
  EXPECT_EQ(driver->outcome("other", {token("a", "append")}), Outcome::kPrepared);
  EXPECT_EQ(driver->outcome("other", {}), Outcome::kGone);
}

TEST_F(BqCommitTest, AnUpsertMergesTheLastVersionOfEachKey) {
  replies = {kDone};
  commit({token("a", "upsert")});
  EXPECT_THAT(jobs()[0]["configuration"]["query"]["query"].asString(),
              AllOf(HasSubstr("MERGE `p.d.a` t USING (SELECT * FROM `p.d.s_a` WHERE true QUALIFY "),
                    HasSubstr("ON t.`id` = s.`id` WHEN MATCHED THEN UPDATE SET ")));
}

TEST_F(BqCommitTest, AJobThatFailedForNowGetsTheNextId) {
  replies = {failed("backendError"), failed("jobInternalError"), kDone};
  commit({token("people", "append")});
  std::vector<std::string> names;
  for (const auto& job : jobs()) names.push_back(job["jobReference"]["jobId"].asString());
  EXPECT_THAT(names, ElementsAre("patchbay_01R-7_commit_1", "patchbay_01R-7_commit_2",
                                 "patchbay_01R-7_commit_3"));
}

TEST_F(BqCommitTest, JobsThatFailedInEarlierRunsArePassedOver) {
  for (const char* id : {"patchbay_01R-7_commit_1", "patchbay_01R-7_commit_2"})
    stored_jobs[id] = failed("accessDenied");
  replies = {kDone};
  commit({token("people", "append")});
  EXPECT_EQ(jobs().back()["jobReference"]["jobId"], "patchbay_01R-7_commit_3");
  replies = {failed("accessDenied")};
  EXPECT_THAT(test::failure([&] { commit({token("people", "append")}); }, Code::kRemote),
              HasSubstr("job patchbay_01R-7_commit_3: accessDenied"));
}

TEST_F(BqCommitTest, OtherFailuresSayHowToGoOn) {
  const struct {
    const char* reason;
    Code code;
  } kCases[] = {{"notFound", Code::kNotFound},  // staging is gone: the epoch is read again
                {"invalid", Code::kRemote},
                {"quotaExceeded", Code::kUnavailable}};  // in ten minutes, or tomorrow
  for (const auto& c : kCases) {
    replies = {failed(c.reason)};
    EXPECT_THAT(test::failure([&] { commit({token("people", "append")}); }, c.code),
                HasSubstr("job patchbay_01R-7_commit_1: "));
  }
  host.attempts = 1;
  replies = {failed("backendError")};
  EXPECT_THAT(test::failure([&] { commit({token("people", "append")}); }, Code::kUnavailable),
              HasSubstr("backendError"));
}

TEST_F(BqCommitTest, AbortDeletesStagingTablesByNameUntilTwoAreMissing) {
  const std::string gone = answer(404, "");
  replies = {answer(204, ""), gone, gone, answer(204, ""), answer(200, "{}"), gone, gone};
  sink(R"({"method":"load"})")->abort({"01R-7"});
  EXPECT_EQ(noted.size(), 7u);
  EXPECT_THAT(noted[1],
              StartsWith("POST /bigquery/v2/projects/p/jobs/_patchbay_01R_7_1_query/cancel?"));
  EXPECT_THAT(noted[3],
              StartsWith("DELETE /bigquery/v2/projects/p/datasets/d/tables/_patchbay_01R_7_3 "));
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
