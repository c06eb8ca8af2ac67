// The source against pages that a test writes byte by byte.
#include <gmock/gmock.h>

#include "patchbay/json_value.h"
#include "patchbay/testing/component_driver.h"
#include "qreviews_client.h"
#include "qreviews_schema.h"
#include "scripted_server.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay {
namespace {

using test::SourceDriver;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string page(const std::vector<std::string>& objects) {
  std::string body = R"({"meta":{"limit":500,"next":null},"objects":[)";
  for (const auto& object : objects) body += (body.ends_with('[') ? "" : ",") + object;
  return answer(200, body + "]}", "Content-Type: application/json\r\n");
}

std::string record(int64_t sequence, const std::string& more = "") {
  return R"({"id":7,"sequence":)" + std::to_string(sequence) + more + "}";
}

struct QreviewsTest : testing::Test {
  QreviewsTest() {
    host.secrets = {{"sid", "demo-sid"}, {"key", "s3cret-key"}};
    host.attempts = 2;
  }

  SourceDriver& source(std::vector<std::string> replies) {
    server =
        std::make_unique<ScriptedServer>(std::vector{ScriptedServer::answers(std::move(replies))});
    Json::Value config = parse_json(
        R"({"account_sid":{"secret":"sid"},"api_key":{"secret":"key"},"page_size":500,
            "start_after":0,"timeout":60,"allow_http":false})");
    config["base_url"] = server->url("/");
    made = std::make_unique<SourceDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()),
                                          "qreviews", config);
    return *made;
  }
  test::ReaderDriver open(std::vector<std::string> replies, const std::string& state = "null") {
    SourceDriver& driver = source(std::move(replies));
    return driver.open(driver.plan().at(0), parse_json(state));
  }
  std::vector<int64_t> sequences(std::vector<std::string> replies) {
    std::vector<int64_t> out;
    for (const auto& batch : open(std::move(replies)).batches()) {
      const auto column = BatchView(batch).column<Int64View>("sequence");
      for (int64_t i = 0; i < batch.rows(); ++i) out.push_back(column[i]);
    }
    return out;
  }
  Error failure(std::vector<std::string> replies) {
    try {
      open(std::move(replies)).events();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(Not(HasSubstr("s3cret")), Not(HasSubstr("PHI-"))));
      return error;
    }
    return {Code::kInternal, "no failure"};
  }
  // What a checkpoint now says: the state, unchanged, or not now.
  static std::string checkpoint(test::ReaderDriver& reader) {
    Json::Value state;
    const Checkpoint said = reader.checkpoint(state);
    return said == Checkpoint::kState       ? write_json(state)
           : said == Checkpoint::kUnchanged ? "unchanged"
                                            : "not now";
  }

  test::FakeHost host;
  std::unique_ptr<ScriptedServer> server;
  std::unique_ptr<SourceDriver> made;
};

TEST_F(QreviewsTest, OnlyAnEmptyPageIsTheEnd) {
  EXPECT_THAT(sequences({page({record(1)}), page({record(3), record(9)}), page({})}),
              ElementsAre(1, 3, 9));
  const auto requests = server->requests();
  const std::string start = "GET /api/client/v2/response?sequence__gt=";
  const std::string rest = "&order_by=sequence&limit=500&omit_count=true HTTP/";
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_THAT(requests[0], StartsWith(start + "0" + rest));
  EXPECT_THAT(requests[1], StartsWith(start + "1" + rest));
  EXPECT_THAT(requests[2], StartsWith(start + "9" + rest));
  EXPECT_THAT(requests[2], HasSubstr("\r\nAuthorization: ApiKey demo-sid:s3cret-key\r\n"));
}

TEST_F(QreviewsTest, NoMoreIsAskedForThanTheHostTakes) {
  host.max_rows = 3;
  sequences({page({})});
  EXPECT_THAT(server->requests().at(0), HasSubstr("&limit=3&"));
}

TEST_F(QreviewsTest, APageThatIsLargerThanAskedForIsGivenInParts) {
  host.max_rows = 2;
  auto reader = open({page({record(1), record(2), record(3)}), page({})});
  reader.next();  // the stream
  EXPECT_EQ(checkpoint(reader), "unchanged");
  reader.next();
  EXPECT_EQ(checkpoint(reader), R"({"sequence":2})");
  reader.next();
  EXPECT_EQ(checkpoint(reader), R"({"sequence":3})");
}

TEST_F(QreviewsTest, SequencesMustIncrease) {
  const struct {
    std::vector<std::string> pages;
    const char* message;
  } kCases[] = {
      {{page({record(2), record(2)})}, "must increase, but 2 comes after 2"},
      {{page({record(2)}), page({record(2)})}, "must increase, but 2 comes after 2"},
      {{page({record(5), record(4)})}, "must increase, but 4 comes after 5"},
      {{page({R"({"id":1})"})}, "objects[].sequence: is null"},
      {{page({record(2)}), page({record(1, R"(,"score":"PHI-x")")})},
       "must increase, but 1 comes after 2"},
      {{page({R"({"id":"PHI-x"})"})},
       "no record of the page has a sequence, so there is no going on"},
  };
  for (const auto& c : kCases) {
    const Error error = failure(c.pages);
    EXPECT_EQ(error.code(), Code::kRemote);
    EXPECT_THAT(error.what(), HasSubstr(c.message));
  }
}

TEST_F(QreviewsTest, ObjectsThatAreMissingAreNeverTheEnd) {
  for (const char* body : {R"({"meta":{}})", R"({"objects":null})", R"({"objects":{}})", "[]"}) {
    const Error error = failure({answer(200, body)});
    EXPECT_EQ(error.code(), Code::kRemote) << body;
    EXPECT_THAT(error.what(), HasSubstr("objects")) << body;
  }
}

TEST_F(QreviewsTest, ABodyThatIsNoJsonIsAskedForAgain) {
  const std::string html = answer(200, "<html>PHI-Anna</html>", "Content-Type: text/html\r\n");
  EXPECT_THAT(sequences({html, page({record(1)}), page({})}), ElementsAre(1));
  const Error error = failure({html});
  EXPECT_EQ(error.code(), Code::kRemote);
  EXPECT_THAT(error.what(),
              HasSubstr("answered 200 with a body that is no JSON (text/html, 21 bytes)"));
  EXPECT_EQ(server->requests().size(), 2u);
}

TEST_F(QreviewsTest, StatusesHaveTheirCode) {
  const struct {
    int status;
    Code code;
  } kCases[] = {{401, Code::kAuth},       {403, Code::kAuth},   {404, Code::kNotFound},
                {400, Code::kRemote},     {304, Code::kRemote}, {503, Code::kUnavailable},
                {429, Code::kUnavailable}};
  for (const auto& c : kCases) {
    const Error error = failure({answer(c.status, "PHI-body")});
    EXPECT_EQ(error.code(), c.code) << c.status;
    EXPECT_THAT(error.what(), HasSubstr("answered " + std::to_string(c.status)));
  }
}

TEST_F(QreviewsTest, TheKeyFollowsRedirectsWithinTheServerOnly) {
  const auto to = [](const std::string& location) {
    return answer(302, "", "Location: " + location + "\r\n");
  };
  EXPECT_THAT(sequences({to("/elsewhere"), page({})}), ElementsAre());
  EXPECT_THAT(server->requests().at(1),
              AllOf(StartsWith("GET /elsewhere "), HasSubstr("s3cret-key")));
  for (const char* location : {"http://127.0.0.2:1/x", "//127.0.0.2/x", "https://127.0.0.1/", ""})
    EXPECT_THAT(failure({to(location)}).what(), HasSubstr("is redirected to another server"));
  EXPECT_THAT(failure({to("/again")}).what(), HasSubstr("too many redirects"));
}

TEST_F(QreviewsTest, ARefusedRecordCostsItselfAndIsPassed) {
  auto reader = open({page({record(1), record(2, R"(,"score":"high")")}), page({})});
  EXPECT_EQ(test::count_rows(reader.batches()), 1);
  EXPECT_EQ(checkpoint(reader), R"({"sequence":2})");
  ASSERT_EQ(host.rejects.size(), 1u);
  EXPECT_EQ(host.rejects[0].why.reason, "score: expected int64, found utf8");
  EXPECT_EQ(host.rejects[0].why.position_json, R"({"sequence":2})");
}

TEST_F(QreviewsTest, WhateverARefusedRecordHoldsItIsPassed) {
  const std::string deep = std::string(2000, '[') + std::string(2000, ']');
  for (const std::string& value :
       {std::string("1e999"), deep, std::string("NaN"), std::string(R"("\ud800")")}) {
    open({page({record(4, ",\"score\":" + value)}), page({})}).events();
    EXPECT_EQ(server->requests().size(), 2u) << value;
    EXPECT_EQ(host.rejects.back().why.position_json, R"({"sequence":4})") << value;
  }
}

TEST_F(QreviewsTest, APageOfRefusedRecordsIsPassedToo) {
  auto reader = open({page({record(4, R"(,"score":"high")")}), page({record(5)}), page({})});
  EXPECT_EQ(test::count_rows(reader.batches()), 1);
  EXPECT_EQ(host.rows_rejected, 1);
  EXPECT_THAT(server->requests().at(1), HasSubstr("sequence__gt=4&"));
}

TEST_F(QreviewsTest, ItGoesOnFromItsState) {
  auto reader = open({page({})}, R"({"sequence":41})");
  reader.events();
  EXPECT_THAT(server->requests().at(0), HasSubstr("sequence__gt=41&"));
  EXPECT_EQ(checkpoint(reader), "unchanged");
  for (const char* state : {R"({"sequence":"41"})", R"({"seq":41})", "41"}) {
    try {
      open({page({})}, state);
      ADD_FAILURE() << state;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kConfig);
      EXPECT_THAT(error.what(), StartsWith("state: must be like {\"sequence\": 100}"));
    }
  }
}

TEST_F(QreviewsTest, AFieldThatComesInTheMiddleOfAPageBeginsAStreamAnew) {
  host.on_schema_change = BAY_CHANGE_EVOLVE;
  auto reader = open({page({record(1), record(2, R"(,"mood":"fine")")}), page({})});
  std::string kinds;
  int64_t rows = 0;
  for (const auto& event : reader.events()) {
    if (const auto* begin = std::get_if<StreamBegin>(&event))
      kinds += begin->schema->index_of("mood") < 0 ? "stream " : "stream+ ";
    if (const auto* batch = std::get_if<BatchEvent>(&event)) rows += batch->batch.rows();
  }
  EXPECT_EQ(kinds, "stream stream+ ");
  EXPECT_EQ(rows, 2);
}

TEST_F(QreviewsTest, NumbersBeyondTwoToThe53AreExact) {
  EXPECT_THAT(sequences({page({record(9007199254740993)}), page({})}),
              ElementsAre(9007199254740993));
}

TEST_F(QreviewsTest, ItHasOneStream) {
  SourceDriver& driver = source({page({})});
  EXPECT_EQ(driver.plan({"responses"}).size(), 1u);
  EXPECT_EQ(driver.plan({"others"}).size(), 0u);
  EXPECT_EQ(driver.discover().at(0), qreviews_schema());
  driver.check();
  EXPECT_THAT(server->requests().at(0), HasSubstr("&limit=1&"));
}

TEST_F(QreviewsTest, CancelEndsIt) {
  auto reader = open({page({record(1)})});
  host.cancel();
  try {
    reader.events();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCancelled);
  }
}

}  // namespace
}  // namespace patchbay
