// How a request ends that would not end by itself: cancelled, silent, too slow.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

// Runs `script` as the server and cancels once it has begun.
void expect_cancelled_at_once(const std::function<void(Peer&)>& script) {
  FakeCall fake;
  ScriptedServer server({[&](Peer& peer) {
    script(peer);
    fake.cancel();
    peer.wait_closed();
  }});
  HttpClient client({});
  steady_clock::time_point begin = steady_clock::now();
  const Error error = error_of([&] { client.send(fake.call(), get(server.url())); });
  EXPECT_EQ(error.code(), Code::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, seconds(1));
}

TEST(HttpDeadline, CancelEndsWaitingForAnAnswer) {
  expect_cancelled_at_once([](Peer& peer) { peer.read_request(); });
}

TEST(HttpDeadline, CancelEndsReadingABody) {
  expect_cancelled_at_once([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
  });
}

TEST(HttpDeadline, CancelEndsATlsHandshake) {
  FakeCall fake;
  ScriptedServer server({[&](Peer& peer) {
    fake.cancel();
    peer.wait_closed();
  }});
  HttpClient client({});
  const auto begin = steady_clock::now();
  const Error error = error_of(
      [&] { client.send(fake.call(), get("https://127.0.0.1:" + std::to_string(server.port()))); });
  EXPECT_EQ(error.code(), Code::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, seconds(1));
}

TEST(HttpDeadline, WorksAfterACancelledRequest) {
  FakeCall cancelled, fresh;
  ScriptedServer server({[&](Peer& peer) {
                           peer.read_request();
                           cancelled.cancel();
                           peer.wait_closed();
                         },
                         ScriptedServer::answers({answer(200, "new")})});
  HttpClient client({});
  EXPECT_EQ(error_of([&] { client.send(cancelled.call(), get(server.url())); }).code(),
            Code::kCancelled);
  EXPECT_EQ(client.send(fresh.call(), get(server.url())).body, "new");
}

TEST(HttpDeadline, EndsWhatStaysSilentOrTakesTooLong) {
  const ScriptedServer::Script silent = [](Peer& peer) {
    peer.read_request();
    peer.wait_closed();
  };
  struct Case {
    milliseconds idle, total;
    const char* message;
  };
  for (const auto& [idle, total, message] :
       {Case{milliseconds(30), seconds(60), "no byte came or went for 30 ms (1 attempt)"},
        Case{seconds(60), milliseconds(30), "timed out"}}) {
    ScriptedServer server({silent});
    HttpOptions options;
    options.idle_timeout = idle;
    options.total_timeout = total;
    HttpClient client(options);
    FakeCall fake;
    const Error error = error_of([&] { client.send(fake.call(), get(server.url())); });
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

// A listener that accepts nobody: once its queue is full, connecting gets no answer.
class FullListener {
 public:
  FullListener() {
    fds_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(
        bind(fds_[0], generic, size) + listen(fds_[0], 0) + getsockname(fds_[0], generic, &size),
        0);
    port_ = ntohs(address.sin_port);
    for (int i = 0; i < 4; ++i) {
      fds_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      connect(fds_.back(), generic, size);
    }
  }
  ~FullListener() {
    for (const int fd : fds_) close(fd);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  std::vector<int> fds_;
  int port_ = 0;
};

TEST(HttpDeadline, EndsAConnectionThatIsNotTaken) {
  const FullListener listener;
  HttpOptions options;
  options.connect_timeout = milliseconds(50);
  HttpClient client(options);
  FakeCall fake;
  const auto begin = steady_clock::now();
  const Error error = error_of([&] { client.send(fake.call(), post(listener.url(), "x")); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("(1 attempt)"), HasSubstr("Failed to connect")));
  EXPECT_LT(steady_clock::now() - begin, seconds(5));
}

TEST(HttpDeadline, TheCallsDeadlineEndsAnAttempt) {
  ScriptedServer server({[](Peer& peer) { peer.wait_closed(); }});
  HttpClient client({});
  FakeCall fake;
  fake.set_deadline(steady_clock::now() + milliseconds(30));
  const Error error = error_of([&] { client.send(fake.call(), get(server.url())); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.what(), HasSubstr("timed out"));
}

}  // namespace
}  // namespace patchbay
