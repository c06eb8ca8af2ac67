// SIGINT, SIGTERM and SIGHUP, from the start of the program to its end: whatever it is at, it ends
// within two seconds, and at a second signal at once.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace patchbay::host {

// One for the process, made before any other thread, which inherit that these signals are blocked.
// Where a limit leaves no thread or descriptor for it, the signals end the process as they do
// without it.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // What the first signal sets off, each once, on another thread. Without steps it ends the
  // process at once, with its exit code; programs that it runs are killed either way.
  struct Steps {
    std::function<void(int signal)> end;              // at once: end what goes on
    std::function<void()> end_cleanup = [] {};        // a little later: end what still tidies up
    std::function<void(int signal)> quit = quit_now;  // time is up: must end the process
  };

  // For as long as it lives, or until done() returns, these steps. One at a time.
  class Scope {
   public:
    Scope(SignalWatch& watch, Steps steps);
    ~Scope() { done(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    void done();  // waits for a step that is being taken

   private:
    SignalWatch& watch_;
  };

  int signal() const { return signal_; }  // 0 = none came
  // For a program that takes this one's place: signals are as they were before the watch.
  void release();

  [[noreturn]] static void quit_now(int signal);  // with the exit code of the signal

 private:
  void loop();
  void take_steps();
  template <class Step>
  void take(Step&& step);
  bool wait(int milliseconds);

  int signal_fd_ = -1, stop_fd_ = -1;
  std::atomic<int> signal_{0};
  std::mutex mutex_;  // held while a step is taken
  std::optional<Steps> steps_;
  std::thread thread_;
};

}  // namespace patchbay::host
