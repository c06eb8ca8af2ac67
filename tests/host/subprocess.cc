#include "subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe: cannot be made");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_end(size_t end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }

  std::array<int, 2> ends{-1, -1};  // read, write
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// Between fork and exec nothing allocates: all texts are made before.
[[noreturn]] void become(char* const* argv, char* const* envp, const char* folder, int in, int out,
                         int err) {
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  if (*folder == '\0' || chdir(folder) == 0) execve(argv[0], argv, envp);
  constexpr char kMessage[] = "the program cannot be started\n";
  [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  _exit(127);
}

// False at the end of the output.
bool take(int fd, std::string& into) {
  std::array<char, 16384> buffer{};
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n > 0) into.append(buffer.data(), static_cast<size_t>(n));
  return n > 0 || (n < 0 && errno == EINTR);
}

int exit_code_of_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Feeds and reads until both outputs end; false when the deadline comes first.
bool converse(Pipe& in, Pipe& out, Pipe& err, const std::string& input, Clock::time_point deadline,
              Finished& result) {
  size_t sent = 0;
  if (input.empty()) in.close_end(1);
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    std::array<pollfd, 3> fds{pollfd{in.ends[1], POLLOUT, 0}, pollfd{out.ends[0], POLLIN, 0},
                              pollfd{err.ends[0], POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    if (poll(fds.data(), fds.size(), static_cast<int>(left.count())) <= 0) continue;
    if (fds[0].revents != 0) {
      const ssize_t n = write(in.ends[1], input.data() + sent, input.size() - sent);
      if (n > 0) sent += static_cast<size_t>(n);
      if ((n < 0 && errno != EAGAIN && errno != EINTR) || sent == input.size()) in.close_end(1);
    }
    if (fds[1].revents != 0 && !take(out.ends[0], result.out)) out.close_end(0);
    if (fds[2].revents != 0 && !take(err.ends[0], result.err)) err.close_end(0);
  }
  return true;
}

}  // namespace

Finished Subprocess::run() const {
  signal(SIGPIPE, SIG_IGN);  // a program need not read its input
  std::vector<std::string> words = command, settings;
  for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
  const std::vector<char*> argv = pointers(words), envp = pointers(settings);
  Pipe in, out, err;
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork: failed");
  if (child == 0)
    become(argv.data(), envp.data(), folder.c_str(), in.ends[0], out.ends[1], err.ends[1]);
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  if (close_output) out.close_end(0);
  fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  Finished result;
  result.overdue = !converse(in, out, err, input, Clock::now() + deadline, result);
  if (result.overdue) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  result.exit_code = exit_code_of_status(status);
  return result;
}

fs::path build_dir() {
  if (const char* dir = std::getenv("PATCHBAY_BUILD_DIR")) return dir;
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path();
}

fs::path source_dir() {
  if (const char* dir = std::getenv("PATCHBAY_SOURCE_DIR")) return dir;
  return build_dir().parent_path().parent_path();
}

Subprocess patchbay_program(const std::vector<std::string>& arguments, const fs::path& folder) {
  Subprocess program{{(build_dir() / "patchbay").string()}};
  program.command.insert(program.command.end(), arguments.begin(), arguments.end());
  program.environment = {{"HOME", folder.string()},
                         {"PATH", "/usr/bin:/bin"},
                         {"LC_ALL", "C.UTF-8"},
                         {"PATCHBAY_CONFIG_DIR", (folder / "etc").string()},
                         {"PATCHBAY_STATE_DIR", (folder / "state").string()}};
  for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) program.environment[name] = value;
  }
  program.folder = folder;
  return program;
}

}  // namespace patchbay::host
