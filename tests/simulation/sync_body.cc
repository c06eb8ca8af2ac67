#include "simulation/sync_body.h"

#include "simulation/scheduler.h"

namespace patchbay::host::sync {
namespace {

simulation::Scheduler& scheduler() { return *simulation::Scheduler::current(); }

void wake_all(std::vector<simulation::Thread*>& waiters) {
  for (simulation::Thread* waiter : std::exchange(waiters, {})) scheduler().wake(*waiter);
}

}  // namespace

void Mutex::lock() {
  scheduler().point();
  while (locked_) {
    waiters_.push_back(scheduler().present());
    scheduler().block("a mutex");
  }
  locked_ = true;
}

void Mutex::unlock() {
  locked_ = false;
  wake_all(waiters_);
  scheduler().point();
}

void Mutex::unlock_and_wait(bool spurious) {
  locked_ = false;
  wake_all(waiters_);
  if (spurious) {
    scheduler().point();
  } else {
    scheduler().block("a condition");
  }
}

void Condition::wait(std::unique_lock<Mutex>& lock) {
  simulation::Scheduler& s = scheduler();
  const bool spurious = s.policy().spurious > 0 && s.random().chance(s.policy().spurious);
  if (!spurious) waiters_.push_back(s.present());
  lock.mutex()->unlock_and_wait(spurious);
  lock.mutex()->lock();
}

void Condition::notify_one() {
  if (!waiters_.empty()) {
    const size_t chosen = scheduler().random().below(waiters_.size());
    scheduler().wake(*waiters_[chosen]);
    waiters_.erase(waiters_.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
  scheduler().point();
}

void Condition::notify_all() {
  wake_all(waiters_);
  scheduler().point();
}

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  thread_ = std::exchange(other.thread_, nullptr);
  return *this;
}

void Thread::start(std::function<void()> work) {
  thread_ = &scheduler().spawn(scheduler().process(), "thread", std::move(work));
  scheduler().point();
}

void Thread::join() {
  if (thread_) scheduler().join(*std::exchange(thread_, nullptr));
}

std::chrono::steady_clock::time_point now() { return scheduler().now(); }
std::chrono::system_clock::time_point wall_now() { return scheduler().wall(); }
double uniform_random() { return scheduler().random().uniform(); }

}  // namespace patchbay::host::sync
