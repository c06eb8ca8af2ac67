#include "cli/signal_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

#include "cli/exit_codes.h"
#include "process/run_program.h"

namespace patchbay::host {
namespace {

// Of the two seconds that the program may take to end, from the signal on.
constexpr int kCleanupMs = 1200;
constexpr int kQuitMs = 300;       // after that
constexpr int kAtLatestMs = 1950;  // also where a step does not return

std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  // A terminal that closes; who was started by nohup does not care.
  struct sigaction now{};
  sigaction(SIGHUP, nullptr, &now);
  if (now.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  return set;
}

void change_mask(int how) {
  const sigset_t set = watched();
  pthread_sigmask(how, &set, nullptr);
}

// Of the second signal, and when time is up.
void end_at_once(int number) {
  kill_programs();
  const int signal = number == SIGALRM ? first_signal.load() : number;
  _exit(signal == SIGTERM ? kExitTerminated : kExitInterrupted);
}

// From here on this thread takes signals even while it is in a step that does not return.
void expect_the_second() {
  struct sigaction action{};
  action.sa_handler = end_at_once;
  sigfillset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGALRM}) sigaction(number, &action, nullptr);
  change_mask(SIG_UNBLOCK);
  itimerval limit{};
  limit.it_value = {kAtLatestMs / 1000, kAtLatestMs % 1000 * 1000};
  setitimer(ITIMER_REAL, &limit, nullptr);
}

}  // namespace

SignalWatch::SignalWatch() {
  change_mask(SIG_BLOCK);
  const sigset_t set = watched();
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  stop_fd_ = eventfd(0, EFD_CLOEXEC);
  try {
    if (signal_fd_ >= 0 && stop_fd_ >= 0) thread_ = std::thread([this] { loop(); });
  } catch (const std::system_error&) {
    // No thread is left: see the class.
  }
  if (!thread_.joinable()) change_mask(SIG_UNBLOCK);
}

SignalWatch::~SignalWatch() {
  if (thread_.joinable()) {
    eventfd_write(stop_fd_, 1);
    thread_.join();
  }
  if (signal_fd_ >= 0) close(signal_fd_);
  if (stop_fd_ >= 0) close(stop_fd_);
}

void SignalWatch::release() { change_mask(SIG_UNBLOCK); }

void SignalWatch::quit_now(int signal) {
  _exit(signal == SIGTERM ? kExitTerminated : kExitInterrupted);
}

SignalWatch::Scope::Scope(SignalWatch& watch, Steps steps) : watch_(watch) {
  const std::lock_guard lock(watch_.mutex_);
  watch_.steps_ = std::move(steps);
}

void SignalWatch::Scope::done() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.steps_.reset();
}

// False once the program ends by itself.
bool SignalWatch::wait(int milliseconds) {
  pollfd stop{stop_fd_, POLLIN, 0};
  while (poll(&stop, 1, milliseconds) < 0) continue;
  return stop.revents == 0;
}

void SignalWatch::loop() {
  pollfd fds[] = {{signal_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
  while (poll(fds, 2, -1) < 0) continue;
  signalfd_siginfo info{};
  if (fds[1].revents != 0 || read(signal_fd_, &info, sizeof info) != sizeof info) return;
  first_signal = signal_ = static_cast<int>(info.ssi_signo);
  expect_the_second();
  end_programs();
  take_steps();
}

template <class Step>
void SignalWatch::take(Step&& step) {
  const std::lock_guard lock(mutex_);
  if (steps_) step(*steps_);
}

void SignalWatch::take_steps() {
  const int number = signal_;
  {
    const std::lock_guard lock(mutex_);
    if (!steps_) quit_now(number);
    steps_->end(number);
  }
  if (!wait(kCleanupMs)) return;
  take([](const Steps& steps) { steps.end_cleanup(); });
  if (!wait(kQuitMs)) return;
  take([number](const Steps& steps) { steps.quit(number); });
}

}  // namespace patchbay::host
