#include "loader/crash_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "patchbay/posix_error.h"
#include "report/code_points.h"

namespace patchbay::host {
namespace {

thread_local const CrashSite* current_site = nullptr;

// Written while no plugin is at work, read by the handler only.
CrashReport crash_report;

// The user's, also while the output of a plugin is caught.
int user_stderr = STDERR_FILENO;

constexpr size_t kStackBytes = 64 * 1024;
constexpr int kCrashExit = 70;
std::atomic_flag crashing;
static_assert(std::atomic<bool>::is_always_lock_free);

constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// Async-signal-safe text assembly.
class Line {
 public:
  Line& add(std::string_view text) {
    // It goes into JSON, too; ids may have any character.
    while (!text.empty()) {
      const CodePoint c = first_code_point(text);
      const bool plain = c.valid && !is_control(c.value) && c.value != '"' && c.value != '\\';
      const std::string_view shown = plain ? text.substr(0, c.bytes) : "?";
      if (shown.size() > buffer_.size() - size_) break;
      std::copy(shown.begin(), shown.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
      size_ += shown.size();
      text.remove_prefix(c.bytes);
    }
    return *this;
  }
  void write_to(int fd) const { write_all(fd, {buffer_.data(), size_}); }
  static void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = write(fd, text.data(), text.size());
      if (n <= 0) return;
      text.remove_prefix(static_cast<size_t>(n));
    }
  }

 private:
  std::array<char, 512> buffer_{};
  size_t size_ = 0;
};

std::string_view signal_name(int number) {
  switch (number) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    default:
      return "SIGABRT";
  }
}

Line describe(int number) {
  Line line;
  if (!current_site)
    return line.add("crashed outside any plugin (").add(signal_name(number)).add(")");
  line.add("plugin ").add(current_site->plugin).add(" crashed in ").add(current_site->call);
  if (!current_site->node.empty()) line.add(" of node ").add(current_site->node);
  return line.add(" (").add(signal_name(number)).add(")");
}

void on_crash(int number) {
  // Two threads may crash at once: one tells of it, and ends the process under the other.
  while (crashing.test_and_set()) pause();
  const Line what = describe(number);
  Line::write_all(user_stderr, "patchbay: ");
  what.write_to(user_stderr);
  Line::write_all(user_stderr,
                  current_site ? "; this is a bug of the plugin, report it to its author. The next "
                                 "run recovers\n"
                               : "; this is a bug of patchbay, or of a plugin's own thread. The "
                                 "next run recovers\n");
  if (!crash_report.head.empty()) {
    Line::write_all(STDOUT_FILENO, crash_report.head);
    what.write_to(STDOUT_FILENO);
    Line::write_all(STDOUT_FILENO, crash_report.middle);
    if (current_site) Line().add(current_site->node).write_to(STDOUT_FILENO);
    Line::write_all(STDOUT_FILENO, crash_report.tail);
  }
  _exit(kCrashExit);
}

}  // namespace

namespace {

constexpr int kTemporaryExit = 5;

// Made beforehand: when it is needed there is no memory for it.
std::string memory_words;

[[noreturn]] void end_as_temporary(std::string_view why) {
  Line::write_all(user_stderr, "patchbay: ");
  Line::write_all(user_stderr, why);
  Line::write_all(user_stderr, ". The next run recovers\n");
  _exit(kTemporaryExit);
}

void on_terminate() {
  try {
    if (const auto exception = std::current_exception()) std::rethrow_exception(exception);
  } catch (const std::bad_alloc&) {
    end_as_temporary(memory_words);
  } catch (const std::system_error& exception) {
    const Error error = error_of(exception);
    if (error.code() == Code::kUnavailable) end_as_temporary(error.what());
  } catch (const std::exception& exception) {
    Line::write_all(user_stderr, "patchbay: ");
    Line().add(exception.what()).write_to(user_stderr);
    Line::write_all(user_stderr, "\n");
  }
  std::abort();
}

}  // namespace

void install_terminate_handler() {
  memory_words = error_of(std::bad_alloc()).what();
  std::set_terminate(on_terminate);
}

CrashGuard::CrashGuard(const CrashSite& site) : site_(site), outer_(current_site) {
  current_site = &site_;
}
CrashGuard::~CrashGuard() { current_site = outer_; }

void install_crash_handler() {
  if (const int own = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0); own >= 0) user_stderr = own;
  struct sigaction action{};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK;
  sigfillset(&action.sa_mask);  // a crash of the handler itself is the kernel's to end
  for (const int number : kSignals) sigaction(number, &action, nullptr);
}

CrashStack::CrashStack()
    : memory_(
          mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  if (memory_ == MAP_FAILED) return;
  stack_t stack{};
  stack.ss_sp = memory_;
  stack.ss_size = kStackBytes;
  sigaltstack(&stack, nullptr);
}

CrashStack::~CrashStack() {
  if (memory_ == MAP_FAILED) return;
  stack_t off{};
  off.ss_flags = SS_DISABLE;
  sigaltstack(&off, nullptr);
  munmap(memory_, kStackBytes);
}

void set_crash_report(CrashReport report) { crash_report = std::move(report); }

}  // namespace patchbay::host
