// Jobs and tables, answer by answer.
#include "patchbay/bq_client.h"

#include <gmock/gmock.h>

#include <functional>

#include "patchbay/json_value.h"
#include "patchbay/testing/failure.h"
#include "patchbay/testing/fake_host.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

struct BqClientTest : testing::Test {
  // A client for a server that gives these answers, one after the other.
  BqClient& client(std::vector<std::string> replies) {
    server =
        std::make_unique<ScriptedServer>(std::vector{ScriptedServer::answers(std::move(replies))});
    made = std::make_unique<BqClient>(BqPlace{server->url(), "p", "d", "EU"}, nullptr, options());
    return *made;
  }
  static HttpOptions options() {
    HttpOptions out;
    out.option = "endpoint";
    return out;
  }
  test::FakeHost host;
  test::FakeCall fake{host};
  Call call{test::FakeHost::table(), fake.raw()};
  std::unique_ptr<ScriptedServer> server;
  std::unique_ptr<BqClient> made;
};

std::string error_body(const std::string& reason, const std::string& message = "why") {
  return R"({"error":{"message":")" + message + R"(","errors":[{"reason":")" + reason +
         R"(","message":")" + message + "\"}]}}";
}

const std::string kDone = R"({"status":{"state":"DONE"}})";
const std::string kFailed =
    R"({"status":{"state":"DONE","errorResult":{"reason":"backendError","message":"again"}}})";
const std::string kRunning = R"({"status":{"state":"RUNNING"}})";

TEST_F(BqClientTest, AJobIsWaitedForUnderItsOwnId) {
  auto& bq = client({answer(200, kRunning), answer(200, kRunning), answer(200, kDone)});
  EXPECT_TRUE(bq.run_job(call, "j1", Json::objectValue).ok);
  const auto requests = server->requests();
  EXPECT_THAT(requests.at(0), AllOf(StartsWith("POST /bigquery/v2/projects/p/jobs "),
                                    HasSubstr(R"("jobId":"j1","location":"EU")")));
  EXPECT_THAT(requests.at(2), StartsWith("GET /bigquery/v2/projects/p/jobs/j1?location=EU "));
}

TEST_F(BqClientTest, AnswersOfAnotherShapeAreRefusedOrNoSuccess) {
  const auto ok = [](const char* body) { return std::vector{answer(200, body)}; };
  for (const char* body : {"[]", "null", "7", "<html>"}) {
    for (const auto& ask : std::initializer_list<std::function<void(BqClient&)>>{
             [&](BqClient& bq) { bq.get_table(call, "t"); },
             [&](BqClient& bq) { bq.run_job(call, "j", {}); },
             [&](BqClient& bq) { bq.list_rows(call, "t", ""); },
             [&](BqClient& bq) { bq.insert_all(call, "t", "{}", {}); }}) {
      EXPECT_THAT(test::failure([&] { ask(client(ok(body))); }, Code::kRemote),
                  HasSubstr(": answered 200 with "));
    }
  }
  for (const char* body :
       {R"({"schema":[1]})", R"({"schema":{"fields":[7]}})",
        R"({"schema":{"fields":[{"name":5}]}})",
        R"({"schema":{"fields":[{"name":"a","type":"RECORD","fields":{}}]}})", R"({"etag":{}})"}) {
    EXPECT_THAT(test::failure([&] { client(ok(body)).get_table(call, "t"); }, Code::kRemote),
                HasSubstr("something that is no table"));
  }
  for (const char* body : {R"({"rows":{}})", R"({"rows":[1]})", R"({"pageToken":{}})"})
    EXPECT_THAT(test::failure([&] { client(ok(body)).list_rows(call, "t", ""); }, Code::kRemote),
                HasSubstr("something that is no page of rows"));
  for (const char* body :
       {R"({"insertErrors":{"a":1}})", R"({"insertErrors":[{"errors":[{"reason":{}}]}]})"})
    EXPECT_THAT(
        test::failure([&] { client(ok(body)).insert_all(call, "t", "{}", {}); }, Code::kRemote),
        HasSubstr("which rows are in"));
  EXPECT_FALSE(
      client(ok(R"({"status":{"state":"DONE","errorResult":"boom"}})")).run_job(call, "j", {}).ok);
  EXPECT_TRUE(
      client({answer(200, R"({"status":"DONE"})"), answer(200, kDone)}).run_job(call, "j", {}).ok);
}

TEST_F(BqClientTest, ADuplicateIsJudgedByItsOwnOutcome) {
  const std::string duplicate = answer(409, error_body("duplicate"));
  EXPECT_TRUE(client({duplicate, answer(200, kDone)}).run_job(call, "j", {}).ok);
  const BqJobOutcome failed = client({duplicate, answer(200, kFailed)}).run_job(call, "j", {});
  EXPECT_EQ(std::tie(failed.ok, failed.reason, failed.message),
            std::make_tuple(false, "backendError", "again"));
  EXPECT_THAT(test::failure([&] { client({duplicate, answer(404, "")}).run_job(call, "j", {}); },
                            Code::kUnavailable),
              HasSubstr("job j: answers duplicate, but is not found"));
}

TEST_F(BqClientTest, ADryRunTellsTheColumnsOrWhatIsWrong) {
  auto& bq = client({answer(200, R"({"status":{"state":"DONE"},"statistics":{"query":{"schema":
      {"fields":[{"name":"n","type":"INTEGER"}]}}}})")});
  const BqDryRun found = bq.dry_run(call, "SELECT 1 AS n");
  EXPECT_TRUE(found.outcome.ok);
  EXPECT_EQ(found.fields[0]["name"].asString(), "n");
  EXPECT_THAT(server->requests().at(0),
              AllOf(HasSubstr(R"("dryRun":true)"), HasSubstr(R"("useLegacySql":false)"),
                    testing::Not(HasSubstr("jobId"))));
  const BqDryRun wrong =
      client({answer(400, error_body("invalidQuery", "no at [1:2]"))}).dry_run(call, "SELEC");
  EXPECT_EQ(std::tie(wrong.outcome.ok, wrong.outcome.reason, wrong.outcome.message),
            std::make_tuple(false, "invalidQuery", "no at [1:2]"));
  EXPECT_THAT(
      test::failure(
          [&] { client({answer(403, error_body("accessDenied", "no right"))}).dry_run(call, ""); },
          Code::kAuth),
      HasSubstr("no right"));
}

TEST_F(BqClientTest, AJobThatWritesTellsItsRows) {
  const std::string done =
      R"({"status":{"state":"DONE"},"statistics":{"query":{"numDmlAffectedRows":"12"}}})";
  EXPECT_EQ(client({answer(200, done)}).run_job(call, "j", {}).affected_rows, 12);
  EXPECT_EQ(client({answer(200, kDone)}).run_job(call, "j", {}).affected_rows, 0);
}

TEST_F(BqClientTest, ARefusalOfTheJobIsAnOutcomeAndOthersAreErrors) {
  const auto missing = client({answer(404, error_body("notFound"))}).run_job(call, "j", {});
  EXPECT_EQ(missing.reason, "notFound");
  EXPECT_EQ(client({answer(400, error_body("invalidQuery"))}).run_job(call, "j", {}).reason,
            "invalidQuery");
  EXPECT_THAT(
      test::failure(
          [&] {
            client({answer(403, error_body("accessDenied", "no right"))}).run_job(call, "j", {});
          },
          Code::kAuth),
      HasSubstr("no right"));
  EXPECT_THAT(
      test::failure([&] { client({answer(200, "<html>")}).run_job(call, "j", {}); }, Code::kRemote),
      HasSubstr("with a body that is no JSON"));
}

TEST_F(BqClientTest, ThereAlreadyAndGoneAlreadyAreNoErrors) {
  EXPECT_FALSE(client({answer(409, error_body("duplicate"))})
                   .create_table(call, "t", Json::objectValue, std::chrono::seconds(0)));
  EXPECT_FALSE(client({answer(404, error_body("notFound"))}).delete_table(call, "t"));
  EXPECT_EQ(client({answer(404, error_body("notFound"))}).get_table(call, "t"), std::nullopt);
  client({answer(409, error_body("duplicate"))}).create_dataset(call);
  client({answer(404, error_body("notFound"))}).cancel_job(call, "j");
  client({answer(403, error_body("accessDenied"))}).cancel_job(call, "j");
}

TEST_F(BqClientTest, NamesArePutIntoUrlsEncoded) {
  client({answer(404, "")}).get_table(call, "a/b c");
  EXPECT_THAT(server->requests().at(0),
              StartsWith("GET /bigquery/v2/projects/p/datasets/d/tables/a%2Fb%20c "));
}

}  // namespace
}  // namespace patchbay
