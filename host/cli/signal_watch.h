// SIGINT and SIGTERM during a run: the first ends it in good order, the second at once.
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

  // `on_signal` is called once, on another thread. `on_overdue` when the run has still not ended
  // `grace` later: it must end the process.
  void start(std::function<void()> on_signal, std::function<void(int signal)> on_overdue);
  void stop();
  int signal() const { return signal_; }  // 0 = none came

 private:
  void loop();

  int signal_fd_, stop_fd_;
  std::atomic<int> signal_{0};
  std::function<void()> on_signal_;
  std::function<void(int)> on_overdue_;
  std::thread thread_;
};

}  // namespace patchbay::host
