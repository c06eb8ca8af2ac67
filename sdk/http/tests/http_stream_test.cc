// Bodies that are not kept in memory.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "fake_call.h"
#include "patchbay/http.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

class Text final : public BodySource {
 public:
  Text(std::string text, bool sized) : text_(std::move(text)), sized_(sized) {}
  std::optional<uint64_t> size() const override {
    return sized_ ? std::optional<uint64_t>(text_.size()) : std::nullopt;
  }
  void rewind() override { at_ = 0; }
  size_t read(std::span<char> into) override {
    const size_t size = std::min({into.size(), text_.size() - at_, size_t{1000}});
    std::memcpy(into.data(), text_.data() + at_, size);
    at_ += size;
    return size;
  }

 private:
  const std::string text_;
  const bool sized_;
  size_t at_ = 0;
};

class Collected final : public BodySink {
 public:
  void begin(const HttpResponse& head) override {
    begins.push_back(head.status);
    text.clear();
  }
  void write(std::string_view bytes) override { text += bytes; }

  std::vector<long> begins;
  std::string text;
};

HttpRequest put(const std::string& url, BodySource& source) {
  HttpRequest request;
  request.method = "PUT";
  request.url = url;
  request.source = &source;
  return request;
}

TEST(HttpStream, ASourceIsSentWholeAndAgain) {
  const std::string text(300'000, 'x');
  ScriptedServer server({ScriptedServer::answers({answer(500, ""), answer(200, "")})});
  HttpClient client({});
  FakeCall fake(1);
  Text source(text, true);
  EXPECT_EQ(client.send(fake.call(), put(server.url(), source)).status, 200);
  ASSERT_EQ(server.requests().size(), 2u);
  for (const auto& request : server.requests()) {
    EXPECT_THAT(request.substr(0, 500), HasSubstr("Content-Length: 300000\r\n"));
    EXPECT_TRUE(request.ends_with("\r\n\r\n" + text));
  }
}

TEST(HttpStream, ASourceOfUnknownSizeIsSentInChunks) {
  ScriptedServer server({ScriptedServer::answers({answer(200, "")})});
  HttpClient client({});
  FakeCall fake;
  Text source("hello", false);
  client.send(fake.call(), put(server.url(), source));
  EXPECT_TRUE(server.requests().at(0).ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
}

TEST(HttpStream, ASourcesErrorIsTheRequests) {
  class Broken final : public BodySource {
    std::optional<uint64_t> size() const override { return 10; }
    void rewind() override {}
    size_t read(std::span<char>) override { throw Error(Code::kData, "a.csv: is damaged"); }
  } source;
  ScriptedServer server({[](Peer& peer) { peer.wait_closed(); }});
  HttpClient client({});
  FakeCall fake(5);
  const Error error = error_of([&] { client.send(fake.call(), put(server.url(), source)); });
  EXPECT_EQ(error.code(), Code::kData);
  EXPECT_TRUE(fake.asked().empty());
}

HttpRequest into(const std::string& url, BodySink& sink) {
  HttpRequest request;
  request.url = url;
  request.sink = &sink;
  return request;
}

TEST(HttpStream, ASinkHasNoLimit) {
  const std::string text(300'000, 'y');
  ScriptedServer server({ScriptedServer::answers({answer(200, text)})});
  HttpOptions options;
  options.max_response_bytes = 1000;
  HttpClient client(options);
  FakeCall fake;
  Collected sink;
  EXPECT_EQ(client.send(fake.call(), into(server.url(), sink)).body, "");
  EXPECT_EQ(sink.text, text);
}

TEST(HttpStream, ASinkBeginsAgainAfterABreak) {
  ScriptedServer server({[](Peer& peer) {
                           peer.read_request();
                           peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
                         },
                         ScriptedServer::answers({answer(206, "whole")})});
  HttpClient client({});
  FakeCall fake(1);
  Collected sink;
  client.send(fake.call(), into(server.url(), sink));
  EXPECT_EQ(sink.text, "whole");
  EXPECT_EQ(sink.begins, (std::vector<long>{200, 206}));
}

TEST(HttpStream, ASinkSeesSuccessOnly) {
  ScriptedServer server({ScriptedServer::answers({answer(404, "no such"), answer(200, "")})});
  HttpClient client({});
  FakeCall fake;
  Collected sink;
  EXPECT_EQ(client.send(fake.call(), into(server.url(), sink)).body, "no such");
  EXPECT_TRUE(sink.begins.empty());
  client.send(fake.call(), into(server.url(), sink));
  EXPECT_EQ(sink.begins, std::vector<long>{200});
}

TEST(HttpStream, ASinksErrorIsTheRequests) {
  class Full final : public BodySink {
    void begin(const HttpResponse&) override {}
    void write(std::string_view) override { throw Error(Code::kRemote, "disk: is full"); }
  } sink;
  ScriptedServer server({ScriptedServer::answers({answer(200, "x")})});
  HttpClient client({});
  FakeCall fake(5);
  const Error error = error_of([&] { client.send(fake.call(), into(server.url(), sink)); });
  EXPECT_STREQ(error.what(), "disk: is full");
  EXPECT_TRUE(fake.asked().empty());
}

}  // namespace
}  // namespace patchbay
