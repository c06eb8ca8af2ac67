// SIGINT, SIGTERM and SIGHUP during a run: the first ends it in good order, the second at once.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace patchbay::host {

// Made before any other thread, which inherit that these signals are blocked.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // What a signal sets off, each once, on another thread.
  struct Steps {
    std::function<void()> end;             // at once: end what goes on
    std::function<void()> end_cleanup;     // a little later: end what still tidies up
    std::function<void(int signal)> quit;  // time is up: must end the process
  };
  void start(Steps steps);
  void stop();
  int signal() const { return signal_; }  // 0 = none came

 private:
  void loop();

  int signal_fd_, stop_fd_;
  std::atomic<int> signal_{0};
  Steps steps_;
  std::thread thread_;
};

}  // namespace patchbay::host
