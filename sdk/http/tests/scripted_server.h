// A server on a raw socket that does exactly what a test says, byte by byte.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace patchbay {

class ScriptedServer;

// One accepted connection, on a thread of its own. Everything ends early once the server is
// destroyed.
class Peer {
 public:
  Peer(int fd, ScriptedServer& server) : fd_(fd), server_(server) {}
  // Head and body (Content-Length or chunked, as sent) of the next request; empty at the end.
  std::string read_request();
  bool send(const std::string& bytes);  // false once the other side is gone
  void finish();                        // no more bytes from here; reading goes on
  void reset();                         // the connection breaks
  void wait_closed();                   // until the other side closes
  int fd() const { return fd_; }        // for other protocols

 private:
  bool fill();

  const int fd_;
  ScriptedServer& server_;
  std::string buffer_;
};

std::string answer(int status, const std::string& body, const std::string& headers = "");

// The first connection runs the first script, and so on; the last script serves all later ones.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;

  explicit ScriptedServer(std::vector<Script> scripts);
  // Answers one request after another, whatever connections they use; the last one for ever.
  static Script answers(std::vector<std::string> replies);
  ~ScriptedServer();

  std::string url(const std::string& path = "") const;
  int port() const { return port_; }
  size_t connections() const { return connections_; }
  std::vector<std::string> requests();  // as read so far

 private:
  friend class Peer;
  void note(const std::string& request);
  void accept_all();
  void serve(int fd, size_t number);

  const std::vector<Script> scripts_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<size_t> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::vector<std::string> requests_;
  bool stopping_ = false;
  std::thread acceptor_;
};

}  // namespace patchbay
