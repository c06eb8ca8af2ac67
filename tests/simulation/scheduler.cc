#include "simulation/scheduler.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "simulation/places.h"
#include "simulation/planted_body.h"

namespace patchbay::simulation {

Bug planted_bug = Bug::none;

namespace {

Scheduler* the_current = nullptr;

// A run of a small pipeline takes a few thousand.
constexpr uint64_t kMostSteps = 1'000'000;
constexpr Duration kStep = std::chrono::microseconds(1);

}  // namespace

Scheduler::Scheduler(uint64_t seed) : random_(seed), now_(std::chrono::hours(1)) {}

Scheduler::~Scheduler() {
  if (the_current == this) the_current = nullptr;
}

Scheduler* Scheduler::current() { return the_current; }

std::chrono::system_clock::time_point Scheduler::wall() const {
  using std::chrono::system_clock;
  const system_clock::time_point start = std::chrono::sys_days(std::chrono::January / 2 / 2026);
  return start +
         std::chrono::duration_cast<system_clock::duration>(now_.time_since_epoch() + wall_offset_);
}

void Scheduler::run(std::function<void()> work) {
  the_current = this;
  main_ = &spawn(nullptr, "world", std::move(work));
  loop();
  the_current = nullptr;
  if (failure_) throw Failure(*failure_);
}

void Scheduler::loop() {
  while (!failure_ && !main_->is_over()) {
    Thread* thread = std::exchange(next_, nullptr);
    if (!thread) thread = choose();
    if (thread) run_one(*thread);
  }
}

void Scheduler::run_one(Thread& thread) {
  present_ = &thread;
  note(thread.number);
  thread.resume();
  present_ = nullptr;
  if (thread.process && !thread.process->alive) {
    thread.drop_stack();
  } else if (thread.is_over()) {
    end(thread);
  }
}

void Scheduler::pause() { present_->pause(); }

Thread& Scheduler::spawn(Process* process, std::string name, std::function<void()> work) {
  threads_.push_back(std::make_unique<Thread>(process, std::move(name), std::move(work)));
  Thread& thread = *threads_.back();
  thread.number = threads_.size();
  thread.priority = random_.next();
  if (process) process->threads.push_back(&thread);
  make_runnable(thread);
  return thread;
}

Process& Scheduler::start(std::string name, std::function<void()> main) {
  processes_.push_back(std::make_unique<Process>());
  Process& process = *processes_.back();
  process.name = std::move(name);
  note(process.name);
  spawn(&process, "main", std::move(main));
  return process;
}

void Scheduler::end(Thread& thread) {
  take_out(thread);
  thread.drop_stack();
  for (Thread* joiner : thread.joiners) wake(*joiner);
  if (thread.process && thread.process->threads.front() == &thread) die(*thread.process);
}

void Scheduler::die(Process& process) {
  process.alive = false;
  for (Thread* thread : process.threads) {
    take_out(*thread);
    if (thread != present_) thread->drop_stack();
  }
  while (!process.at_end.empty()) {  // the last first: what is under way, then what it needs
    const auto told = std::move(process.at_end.back());
    process.at_end.pop_back();
    told();
  }
  for (Thread* waiter : process.waiters) wake(*waiter);
}

void Scheduler::kill(Process& process) {
  if (!process.alive) return;
  note("kill");
  die(process);
  if (present_ && present_->process == &process) pause();
}

void Scheduler::wait_for(Process& process) {
  while (process.alive) {
    process.waiters.push_back(present_);
    block("the end of a process");
  }
}

void Scheduler::join(Thread& thread) {
  while (!thread.is_over()) {
    thread.joiners.push_back(present_);
    block("the end of a thread");
  }
}

void Scheduler::make_runnable(Thread& thread) {
  if (thread.place != Thread::kNowhere || thread.timer) return;
  if (thread.process && thread.process->frozen_until > now_) {
    thread.timer = thread.process->frozen_until;
    timers_.emplace(*thread.timer, &thread);
    return;
  }
  thread.place = runnable_.size();
  runnable_.push_back(&thread);
}

void Scheduler::take_out(Thread& thread) {
  if (thread.place != Thread::kNowhere) {
    runnable_.back()->place = thread.place;
    std::swap(runnable_[thread.place], runnable_.back());
    runnable_.pop_back();
    thread.place = Thread::kNowhere;
  }
  if (!thread.timer) return;
  const auto [begin, end] = timers_.equal_range(*thread.timer);
  timers_.erase(std::find_if(begin, end, [&](const auto& one) { return one.second == &thread; }));
  thread.timer.reset();
}

void Scheduler::judge(Process& process) {
  ++process.points;
  if (process.points == process.kill_at) kill(process);
  if (process.points == process.interrupt_at && process.on_interrupt) {
    note("interrupt");
    process.on_interrupt();
  }
  if (process.points != process.freeze_at) return;
  note("freeze");
  process.frozen_until = now_ + process.freeze_for;
  for (Thread* thread : process.threads) {
    if (thread->place == Thread::kNowhere) continue;
    take_out(*thread);
    make_runnable(*thread);
  }
}

void Scheduler::point() {
  if (!present_) return;
  if (++steps_ > kMostSteps) fail("it goes on for ever" + places());
  now_ += kStep;
  wake_due();
  if (Process* process = present_->process) judge(*process);
  Thread* const next = choose();
  if (next == present_) return;
  next_ = next;
  pause();
}

void Scheduler::durable_step(std::string_view name) {
  note(name);
  point();
  Process* const process = present_ ? present_->process : nullptr;
  if (!process) return;
  if (++process->durable_steps == process->kill_at_step || name == process->kill_after)
    kill(*process);
}

bool Scheduler::block(const char* what, std::optional<Clock::time_point> until) {
  Thread& self = *present_;
  take_out(self);
  self.waits_for = what;
  self.timed_out = false;
  if (until) {
    self.timer = std::max(*until, now_);
    timers_.emplace(*self.timer, &self);
  }
  pause();
  while (std::exchange(self.describes_itself, false)) {
    self.frames = frames_here();
    self.pause();
  }
  return !self.timed_out;
}

void Scheduler::wake(Thread& thread) {
  if (!thread.waits_for || thread.is_over()) return;
  if (thread.process && !thread.process->alive) return;
  take_out(thread);
  thread.waits_for = nullptr;
  make_runnable(thread);
}

void Scheduler::wake_due() {
  while (!timers_.empty() && timers_.begin()->first <= now_) {
    Thread& thread = *timers_.begin()->second;
    timers_.erase(timers_.begin());
    thread.timer.reset();
    thread.timed_out = thread.waits_for != nullptr;
    thread.waits_for = nullptr;
    make_runnable(thread);
  }
}

bool Scheduler::advance() {
  if (timers_.empty()) return false;
  now_ = std::max(now_, timers_.begin()->first);
  wake_due();
  return true;
}

Thread* Scheduler::choose() {
  if (policy_.jump > 0 && random_.chance(policy_.jump)) advance();
  while (runnable_.empty()) {
    if (!advance()) {
      report_deadlock();
      return nullptr;
    }
  }
  if (runnable_.size() == 1) return runnable_.front();
  if (policy_.priorities) {
    if (present_ && random_.below(64) == 0) present_->priority = random_.next() >> 8;
    return *std::max_element(runnable_.begin(), runnable_.end(),
                             [](Thread* a, Thread* b) { return a->priority < b->priority; });
  }
  if (present_ && present_->place != Thread::kNowhere && random_.chance(policy_.stay))
    return present_;
  return runnable_[random_.below(runnable_.size())];
}

void Scheduler::sleep(Duration time) { block("time", now_ + time); }

void Scheduler::fail(std::string why) {
  if (!failure_) failure_ = std::move(why);
  if (present_) pause();
  throw Failure(*failure_);
}

void Scheduler::report_deadlock() {
  if (!failure_) failure_ = "all wait for ever" + places();
}

// Each thread that waits says itself where it is.
std::string Scheduler::places() {
  std::string text;
  for (const auto& thread : threads_) {
    const bool alive = !thread->is_over() && (!thread->process || thread->process->alive);
    if (!alive || !thread->waits_for) continue;
    thread->describes_itself = true;
    if (thread.get() != present_) thread->resume();
    text += "\n  " + (thread->process ? thread->process->name + ": " : "") + thread->name +
            " waits for " + thread->waits_for + text_of_site(*thread) + thread->frames;
  }
  return text;
}

void Scheduler::note(uint64_t what) { hash_ = (hash_ ^ what) * 0x100000001b3; }

void Scheduler::note(std::string_view text) {
  for (const char c : text) note(static_cast<unsigned char>(c));
  if (traces) trace(std::string(text));
}

void Scheduler::trace(const std::string& line) const {
  const std::string who =
      present_ ? (present_->process ? present_->process->name + "/" : "") + present_->name : "";
  std::fprintf(stderr, "%8llu %12.6f %s: %s\n", static_cast<unsigned long long>(steps_),
               std::chrono::duration<double>(now_.time_since_epoch()).count() - 3600, who.c_str(),
               line.c_str());
}

}  // namespace patchbay::simulation
