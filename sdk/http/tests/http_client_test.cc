// One request: what is sent, what comes back, and what is refused.
#include <gmock/gmock.h>

#include "fake_call.h"
#include "patchbay/http.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

HttpRequest post(const std::string& url, const std::string& body) {
  HttpRequest request = get(url);
  request.method = "POST";
  request.body = body;
  return request;
}

TEST(HttpClient, SendsMethodHeadersAndBody) {
  ScriptedServer server({ScriptedServer::answers({answer(200, "ok")})});
  HttpClient client({});
  FakeCall fake;
  HttpRequest request = post(server.url("/p?q=1"), "body");
  request.headers = {"X-Some: thing"};
  client.send(fake.call(), request);
  const std::string sent = server.requests().at(0);
  EXPECT_TRUE(sent.starts_with("POST /p?q=1 HTTP/1.1\r\n")) << sent;
  EXPECT_TRUE(sent.ends_with("\r\n\r\nbody")) << sent;
  EXPECT_THAT(sent,
              AllOf(HasSubstr("\r\nX-Some: thing\r\n"), HasSubstr("\r\nContent-Length: 4\r\n"),
                    HasSubstr("\r\nUser-Agent: patchbay/"), HasSubstr("gzip"),
                    Not(HasSubstr("Expect")), Not(HasSubstr("X-Request-Id"))));
}

TEST(HttpClient, EveryMethodArrivesAsItIs) {
  ScriptedServer server({ScriptedServer::answers({answer(200, "")})});
  HttpClient client({});
  FakeCall fake;
  for (const char* method : {"GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"}) {
    HttpRequest request = get(server.url());
    request.method = method;
    EXPECT_EQ(client.send(fake.call(), request).status, 200) << method;
    EXPECT_TRUE(server.requests().back().starts_with(std::string(method) + " / ")) << method;
  }
}

TEST(HttpClient, HeadHasNoBodyWhateverItsLength) {
  ScriptedServer server(
      {ScriptedServer::answers({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"})});
  HttpClient client({});
  FakeCall fake;
  HttpRequest request = get(server.url());
  request.method = "HEAD";
  EXPECT_EQ(client.send(fake.call(), request).header("content-length"), "9");
}

TEST(HttpClient, KeepsItsConnection) {
  ScriptedServer server({ScriptedServer::answers({answer(200, "a"), answer(404, "b")})});
  HttpClient client({});
  FakeCall fake;
  EXPECT_EQ(client.send(fake.call(), get(server.url())).body, "a");
  EXPECT_EQ(client.send(fake.call(), get(server.url())).status, 404);
  EXPECT_EQ(client.send(fake.call(), post(server.url(), "x")).status, 404);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpClient, HeadersAreFoundInAnyCase) {
  ScriptedServer server({ScriptedServer::answers({"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" +
                                                  answer(200, "", "X-Request-ID:  r1 \r\n")})});
  HttpClient client({});
  FakeCall fake;
  const HttpResponse response = client.send(fake.call(), get(server.url()));
  EXPECT_EQ(response.header("X-REQUEST-id"), "r1");
  EXPECT_EQ(response.request_id(), "r1");
  EXPECT_EQ(response.header("x-early"), "");
}

TEST(HttpClient, DecodesGzip) {
  const std::string zipped(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00"
      "\x00\x00",
      25);
  ScriptedServer server(
      {ScriptedServer::answers({answer(200, zipped, "Content-Encoding: gzip\r\n")})});
  HttpClient client({});
  FakeCall fake;
  EXPECT_EQ(client.send(fake.call(), get(server.url())).body, "hello");
  HttpRequest raw = get(server.url());
  raw.accept_encoding = false;
  EXPECT_EQ(client.send(fake.call(), raw).body, zipped);
}

TEST(HttpClient, SendsARequestIdWhereAsked) {
  ScriptedServer server({ScriptedServer::answers({answer(500, ""), answer(200, "")})});
  HttpOptions options;
  options.send_request_id = true;
  HttpClient client(options);
  FakeCall fake(1);
  client.send(fake.call(), get(server.url()));
  EXPECT_THAT(server.requests().at(0), testing::ContainsRegex("X-Request-Id: [0-9a-f]{32}\r\n"));
}

TEST(HttpClient, RefusesPlainHttpToOtherMachines) {
  HttpOptions options;
  options.option = "endpoint";
  HttpClient client(options);
  FakeCall fake;
  const std::pair<const char*, const char*> cases[] = {
      {"http://example.test/x?key=s3cr3t",
       "endpoint: http://example.test is plain http; use https, or set allow_http: true where the "
       "network is trusted"},
      {"http://127.0.0.1.example.test/",
       "endpoint: http://127.0.0.1.example.test is plain http; use https, or set allow_http: true "
       "where the network is trusted"},
      {"ftp://example.test/", "endpoint: must be a URL that begins with https://"},
      {"example.test", "endpoint: must be a URL that begins with https://"},
  };
  for (const auto& [url, message] : cases) {
    const Error error = error_of([&] { client.send(fake.call(), get(url)); });
    EXPECT_EQ(error.code(), Code::kConfig) << url;
    EXPECT_STREQ(error.what(), message);
  }
}

TEST(HttpClient, UsesTheProxyButNotForThisMachine) {
  ScriptedServer proxy({ScriptedServer::answers({answer(200, "proxied")})});
  ScriptedServer server({ScriptedServer::answers({answer(200, "direct")})});
  HttpOptions options;
  options.allow_http = true;
  options.proxy = proxy.url();
  HttpClient client(options);
  FakeCall fake;
  EXPECT_EQ(client.send(fake.call(), get("http://example.test/x")).body, "proxied");
  EXPECT_TRUE(proxy.requests().at(0).starts_with("GET http://example.test/x HTTP/1.1"));
  EXPECT_EQ(client.send(fake.call(), get(server.url())).body, "direct");
}

TEST(HttpClient, TheUsualVariablesNameTheProxyAndWhoNeedsNone) {
  ScriptedServer proxy({ScriptedServer::answers({answer(200, "proxied")})});
  setenv("http_proxy", proxy.url().c_str(), 1);
  setenv("no_proxy", "internal.test", 1);
  HttpOptions options;
  options.allow_http = true;
  options.connect_timeout = milliseconds(200);  // these names are nobody's
  HttpClient client(options);
  FakeCall fake;
  EXPECT_EQ(client.send(fake.call(), get("http://example.test/x")).body, "proxied");
  error_of([&] { client.send(fake.call(), get("http://internal.test/")); });
  options.direct = true;
  HttpClient direct(options);
  error_of([&] { direct.send(fake.call(), get("http://example.test/")); });
  unsetenv("http_proxy");
  unsetenv("no_proxy");
  EXPECT_EQ(proxy.requests().size(), 1u);
}

TEST(HttpClient, NamesAnUnusableCaFile) {
  ScriptedServer server({[](Peer& peer) { peer.wait_closed(); }});
  HttpOptions options;
  options.ca_file = "/nowhere/ca.pem";
  HttpClient client(options);
  FakeCall fake;
  const Error error = error_of(
      [&] { client.send(fake.call(), get("https://127.0.0.1:" + std::to_string(server.port()))); });
  EXPECT_EQ(error.code(), Code::kConfig);
  EXPECT_THAT(error.what(), testing::StartsWith("ca_file: "));
}

TEST(HttpClient, RefusesHeadersWithLineBreaks) {
  HttpClient client({});
  FakeCall fake;
  HttpRequest request = get("http://127.0.0.1:1/");
  request.headers = {"X-Key: s3cr3t\r\nX-Evil: 1"};
  const Error error = error_of([&] { client.send(fake.call(), request); });
  EXPECT_EQ(error.code(), Code::kConfig);
  EXPECT_STREQ(error.what(), "header X-Key: its value must not have line breaks");
}

TEST(HttpClient, RequireMapsStatusesAndExplains) {
  ScriptedServer server({ScriptedServer::answers(
      {answer(403, "patient says no", "x-request-id: r7\r\n"), answer(409, ""), answer(409, "")})});
  HttpClient client({}, [](const HttpResponse& response) {
    return response.body.empty() ? "" : "no access for Bearer s3cr3t";
  });
  FakeCall fake;
  HttpRequest request = get(server.url("/a?key=s3cr3t"));
  request.headers = {"Authorization: Bearer s3cr3t"};
  const Error error = error_of([&] { client.require(fake.call(), request); });
  EXPECT_EQ(error.code(), Code::kAuth);
  EXPECT_EQ(error.what(),
            "GET " + server.url("/a") + ": answered 403: no access for *** (request r7)");
  EXPECT_EQ(error_of([&] { client.require(fake.call(), request); }).code(), Code::kRemote);
  request.expected = {200, 409};
  EXPECT_EQ(client.require(fake.call(), request).status, 409);
}

TEST(HttpClient, BodyOverTheLimitIsRefusedForGood) {
  const ScriptedServer::Script endless = [](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    while (peer.send(std::string(1000, 'x'))) {
    }
  };
  ScriptedServer server({endless});
  HttpOptions options;
  options.max_response_bytes = 100'000;
  HttpClient client(options);
  FakeCall fake(5);
  const Error error = error_of([&] { client.send(fake.call(), get(server.url("/x?secret=1"))); });
  EXPECT_EQ(error.code(), Code::kRemote);
  EXPECT_EQ(error.what(),
            "GET " + server.url("/x") + ": the body is over the limit of 100000 bytes");
  EXPECT_TRUE(fake.asked().empty());
}

TEST(HttpClient, EndlessHeadersAreRefusedForGood) {
  ScriptedServer server({[](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n");
    while (peer.send("X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  }});
  HttpClient client({});
  FakeCall fake(5);
  const Error error = error_of([&] { client.send(fake.call(), get(server.url())); });
  EXPECT_EQ(error.code(), Code::kRemote);
  EXPECT_THAT(error.what(), HasSubstr("the headers are over the limit of 262144 bytes"));
}

TEST(HttpClient, RedirectsAreAnswersUnlessAsked) {
  ScriptedServer server({ScriptedServer::answers({answer(302, "", "Location: /b\r\n")})});
  HttpClient client({});
  FakeCall fake;
  EXPECT_EQ(client.send(fake.call(), get(server.url("/a"))).status, 302);
  EXPECT_EQ(server.requests().size(), 1u);
}

HttpOptions following() {
  HttpOptions options;
  options.follow_redirects = true;
  return options;
}

TEST(HttpClient, FollowsRedirectsWithinTheOrigin) {
  ScriptedServer server(
      {ScriptedServer::answers({answer(302, "", "Location: /b?c=d\r\n"),
                                answer(308, "", "Location: e\r\n"), answer(200, "there")})});
  HttpClient client(following());
  FakeCall fake;
  HttpRequest request = get(server.url("/a"));
  request.headers = {"Authorization: Bearer s3cr3t"};
  EXPECT_EQ(client.send(fake.call(), request).body, "there");
  EXPECT_TRUE(server.requests().at(1).starts_with("GET /b?c=d "));
  EXPECT_TRUE(server.requests().at(2).starts_with("GET /e "));
}

TEST(HttpClient, RedirectsThatLeadElsewhereAreErrors) {
  ScriptedServer other({ScriptedServer::answers({answer(200, "stolen")})});
  const std::pair<std::string, std::string> cases[] = {
      {"Location: " + other.url("/x?s3cr3t") + "\r\n",
       "redirected to another server, " + other.url() + ";"},
      {"Location: //evil.test/\r\n", "redirected to another server, http://evil.test;"},
      {"", "redirected in a circle"},  // an empty location is the page itself
      {"Location: file:///etc/passwd\r\n", "redirected to another server;"},
      {"Location: /again\r\n", "redirected in a circle"},
  };
  for (const auto& [header, message] : cases) {
    ScriptedServer server({ScriptedServer::answers({answer(301, "", header)})});
    HttpClient client(following());
    FakeCall fake(5);
    const Error error = error_of([&] { client.send(fake.call(), get(server.url())); });
    EXPECT_EQ(error.code(), Code::kRemote);
    EXPECT_THAT(error.what(), AllOf(HasSubstr(message), Not(HasSubstr("s3cr3t"))));
  }
  EXPECT_TRUE(other.requests().empty());
}

TEST(HttpClient, APostIsNotRedirected) {
  ScriptedServer server({ScriptedServer::answers({answer(307, "", "Location: /b\r\n")})});
  HttpClient client(following());
  FakeCall fake;
  const Error error = error_of([&] { client.send(fake.call(), post(server.url("/a"), "x")); });
  EXPECT_EQ(error.code(), Code::kRemote);
  EXPECT_EQ(server.requests().size(), 1u);
}

}  // namespace
}  // namespace patchbay
