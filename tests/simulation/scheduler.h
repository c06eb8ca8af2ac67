// Runs exactly one thread at a time, and decides by a seed which is next, what the clock says and
// when a simulated process ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "simulation/fiber.h"
#include "simulation/random.h"

namespace patchbay::simulation {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;

// A rule is broken, or a model disagrees: the history is a failure.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Process;

// A thread of a simulated process, or of the world around them.
struct Thread : Fiber {
  Thread(Process* owner, std::string its_name, std::function<void()> work)
      : Fiber(std::move(work)), process(owner), name(std::move(its_name)) {}

  Process* const process;  // null: the world's
  const std::string name;
  size_t number = 0;
  const char* waits_for = nullptr;
  const void* site = nullptr;  // crash_body.cc: where it is in a plugin
  std::vector<Thread*> joiners;
  std::optional<Clock::time_point> timer;  // when it runs again at the latest
  size_t place = kNowhere;                 // among the runnable
  uint64_t priority = 0;
  bool timed_out = false;
  bool describes_itself = false;  // asked for its frames when it runs next
  std::string frames;

  static constexpr size_t kNowhere = ~size_t{0};
};

struct Process {
  std::string name;
  bool alive = true;
  uint64_t points = 0;         // of scheduling, so far
  uint64_t durable_steps = 0;  // that FaultHook was told of
  uint64_t kill_at = 0;        // the point at which it is killed; 0 = never
  uint64_t kill_at_step = 0;   // the same, in durable steps
  std::string kill_after;      // the same, at the first durable step of this name; empty = none
  uint64_t freeze_at = 0;      // the point at which it stands still
  Duration freeze_for{0};
  Clock::time_point frozen_until{};
  uint64_t interrupt_at = 0;  // the point at which on_interrupt is called, on a thread of its own
  std::function<void()> on_interrupt;
  std::vector<Thread*> threads;  // the first is its main one
  std::vector<Thread*> waiters;
  std::vector<std::function<void()>> at_end;  // told when it is over, in whatever way
};

// How the next thread is chosen; one of them per history, by its seed.
struct Policy {
  double stay = 0;          // the chance that the present thread goes on
  bool priorities = false;  // the highest runs; it changes at random points
  double jump = 0;      // the chance that time goes to the next deadline though threads could run
  double spurious = 0;  // of a wake-up without a reason
};

class Scheduler {
 public:
  explicit Scheduler(uint64_t seed);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The one that runs; null outside.
  static Scheduler* current();

  // Runs `work` as a thread of the world, with all that it starts, until it returns. Throws
  // Failure.
  void run(std::function<void()> work);

  // From here on, inside of threads.
  Thread& spawn(Process* process, std::string name, std::function<void()> work);
  Process& start(std::string name, std::function<void()> main);
  // Abandons its threads. Does not return where the present one is among them.
  void kill(Process& process);
  // Waits until it is over.
  void wait_for(Process& process);
  void join(Thread& thread);

  Thread* present() const { return present_; }
  Process* process() const { return present_ ? present_->process : nullptr; }

  // A point at which another thread may go on.
  void point();
  void durable_step(std::string_view name);
  // Waits for wake(), or until then; false when that time came.
  bool block(const char* what, std::optional<Clock::time_point> until = {});
  void wake(Thread& thread);
  void sleep(Duration time);
  [[noreturn]] void fail(std::string why);

  Clock::time_point now() const { return now_; }
  std::chrono::system_clock::time_point wall() const;
  void step_wall(Duration by) { wall_offset_ += by; }
  Random& random() { return random_; }
  Policy& policy() { return policy_; }

  // The log of what happened, as a number.
  void note(uint64_t what);
  void note(std::string_view text);
  uint64_t hash() const { return hash_; }
  uint64_t steps() const { return steps_; }
  uint64_t event() { return ++events_; }  // the time of the world: counts what happens to it

  bool traces = false;  // the log goes to stderr, too
  void trace(const std::string& line) const;

 private:
  void loop();
  Thread* choose();
  void judge(Process& process);
  void run_one(Thread& thread);
  void pause();
  void make_runnable(Thread& thread);
  void take_out(Thread& thread);
  void end(Thread& thread);
  void die(Process& process);
  bool advance();
  void wake_due();
  bool is_frozen(const Thread& thread) const;
  void report_deadlock();
  std::string places();

  Random random_;
  Policy policy_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<Thread*> runnable_;
  std::multimap<Clock::time_point, Thread*> timers_;
  Thread* present_ = nullptr;
  Thread* next_ = nullptr;  // chosen by the thread that has just paused
  Thread* main_ = nullptr;
  std::optional<std::string> failure_;
  Clock::time_point now_;
  Duration wall_offset_{0};
  uint64_t hash_ = 0xcbf29ce484222325;
  uint64_t steps_ = 0;
  uint64_t events_ = 0;
};

}  // namespace patchbay::simulation
