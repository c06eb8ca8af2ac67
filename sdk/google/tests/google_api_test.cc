// Requests with tokens, and Google's errors.
#include <gmock/gmock.h>

#include <atomic>

#include "fake_call.h"
#include "patchbay/google.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Hands out t1, t2, ...
class Counted final : public GoogleCredentials {
 public:
  explicit Counted(const std::string& quota_project = "")
      : GoogleCredentials(GoogleEnvironment{}, "", quota_project) {}

 private:
  Token fetch(Call&, const HttpOptions&) override {
    return {"t" + std::to_string(++fetched_), std::chrono::seconds(3600)};
  }
  int fetched_ = 0;
};

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

std::string error_answer(int status, const std::string& reason, const std::string& message) {
  return answer(status, R"({"error":{"code":1,"message":")" + message +
                            R"(","errors":[{"reason":")" + reason + R"(","message":"inner"}]}})");
}

TEST(GoogleApi, SendsTokenAndQuotaProject) {
  ScriptedServer server({ScriptedServer::answers({answer(200, "{}")})});
  GoogleApi api(std::make_shared<Counted>("q1"), {});
  FakeCall fake;
  EXPECT_EQ(api.require(fake.call(), get(server.url())).body, "{}");
  EXPECT_THAT(server.requests().at(0), AllOf(HasSubstr("\r\nAuthorization: Bearer t1\r\n"),
                                             HasSubstr("\r\nx-goog-user-project: q1\r\n")));
}

TEST(GoogleApi, WithoutCredentialsSendsNone) {
  ScriptedServer server({ScriptedServer::answers({answer(200, "{}")})});
  GoogleApi api(nullptr, {});
  FakeCall fake;
  api.require(fake.call(), get(server.url()));
  EXPECT_THAT(server.requests().at(0), Not(HasSubstr("Authorization")));
}

TEST(GoogleApi, ARefusedTokenIsRenewedOnce) {
  ScriptedServer server({ScriptedServer::answers(
      {answer(401, ""), answer(200, "fine"), error_answer(401, "authError", "no t2"),
       error_answer(401, "authError", "no Bearer t3")})});
  GoogleApi api(std::make_shared<Counted>(), {});
  FakeCall fake;
  HttpRequest post = get(server.url());
  post.method = "POST";
  post.body = "rows";
  EXPECT_EQ(api.send(fake.call(), post).body, "fine");
  EXPECT_THAT(server.requests().at(1), HasSubstr("Bearer t2"));
  EXPECT_TRUE(server.requests().at(1).ends_with("rows"));
  const Error error = error_of([&] { api.require(fake.call(), post); });
  EXPECT_EQ(error.code(), Code::kAuth);
  EXPECT_EQ(error.what(), "POST " + server.url("/") + ": answered 401: authError: no Bearer ***");
  EXPECT_EQ(server.requests().size(), 4u);
}

TEST(GoogleApi, EveryReasonHasItsReaction) {
  struct Case {
    int status;
    const char* reason;
    bool repeated;
    Code code;
  };
  const Case cases[] = {
      {403, "rateLimitExceeded", true, Code::kUnavailable},
      {403, "userRateLimitExceeded", true, Code::kUnavailable},
      {400, "tableUnavailable", true, Code::kUnavailable},
      {400, "jobRateLimitExceeded", true, Code::kUnavailable},
      {500, "internalError", true, Code::kUnavailable},
      {503, "backendError", true, Code::kUnavailable},
      {502, "badGateway", true, Code::kUnavailable},
      {403, "quotaExceeded", false, Code::kUnavailable},
      {403, "accessDenied", false, Code::kAuth},
      {403, "", false, Code::kAuth},
      {403, "billingNotEnabled", false, Code::kRemote},
      {404, "notFound", false, Code::kNotFound},
      {409, "duplicate", false, Code::kRemote},
      {400, "invalidQuery", false, Code::kRemote},
      {400, "stopped", false, Code::kRemote},
      {413, "", false, Code::kRemote},
  };
  for (const auto& [status, reason, repeated, code] : cases) {
    ScriptedServer server({ScriptedServer::answers({error_answer(status, reason, "words")})});
    GoogleApi api(std::make_shared<Counted>(), {});
    FakeCall fake(1);
    const Error error = error_of([&] { api.require(fake.call(), get(server.url("/x?y=z"))); });
    EXPECT_EQ(error.code(), code) << status << reason;
    EXPECT_EQ(fake.asked().empty(), !repeated) << status << reason;
    const std::string named = *reason ? std::string(reason) + ": words" : "words";
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr(": answered " + std::to_string(status) + ": " + named),
                      HasSubstr("GET " + server.url("/x") + ":")));
  }
}

TEST(GoogleApi, ExpectedStatusesPass) {
  ScriptedServer server({ScriptedServer::answers({error_answer(404, "notFound", "gone")})});
  GoogleApi api(nullptr, {});
  FakeCall fake;
  HttpRequest request = get(server.url());
  request.expected = {200, 404};
  EXPECT_EQ(api.require(fake.call(), request).status, 404);
}

TEST(ParseGoogleError, TakesWhateverIsThere) {
  struct Case {
    const char* body;
    const char* reason;
    const char* message;
  };
  const Case cases[] = {
      {R"({"error":{"message":"m","errors":[{"reason":"r"},{"reason":"s"}]}})", "r", "m"},
      {R"({"error":{"errors":[{"reason":"r","message":"inner"}]}})", "r", "inner"},
      {R"({"error":{"message":"m"}})", "", "m"},
      {R"({"error":{"message":7,"errors":{"reason":"r"}}})", "", ""},
      {R"({"error":{"message":"m","errors":[7]}})", "", "m"},
      {R"({"error":"invalid_grant","error_description":"d"})", "invalid_grant", "d"},
      {R"({"error":null})", "", ""},
      {"<html>502</html>", "", ""},
      {"[]", "", ""},
      {"", "", ""},
  };
  for (const auto& [body, reason, message] : cases) {
    HttpResponse response;
    response.body = body;
    const GoogleError error = parse_google_error(response);
    EXPECT_EQ(error.reason, reason) << body;
    EXPECT_EQ(error.message, message) << body;
  }
}

}  // namespace
}  // namespace patchbay
