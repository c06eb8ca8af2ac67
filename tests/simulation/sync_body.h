// What host/sync/sync.h has under PATCHBAY_SIMULATION: the same names, on the scheduler. Included
// by nothing else.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace patchbay::simulation {
struct Thread;
}

namespace patchbay::host::sync {

// Not recursive. To lock it twice is a deadlock, and reported as one.
class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock();
  void unlock();
  // For Condition: lets go, then waits to be woken, with nothing between the two.
  void unlock_and_wait(bool spurious);

 private:
  bool locked_ = false;
  std::vector<simulation::Thread*> waiters_;
};

// May wake without a reason, as the standard's does.
class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void wait(std::unique_lock<Mutex>& lock);
  template <class Check>
  void wait(std::unique_lock<Mutex>& lock, Check check) {
    while (!check()) wait(lock);
  }
  void notify_one();
  void notify_all();

 private:
  std::vector<simulation::Thread*> waiters_;
};

// Joins when it goes.
class Thread {
 public:
  Thread() = default;
  template <class Work>
  explicit Thread(Work&& work) {
    start(std::forward<Work>(work));
  }
  Thread(Thread&& other) noexcept : thread_(std::exchange(other.thread_, nullptr)) {}
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { join(); }

  bool joinable() const { return thread_ != nullptr; }
  void join();

 private:
  void start(std::function<void()> work);

  simulation::Thread* thread_ = nullptr;
};

std::chrono::steady_clock::time_point now();
std::chrono::system_clock::time_point wall_now();
double uniform_random();

}  // namespace patchbay::host::sync
