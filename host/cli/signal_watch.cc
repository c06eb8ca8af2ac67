#include "cli/signal_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "cli/exit_codes.h"

namespace patchbay::host {
namespace {

// Of the two seconds that a run may take to end.
constexpr int kCleanupMs = 1200;
constexpr int kQuitMs = 500;  // after that

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

}  // namespace

SignalWatch::SignalWatch() {
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  stop_fd_ = eventfd(0, EFD_CLOEXEC);
}

SignalWatch::~SignalWatch() {
  stop();
  close(signal_fd_);
  close(stop_fd_);
}

void SignalWatch::start(Steps steps) {
  steps_ = std::move(steps);
  thread_ = std::thread([this] { loop(); });
}

void SignalWatch::stop() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_fd_, 1);
  thread_.join();
}

void SignalWatch::loop() {
  for (int patience = -1;;) {
    pollfd fds[] = {{signal_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
    const int ready = poll(fds, 2, patience);
    if (fds[1].revents != 0) return;
    if (ready == 0 && patience == kQuitMs) return steps_.quit(signal_);
    if (ready == 0) {
      steps_.end_cleanup();
      patience = kQuitMs;
      continue;
    }
    signalfd_siginfo info{};
    if (fds[0].revents == 0 || read(signal_fd_, &info, sizeof info) != sizeof info) continue;
    if (signal_ != 0) _exit(info.ssi_signo == SIGTERM ? kExitTerminated : kExitInterrupted);
    signal_ = static_cast<int>(info.ssi_signo);
    steps_.end();
    patience = kCleanupMs;
  }
}

}  // namespace patchbay::host
