#include "process/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

namespace patchbay::host {
namespace {

using Clock = std::chrono::steady_clock;

// Process groups of the programs that run; 0 = free.
std::array<std::atomic<pid_t>, 16> groups{};
std::atomic<int> starting{0};
std::atomic<bool> ended{false};
static_assert(std::atomic<pid_t>::is_always_lock_free);

// A program's group, for as long as it runs.
class Group {
 public:
  explicit Group(pid_t pid) {
    for (auto& place : groups) {
      pid_t free = 0;
      if (!place.compare_exchange_strong(free, pid)) continue;
      place_ = &place;
      return;
    }
  }
  ~Group() {
    if (place_) *place_ = 0;
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

 private:
  std::atomic<pid_t>* place_ = nullptr;
};

// A child in a process group of its own, whose output is read through a pipe. Gone when this is.
class Child {
 public:
  explicit Child(std::vector<std::string>& words) {
    if (pipe2(pipe_.data(), O_CLOEXEC) != 0) {
      error_ = errno;
      return;
    }
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error_ = posix_spawn(&pid_, argv[0], &actions, &attributes, argv.data(), environ);
    if (error_ != 0) pid_ = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_[1]);
    pipe_[1] = -1;
  }
  ~Child() {
    for (const int fd : pipe_) {
      if (fd >= 0) close(fd);
    }
    end();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int error() const { return error_; }
  pid_t pid() const { return pid_; }
  int output() const { return pipe_[0]; }

  // Its exit status, as waitpid gives it, when it ends before `deadline`; -1 otherwise.
  int wait_until(Clock::time_point deadline) {
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (Clock::now() >= deadline) return -1;
      poll(nullptr, 0, 1);
    }
    kill(-pid_, SIGKILL);  // what it left behind
    pid_ = -1;
    return status;
  }

 private:
  void end() {
    if (pid_ < 0) return;
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  std::array<int, 2> pipe_{-1, -1};
  pid_t pid_ = -1;
  int error_ = 0;
};

enum class Read { kEnd, kLate, kTooLarge };

Read read_all(int fd, Clock::time_point deadline,
              const std::function<bool(std::string_view)>& take) {
  std::array<char, 65536> buffer;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return Read::kLate;
    pollfd wait{fd, POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(left.count())) <= 0) continue;
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Read::kEnd;
    if (!take({buffer.data(), static_cast<size_t>(n)})) return Read::kTooLarge;
  }
}

}  // namespace

ProgramResult run_program(std::vector<std::string> words, std::chrono::milliseconds timeout,
                          size_t most_output) {
  std::string output;
  ProgramResult result = run_program(std::move(words), timeout, [&](std::string_view bytes) {
    output += bytes;
    return output.size() <= most_output;
  });
  using Outcome = ProgramResult::Outcome;
  if (result.outcome == Outcome::kExited || result.outcome == Outcome::kSignalled)
    result.output = std::move(output);
  return result;
}

ProgramResult run_program(std::vector<std::string> words, std::chrono::milliseconds timeout,
                          const std::function<bool(std::string_view)>& take) {
  using Outcome = ProgramResult::Outcome;
  const auto deadline = Clock::now() + timeout;
  ++starting;
  if (ended) {
    --starting;
    return {Outcome::kCancelled, 0, ""};
  }
  Child child(words);
  const Group group(child.pid());
  --starting;
  ProgramResult result;
  if (child.error() != 0) return {Outcome::kNotStarted, child.error(), ""};
  const Read read = read_all(child.output(), deadline, take);
  if (ended) return {Outcome::kCancelled, 0, ""};
  if (read == Read::kTooLarge) return {Outcome::kTooLarge, 0, ""};
  const int status = read == Read::kLate ? -1 : child.wait_until(deadline);
  if (ended) return {Outcome::kCancelled, 0, ""};
  if (status == -1) return {Outcome::kLate, 0, ""};
  result.outcome = WIFSIGNALED(status) ? Outcome::kSignalled : Outcome::kExited;
  result.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

void kill_programs() {
  for (const auto& group : groups) {
    if (const pid_t pid = group; pid > 0) kill(-pid, SIGKILL);
  }
}

void end_programs() {
  ended = true;
  // One that is being started is not among the groups yet.
  for (int patience = 0; starting > 0 && patience < 200; ++patience) poll(nullptr, 0, 1);
  kill_programs();
}

}  // namespace patchbay::host
