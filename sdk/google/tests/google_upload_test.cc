// Resumable uploads, against a server that keeps what it likes.
#include "patchbay/google_upload.h"

#include <gmock/gmock.h>

#include "fake_call.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr size_t kUnit = GoogleUpload::kUnit;

std::string stored(int64_t bytes) {
  return answer(308, "", bytes ? "Range: bytes=0-" + std::to_string(bytes - 1) + "\r\n" : "");
}

// The session begins, and each request in it gets one of the replies; an empty one breaks off.
ScriptedServer::Script session_then(std::vector<std::string> replies) {
  return [replies = std::move(replies)](Peer& peer) {
    const std::string request = peer.read_request();
    const size_t host = request.find("Host: ") + 6;
    const std::string location = "http://" + request.substr(host, request.find('\r', host) - host) +
                                 "/session?upload_id=s3cr3t";
    peer.send(answer(200, "", "Location: " + location + "\r\n"));
    for (const auto& reply : replies) {
      peer.read_request();
      if (reply.empty()) return peer.reset();
      if (!peer.send(reply)) return;
    }
    peer.wait_closed();
  };
}

class UploadTest : public testing::Test {
 protected:
  GoogleUpload begin(std::vector<ScriptedServer::Script> scripts) {
    server_.emplace(std::move(scripts));
    HttpRequest request;
    request.method = "POST";
    request.url = server_->url("/begin");
    request.safe_to_repeat = true;
    return GoogleUpload(fake.call(), api_, request);
  }
  std::vector<std::string> ranges() {
    std::vector<std::string> out;
    for (const auto& request : server_->requests()) {
      const size_t at = request.find("Content-Range: bytes ");
      if (at == std::string::npos) continue;
      out.push_back(request.substr(at + 21, request.find('\r', at) - at - 21));
    }
    return out;
  }

  FakeCall fake{10};
  std::optional<ScriptedServer> server_;
  GoogleApi api_{nullptr, {}};
  const std::string piece_ = std::string(2 * kUnit, 'a');
};

TEST_F(UploadTest, PiecesFollowEachOther) {
  auto upload = begin({session_then({stored(2 * kUnit), answer(200, "done")})});
  upload.append(fake.call(), piece_);
  EXPECT_EQ(upload.stored(), 524288);
  EXPECT_EQ(upload.finish(fake.call(), "end", {"X-Goog-Hash: crc32c=AAAAAA=="}).body, "done");
  EXPECT_THAT(ranges(), ElementsAre("0-524287/*", "524288-524290/524291"));
  EXPECT_THAT(server_->requests().back(), HasSubstr("X-Goog-Hash: crc32c=AAAAAA=="));
}

TEST_F(UploadTest, WhatTheServerLeftIsSentAgain) {
  auto upload = begin({session_then({stored(kUnit), stored(2 * kUnit)})});
  upload.append(fake.call(), piece_);
  EXPECT_THAT(ranges(), ElementsAre("0-524287/*", "262144-524287/*"));
}

TEST_F(UploadTest, AfterAFaultTheServerIsAsked) {
  auto upload = begin({session_then({answer(503, ""), stored(kUnit), stored(2 * kUnit)})});
  upload.append(fake.call(), piece_);
  EXPECT_THAT(ranges(), ElementsAre("0-524287/*", "*/*", "262144-524287/*"));
}

TEST_F(UploadTest, A308WithoutRangeMeansNothingIsThere) {
  auto upload =
      begin({session_then({""}), ScriptedServer::answers({stored(0), stored(2 * kUnit)})});
  upload.append(fake.call(), piece_);
  EXPECT_THAT(ranges(), ElementsAre("0-524287/*", "*/*", "0-524287/*"));
}

TEST_F(UploadTest, ALostAnswerToTheEndIsFound) {
  auto upload = begin(
      {session_then({stored(2 * kUnit), ""}), ScriptedServer::answers({answer(200, "done")})});
  upload.append(fake.call(), piece_);
  EXPECT_EQ(upload.finish(fake.call(), "end").body, "done");
  EXPECT_THAT(ranges(), ElementsAre("0-524287/*", "524288-524290/524291", "*/524291"));
}

TEST_F(UploadTest, AnEmptyOneHasNoRange) {
  auto upload = begin({session_then({answer(200, "done")})});
  EXPECT_EQ(upload.finish(fake.call(), "").body, "done");
  EXPECT_THAT(ranges(), ElementsAre("*/0"));
}

TEST_F(UploadTest, ASessionThatIsOverIsTemporary) {
  for (const int status : {404, 410}) {
    auto upload = begin({session_then({answer(status, "")})});
    const Error error = error_of([&] { upload.append(fake.call(), piece_); });
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(), HasSubstr("the upload session is over"));
    EXPECT_THAT(error.what(), Not(HasSubstr("s3cr3t")));
  }
}

TEST_F(UploadTest, AServerThatForgetsOrInventsIsRefused) {
  for (const size_t bytes : {size_t{0}, 8 * kUnit}) {
    auto upload = begin({session_then({stored(2 * kUnit), stored(bytes)})});
    upload.append(fake.call(), piece_);
    EXPECT_EQ(error_of([&] { upload.append(fake.call(), piece_); }).code(), Code::kUnavailable);
  }
}

TEST_F(UploadTest, AServerThatKeepsNothingEndsTheRepeats) {
  auto upload = begin({session_then(std::vector<std::string>(50, stored(0)))});
  EXPECT_EQ(error_of([&] { upload.append(fake.call(), piece_); }).code(), Code::kUnavailable);
}

TEST_F(UploadTest, SessionsElsewhereAreRefused) {
  const auto elsewhere = [](const char* url) {
    return ScriptedServer::answers({answer(200, "", std::string("Location: ") + url + "\r\n")});
  };
  for (const char* url : {"https://evil.example/s", "https://googleapis.com.evil.example/", ""})
    EXPECT_EQ(error_of([&] { begin({elsewhere(url)}); }).code(), Code::kRemote) << url;
  begin({elsewhere("https://www.googleapis.com/upload")});
}

}  // namespace
}  // namespace patchbay
