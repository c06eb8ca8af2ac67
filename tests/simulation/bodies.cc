// Second bodies of small parts of the host: cancellation, the site of a crash, durable steps and
// the state directory.
#include <sys/stat.h>

#include <map>
#include <utility>

#include "loader/crash_guard.h"
#include "patchbay/error.h"
#include "simulation/disk.h"
#include "simulation/places.h"
#include "simulation/scheduler.h"
#include "simulation/waits.h"
#include "state/fault_hook.h"
#include "state/state_dir.h"
#include "sync/cancel.h"

namespace patchbay::simulation {
namespace {

// Those who wait until a token is cancelled, by its descriptor.
struct Tokens {
  std::map<int, std::vector<Thread*>> waiters;
  std::map<int, const host::CancelToken*> live;
  int next = 1;
};

Tokens& tokens() {
  static Tokens all;
  return all;
}

}  // namespace

void forget_tokens() { tokens() = {}; }

bool wait_unless_cancelled(int fd, Duration time) {
  Scheduler& scheduler = *Scheduler::current();
  const auto token = tokens().live.find(fd);
  if (token == tokens().live.end()) scheduler.fail("a wait for a token that is gone");
  if (token->second->cancelled()) return false;
  auto& waiters = tokens().waiters[fd];
  waiters.push_back(scheduler.present());
  const bool woken = scheduler.block("time, or to be cancelled", scheduler.now() + time);
  if (!woken) std::erase(tokens().waiters[fd], scheduler.present());
  return !woken;
}

std::string text_of_site(const Thread& thread) {
  const auto* site = static_cast<const host::CrashSite*>(thread.site);
  if (!site) return "";
  return ", in " + std::string(site->call) + " of " + std::string(site->node);
}

}  // namespace patchbay::simulation

namespace patchbay::host {

using simulation::Scheduler;

CancelToken::CancelToken() : fd_(simulation::tokens().next++) {
  simulation::tokens().live[fd_] = this;
}

CancelToken::~CancelToken() {
  simulation::tokens().live.erase(fd_);
  simulation::tokens().waiters.erase(fd_);
}

void CancelToken::cancel() {
  cancelled_ = true;
  for (auto* waiter : std::exchange(simulation::tokens().waiters[fd_], {}))
    Scheduler::current()->wake(*waiter);
  Scheduler::current()->point();
}

bool CancelToken::wait_for(std::chrono::nanoseconds time) const {
  return simulation::wait_unless_cancelled(fd_, time);
}

// A thread's place is kept with the thread, and its stack is not the operating system's.
CrashGuard::CrashGuard(const CrashSite& site) : site_(site), outer_(nullptr) {
  simulation::Thread* const thread = Scheduler::current()->present();
  outer_ = static_cast<const CrashSite*>(std::exchange(thread->site, &site_));
  Scheduler::current()->note(site.call);
  if (Scheduler::current()->traces) Scheduler::current()->trace("in " + std::string(site.node));
  Scheduler::current()->point();
}
CrashGuard::~CrashGuard() {
  Scheduler::current()->present()->site = outer_;
  Scheduler::current()->point();
}
CrashStack::CrashStack() : memory_(nullptr) {}
CrashStack::~CrashStack() = default;

FaultHook::FaultHook(const char*) {}
void FaultHook::step(std::string_view name) { Scheduler::current()->durable_step(name); }

namespace fs = std::filesystem;

void prepare_state_dir(const fs::path&) {}
void refuse_state_file(const fs::path& what, int) {
  throw Error(Code::kConfig, what.string() + ": cannot be opened");
}
fs::path state_file(const fs::path& dir, const std::string& pipeline) {
  return dir / (pipeline + ".db");
}
std::vector<std::string> pipelines_with_state(const fs::path&) { return {}; }
int64_t number_of_pipeline(const fs::path&, const std::string&) { return 0; }
bool is_moved_away(const fs::path&, const std::string&) { return false; }

}  // namespace patchbay::host
