#include "process_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace patchbay::test {
namespace {

namespace fs = std::filesystem;

constexpr int kRestorer = 0x04000000;  // SA_RESTORER of the kernel, which <signal.h> hides

std::vector<std::string> names_in(const char* folder) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder))
    out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

int checked(int fd) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "capture of the output");
  return fd;
}

}  // namespace

ProcessState process_state() {
  ProcessState state;
  state.locale = std::setlocale(LC_ALL, nullptr);
  state.folder = fs::current_path().string();
  for (char** variable = environ; *variable; ++variable) state.environment.emplace_back(*variable);
  std::sort(state.environment.begin(), state.environment.end());
  for (int signal = 1; signal < NSIG; ++signal)
    sigaction(signal, nullptr, &state.handlers[static_cast<size_t>(signal)]);
  return state;
}

bool same_handlers(const ProcessState& a, const ProcessState& b) {
  for (size_t i = 1; i < a.handlers.size(); ++i) {
    if (a.handlers[i].sa_sigaction != b.handlers[i].sa_sigaction) return false;
    // A handler that was put back as it was has SA_RESTORER, which only the C library knows.
    const bool own = a.handlers[i].sa_handler != SIG_DFL && a.handlers[i].sa_handler != SIG_IGN;
    if (own && ((a.handlers[i].sa_flags ^ b.handlers[i].sa_flags) & ~kRestorer)) return false;
  }
  return true;
}

Handles open_handles() { return {names_in("/proc/self/fd"), names_in("/proc/self/task").size()}; }

Handles settled_handles(const Handles& wanted) {
  constexpr auto kLongest = std::chrono::seconds(20);
  const auto deadline = std::chrono::steady_clock::now() + kLongest;
  for (;;) {
    Handles now = open_handles();
    const bool settled = now.files.size() <= wanted.files.size() && now.threads <= wanted.threads;
    if (settled || std::chrono::steady_clock::now() >= deadline) return now;
    poll(nullptr, 0, 10);
  }
}

OutputCapture::OutputCapture()
    : memory_(checked(memfd_create("output", MFD_CLOEXEC))),
      stdout_(checked(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0))),
      stderr_(checked(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0))) {
  std::fflush(nullptr);
  dup2(memory_, STDOUT_FILENO);
  dup2(memory_, STDERR_FILENO);
}

OutputCapture::~OutputCapture() {
  std::fflush(nullptr);
  dup2(stdout_, STDOUT_FILENO);
  dup2(stderr_, STDERR_FILENO);
  for (const int fd : {memory_, stdout_, stderr_}) close(fd);
}

std::string OutputCapture::text() const {
  std::fflush(nullptr);
  std::string text(200, '\0');  // enough to recognise the culprit by
  const ssize_t size = pread(memory_, text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return text;
}

}  // namespace patchbay::test
