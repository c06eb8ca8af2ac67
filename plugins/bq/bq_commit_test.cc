// Commit jobs: what they do, under which name, and how they fail.
#include "bq_case.h"

namespace patchbay {
namespace {

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

TEST_F(BqCommitTest, AnotherWriterAtTheSameTimeIsWaitedFor) {
  const std::string said = "Transaction is aborted due to concurrent update against table p:d.a.";
  replies = {
      answer(200,
             R"({"status":{"state":"DONE","errorResult":{"reason":"invalidQuery","message":")" +
                 said + "\"}}}"),
      kDone};
  commit({token("a", "upsert")});
  EXPECT_EQ(jobs().back()["jobReference"]["jobId"], "patchbay_01R-7_commit_2");
}

TEST_F(BqCommitTest, TablesThatAreMadeAnewCommitAlone) {
  table = R"({"schema":{"fields":[{"name":"old","type":"INTEGER"}]}})";
  host.epoch.number = 1;
  const auto driver =
      sink(R"({"method":"load","write":"replace","recreate":true,"tables":{"a":"a","b":"b"}})");
  Schema other = people();
  for (const char* name : {"a", "b"}) {
    other.name = name;
    driver->apply_schema(other, driver->plan_schema(other));
  }
  const std::string session = "HTTP/1.1 200 OK\r\nLocation: " + server.url("/upload/session/1") +
                              "\r\nContent-Length: 0\r\n\r\n";
  stored_jobs["_patchbay_t1_1_load"] = stored_jobs["_patchbay_t1_2_load"] = kDone;
  const auto prepare = [&](const char* name) {
    replies = {answer(200, "{}"), session, answer(200, "{}")};
    other.name = name;
    driver->open(other, "t1").prepare();
  };
  prepare("a");
  EXPECT_THAT(test::failure([&] { prepare("b"); }, Code::kConfig),
              HasSubstr("recreate: table b and another one commit together"));
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

}  // namespace
}  // namespace patchbay
