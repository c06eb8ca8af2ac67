#include <gmock/gmock.h>

#include "patchbay/http.h"

namespace patchbay {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

TEST(PercentEncode, KeepsUnreservedCharactersOnly) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b/c?d&e=f+%\xc3\xa9"), "a%20b%2Fc%3Fd%26e%3Df%2B%25%C3%A9");
}

TEST(QueryText, JoinsAndContinues) {
  EXPECT_EQ(Query().add("a b", "c&d").add("n", 7).text(), "a%20b=c%26d&n=7");
  EXPECT_EQ(Query().add("a", "b").on("https://x/y"), "https://x/y?a=b");
  EXPECT_EQ(Query().add("a", "b").on("https://x/y?c=d"), "https://x/y?c=d&a=b");
  EXPECT_EQ(Query().on("https://x/y"), "https://x/y");
}

TEST(Origin, IsSchemeHostAndPort) {
  const std::pair<const char*, const char*> cases[] = {
      {"https://Example.COM/path?q#f", "https://example.com"},
      {"https://example.com:443", "https://example.com"},
      {"http://example.com:80/", "http://example.com"},
      {"http://example.com:443/", "http://example.com:443"},
      {"https://user:secret@example.com:8443/x", "https://example.com:8443"},
      {"https://example.com?x=http://other", "https://example.com"},
      {"http://[::1]:99/", "http://[::1]:99"},
      {"ftp://example.com", ""},
      {"example.com/path", ""},
      {"", ""},
      {"https://", ""},
      {"https://a b/", ""},
  };
  for (const auto& [url, origin] : cases) EXPECT_EQ(origin_of(url), origin) << url;
  EXPECT_TRUE(same_origin("https://a/x", "https://A:443/y"));
  EXPECT_FALSE(same_origin("https://a/x", "http://a/x"));
  EXPECT_FALSE(same_origin("nothing", "nothing"));
}

TEST(Loopback, IsThisMachineAndNothingThatLooksLikeIt) {
  for (const char* url : {"http://localhost:1/x", "http://127.0.0.1", "http://127.9.9.9:80",
                          "http://[::1]:5/", "http://LOCALHOST"}) {
    EXPECT_TRUE(is_loopback(url)) << url;
  }
  for (const char* url : {"http://localhost.example.com", "http://127.0.0.1.example.com",
                          "http://127.0.0.1@example.com", "http://example.com#@localhost",
                          "http://10.0.0.1", "http://[::2]", "localhost"}) {
    EXPECT_FALSE(is_loopback(url)) << url;
  }
}

TEST(ResolveUrl, FollowsRfc3986) {
  EXPECT_EQ(resolve_url("https://a/b/c?d", "/e"), "https://a/e");
  EXPECT_EQ(resolve_url("https://a/b/c", "d?e=f"), "https://a/b/d?e=f");
  EXPECT_EQ(resolve_url("https://a/b", "//c/d"), "https://c/d");
  EXPECT_EQ(resolve_url("https://a/b", "http://c/d"), "http://c/d");
  EXPECT_EQ(resolve_url("https://a/b", "file:///etc/passwd"), "");
}

TEST(PublicUrl, LeavesOutUserQueryAndFragment) {
  EXPECT_EQ(public_url("https://u:p@h:8/a%20b?key=secret#frag"), "https://h:8/a%20b");
  EXPECT_EQ(public_url("secret"), "a text that is no URL");
}

TEST(Redact, TakesOutSecretsAndControlCharacters) {
  HttpRequest request;
  request.headers = {"Authorization: Bearer abcd1234", "X-App-Token: tok-5678", "Accept: text/csv"};
  request.secrets = {"hunter22", "no"};
  EXPECT_EQ(redact(request, "bad Bearer abcd1234, abcd1234, tok-5678, hunter22\r\nno text/csv"),
            "bad ***, ***, ***, ***  no text/csv");
}

TEST(Redact, TakesOutBearerTokensOfOthers) {
  EXPECT_EQ(redact({}, "got \"Bearer ya29.abc\", want Bearer x"),
            "got \"Bearer ***\", want Bearer ***");
  EXPECT_EQ(redact({}, "needs a Bearer "), "needs a Bearer ");
}

TEST(Redact, KeepsMessagesShortAndUtf8) {
  std::string text(999, 'x');
  text += "\xc3\xa9tude";
  EXPECT_EQ(redact({}, text), std::string(999, 'x') + "...");
}

TEST(CodeOfStatus, SaysWhatTheHostIsToDo) {
  const std::pair<long, Code> cases[] = {
      {400, Code::kRemote},      {401, Code::kAuth},        {403, Code::kAuth},
      {404, Code::kNotFound},    {407, Code::kAuth},        {408, Code::kUnavailable},
      {409, Code::kRemote},      {422, Code::kRemote},      {429, Code::kUnavailable},
      {500, Code::kUnavailable}, {503, Code::kUnavailable}, {302, Code::kRemote},
  };
  for (const auto& [status, code] : cases) EXPECT_EQ(code_of_status(status), code) << status;
}

TEST(RetryAfter, IsSecondsOrADate) {
  EXPECT_EQ(parse_retry_after("0"), seconds(0));
  EXPECT_EQ(parse_retry_after("120"), seconds(120));
  EXPECT_EQ(parse_retry_after("99999999999"), seconds(86'400 * 365));
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), seconds(0));
  for (const char* text : {"", "-1", "soon", "1.5", "1 minute", "99999999999999999999999"})
    EXPECT_FALSE(parse_retry_after(text)) << text;

  const time_t soon = time(nullptr) + 100;
  char date[64];
  tm parts{};
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&soon, &parts));
  const auto wait = parse_retry_after(date);
  ASSERT_TRUE(wait);
  EXPECT_GT(*wait, seconds(90));
  EXPECT_LE(*wait, seconds(100));
}

TEST(ThrowStatus, NamesEverythingButSecrets) {
  HttpRequest request;
  request.method = "POST";
  request.url = "https://host/path?signature=s3cr3t";
  request.headers = {"Authorization: Bearer s3cr3t"};
  HttpResponse response;
  response.status = 404;
  response.headers.emplace("x-goog-request-id", "abc");
  response.body = "patient";
  try {
    throw_status(request, response, "no table for s3cr3t");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_STREQ(error.what(),
                 "POST https://host/path: answered 404: no table for *** (request abc)");
    EXPECT_THAT(error.detail_json(), HasSubstr(R"("request_id":"abc")"));
    EXPECT_THAT(error.detail_json(), HasSubstr(R"("status":404)"));
    EXPECT_THAT(error.detail_json(), Not(HasSubstr("s3cr3t")));
  }
}

}  // namespace
}  // namespace patchbay
