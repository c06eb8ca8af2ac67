// What is repeated, how often, and what is not.
#include <gmock/gmock.h>

#include "fake_call.h"
#include "patchbay/http.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

HttpRequest request_to(const std::string& url, const std::string& method = "GET") {
  HttpRequest request;
  request.url = url;
  request.method = method;
  if (method == "POST") request.body = "rows";
  return request;
}

TEST(HttpRepeat, TransientStatusesAreTriedAgain) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    ScriptedServer server({ScriptedServer::answers({answer(status, ""), answer(200, "fine")})});
    HttpClient client({});
    FakeCall fake(1);
    EXPECT_EQ(client.send(fake.call(), request_to(server.url())).body, "fine") << status;
    ASSERT_EQ(fake.asked().size(), 1u);
    EXPECT_EQ(fake.asked()[0].attempt, 1u);
    EXPECT_EQ(fake.asked()[0].retry_after_ns, -1);
  }
}

TEST(HttpRepeat, OtherStatusesAreNot) {
  for (const int status : {200, 204, 301, 400, 401, 403, 404, 409, 412, 422}) {
    ScriptedServer server({ScriptedServer::answers({answer(status, "")})});
    HttpClient client({});
    FakeCall fake(1);
    EXPECT_EQ(client.send(fake.call(), request_to(server.url())).status, status);
    EXPECT_TRUE(fake.asked().empty()) << status;
  }
}

TEST(HttpRepeat, TheRemotesWishReachesTheHost) {
  ScriptedServer server({ScriptedServer::answers(
      {answer(429, "", "Retry-After: 7\r\n"), answer(503, ""), answer(200, "")})});
  HttpClient client({});
  FakeCall fake(2);
  client.send(fake.call(), request_to(server.url()));
  ASSERT_EQ(fake.asked().size(), 2u);
  EXPECT_EQ(fake.asked()[0].retry_after_ns, 7'000'000'000);
  EXPECT_EQ(fake.asked()[1].attempt, 2u);
  EXPECT_EQ(fake.asked()[1].retry_after_ns, -1);
}

TEST(HttpRepeat, WaitsAsLongAsTheHostSays) {
  ScriptedServer server({ScriptedServer::answers({answer(500, ""), answer(200, "")})});
  HttpClient client({});
  FakeCall fake(1, milliseconds(40));
  const auto begin = steady_clock::now();
  client.send(fake.call(), request_to(server.url()));
  EXPECT_GE(steady_clock::now() - begin, milliseconds(40));
}

TEST(HttpRepeat, CancelEndsTheWait) {
  ScriptedServer server({ScriptedServer::answers({answer(500, "")})});
  HttpClient client({});
  FakeCall fake(1, seconds(3600));
  fake.on_backoff([&] { fake.cancel(); });
  const auto begin = steady_clock::now();
  EXPECT_EQ(error_of([&] { client.send(fake.call(), request_to(server.url())); }).code(),
            Code::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, seconds(1));
}

TEST(HttpRepeat, GivingUpNamesWhatWasTried) {
  ScriptedServer server({ScriptedServer::answers(
      {answer(503, "patient", "Retry-After: 9\r\nx-amz-request-id: r9\r\n")})});
  HttpClient client({});
  FakeCall fake(2);
  HttpRequest request = request_to(server.url("/a?token=s3cr3t"));
  request.headers = {"Authorization: s3cr3t"};
  const Error error = error_of([&] { client.send(fake.call(), request); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.what(), "GET " + server.url("/a") +
                              ": answered 503, asking to wait 9 s (3 attempts, request r9)");
  EXPECT_THAT(error.detail_json(),
              AllOf(HasSubstr(R"("attempts":3)"), HasSubstr(R"("request_id":"r9")"),
                    Not(HasSubstr("s3cr3t")), Not(HasSubstr("patient"))));
}

TEST(HttpRepeat, BrokenAnswersAreTriedAgain) {
  const std::pair<const char*, const char*> cases[] = {
      {"nothing", ""},
      {"half a status line", "HTTP/1.1 20"},
      {"half the headers", "HTTP/1.1 200 OK\r\nContent-Type: text/pl"},
      {"only 100", "HTTP/1.1 100 Continue\r\n\r\n"},
      {"a short body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"},
      {"a cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nshort"},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"},
      {"no HTTP", "220 smtp.test ready\r\n"},
      {"bad gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"},
  };
  for (const auto& [name, bytes] : cases) {
    ScriptedServer server({[text = std::string(bytes)](Peer& peer) {
                             peer.read_request();
                             peer.send(text);
                             peer.finish();
                           },
                           ScriptedServer::answers({answer(200, "whole")})});
    HttpClient client({});
    FakeCall fake(1);
    EXPECT_EQ(client.send(fake.call(), request_to(server.url())).body, "whole") << name;
    EXPECT_EQ(fake.asked().size(), 1u) << name;
  }
}

TEST(HttpRepeat, ADeadServerIsUnavailable) {
  std::string url;
  {
    ScriptedServer gone({[](Peer&) {}});
    url = gone.url("/x?k=s3cr3t");
  }
  HttpClient client({});
  for (const char* method : {"GET", "POST"}) {
    FakeCall fake(2);
    const Error error = error_of([&] { client.send(fake.call(), request_to(url, method)); });
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("(3 attempts)"), HasSubstr("127.0.0.1"), Not(HasSubstr("s3cr3t"))));
  }
}

TEST(HttpRepeat, WhatIsNotSafeIsSentOnce) {
  const std::pair<const char*, ScriptedServer::Script> cases[] = {
      {"an error", ScriptedServer::answers({answer(500, "")})},
      {"503 that asks for nothing", ScriptedServer::answers({answer(503, "")})},
      {"a broken connection", [](Peer& peer) { peer.read_request(); }},
      {"a reset",
       [](Peer& peer) {
         peer.read_request();
         peer.reset();
       }},
  };
  for (const auto& [name, script] : cases) {
    ScriptedServer server({script});
    HttpClient client({});
    FakeCall fake(5);
    const Error error =
        error_of([&] { client.send(fake.call(), request_to(server.url(), "POST")); });
    EXPECT_EQ(error.code(), Code::kUnavailable) << name;
    EXPECT_THAT(error.what(), HasSubstr("(1 attempt; not repeated, it may have been carried out)"))
        << name;
    EXPECT_EQ(server.requests().size(), 1u) << name;
    EXPECT_TRUE(fake.asked().empty()) << name;
  }
}

// libcurl would send it again by itself.
TEST(HttpRepeat, WhatIsNotSafeIsSentOnceOnAKeptConnectionToo) {
  for (const char* body : {"rows", ""}) {
    ScriptedServer server({[](Peer& peer) {
                             peer.read_request();
                             peer.send(answer(200, ""));
                             peer.read_request();
                           },
                           [](Peer& peer) { peer.read_request(); }});
    HttpClient client({});
    FakeCall fake(5);
    HttpRequest request = request_to(server.url(), "POST");
    client.send(fake.call(), request_to(server.url()));
    request.body = body;
    EXPECT_EQ(error_of([&] { client.send(fake.call(), request); }).code(), Code::kUnavailable);
    EXPECT_EQ(server.requests().size(), 2u) << '"' << body << '"';
  }
}

TEST(HttpRepeat, WhatIsNotSafeIsRepeatedWhereTheServerAsks) {
  for (const int status : {429, 503}) {
    ScriptedServer server(
        {ScriptedServer::answers({answer(status, "", "Retry-After: 0\r\n"), answer(200, "fine")})});
    HttpClient client({});
    FakeCall fake(1);
    EXPECT_EQ(client.send(fake.call(), request_to(server.url(), "POST")).body, "fine") << status;
  }
}

TEST(HttpRepeat, TheCallerMaySayThatAPostIsSafeAndAGetIsNot) {
  ScriptedServer server(
      {ScriptedServer::answers({answer(500, ""), answer(200, ""), answer(500, "")})});
  HttpClient client({});
  FakeCall fake(5);
  HttpRequest post = request_to(server.url(), "POST");
  post.safe_to_repeat = true;
  EXPECT_EQ(client.send(fake.call(), post).status, 200);
  EXPECT_TRUE(server.requests().at(1).ends_with("rows"));
  HttpRequest get = request_to(server.url());
  get.safe_to_repeat = false;
  EXPECT_EQ(error_of([&] { client.send(fake.call(), get); }).code(), Code::kUnavailable);
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST(HttpRepeat, ProbesAreNotRepeated) {
  ScriptedServer server({ScriptedServer::answers({answer(500, "")})});
  HttpClient client({});
  FakeCall fake(5);
  HttpRequest request = request_to(server.url());
  request.retry = false;
  EXPECT_EQ(client.send(fake.call(), request).status, 500);
  EXPECT_TRUE(fake.asked().empty());
}

TEST(HttpRepeat, TheCallerMayKnowMoreTransientAnswers) {
  ScriptedServer server({ScriptedServer::answers({answer(403, "slow down"), answer(200, "fine")})});
  HttpClient client({});
  FakeCall fake(1);
  const auto slow_down = [](const HttpResponse& response) { return response.body == "slow down"; };
  EXPECT_EQ(client.send(fake.call(), request_to(server.url()), slow_down).body, "fine");
}

}  // namespace
}  // namespace patchbay
