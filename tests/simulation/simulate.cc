// Plays random histories until time is up, or one fails.
//
// What a killed process leaves behind is not freed: histories are played by child processes, a
// batch each.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "simulation/disk.h"
#include "simulation/history.h"
#include "simulation/planted_body.h"
#include "simulation/plugins.h"

namespace patchbay::simulation {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  uint64_t seed = 1, histories = 0;  // 0 = as many as the time allows
  double seconds = 60;
  unsigned jobs = 1;
  bool traces = false, verbose = false;
};

struct Totals {
  uint64_t histories = 0, refused = 0, runs = 0, steps = 0, hash = 0;

  void add(const Totals& other) {
    histories += other.histories;
    refused += other.refused;
    runs += other.runs;
    steps += other.steps;
    hash ^= other.hash;
  }
};

constexpr uint64_t kBatch = 50;

struct BugName {
  const char* name;
  const char* words;
  Bug bug;
};
constexpr BugName kBugs[] = {
#define BUG(name, words) {#name, words, Bug::name},
#include "simulation/planted_bugs.def"
#undef BUG
};

int usage() {
  std::fprintf(stderr,
               "simulate [--seed S] [--seconds N] [--histories N] [--jobs N] [--bug NAME] "
               "[--list-bugs] [--story] [--trace]\n");
  return 2;
}

void print_failure(uint64_t seed, const HistoryResult& result) {
  std::printf("seed %llu fails:\n", static_cast<unsigned long long>(seed));
  for (const auto& line : result.story) std::printf("  %s\n", line.c_str());
  std::printf("%s\n", result.failure.c_str());
  std::fflush(stdout);
}

// A child's work: true where all histories are as they must be.
bool play_batch(const Arguments& arguments, uint64_t first, uint64_t n, Totals& totals) {
  for (uint64_t seed = first; seed < first + n; ++seed) {
    const HistoryResult result = play(seed, arguments.traces);
    totals.add({1, result.refused, result.runs, result.steps, result.hash * (2 * seed + 1)});
    if (arguments.verbose)
      for (const auto& line : result.story) std::printf("  %s\n", line.c_str());
    if (result.failure.empty()) continue;
    print_failure(seed, result);
    return false;
  }
  return true;
}

class Children {
 public:
  explicit Children(const Arguments& arguments) : arguments_(arguments), start_(Clock::now()) {}

  int run() {
    while (wants_more() || !running_.empty()) {
      while (wants_more() && running_.size() < arguments_.jobs) start_one();
      if (!wait_for_one()) failed_ = true;
    }
    report();
    return failed_ ? 1 : 0;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  bool wants_more() const {
    if (failed_) return false;
    return arguments_.histories > 0 ? begun_ < arguments_.histories
                                    : seconds() < arguments_.seconds;
  }

  void start_one() {
    uint64_t n = kBatch;
    if (arguments_.histories > 0) n = std::min(n, arguments_.histories - begun_);
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      Totals totals;
      const bool good = play_batch(arguments_, arguments_.seed + begun_, n, totals);
      std::fflush(stdout);
      const bool told = write(ends[1], &totals, sizeof totals) == sizeof totals;
      _exit(good && told ? 0 : 1);
    }
    close(ends[1]);
    running_[child] = {ends[0], arguments_.seed + begun_};
    begun_ += n;
  }

  bool wait_for_one() {
    int status = 0;
    const pid_t child = wait(&status);
    const auto found = running_.find(child);
    if (found == running_.end()) return true;
    Totals totals;
    if (read(found->second.pipe, &totals, sizeof totals) == sizeof totals) totals_.add(totals);
    close(found->second.pipe);
    const bool crashed = !WIFEXITED(status);
    if (crashed)
      std::printf("a crash in one of the %llu seeds from %llu on\n",
                  static_cast<unsigned long long>(kBatch),
                  static_cast<unsigned long long>(found->second.first));
    running_.erase(found);
    return !crashed && WEXITSTATUS(status) == 0;
  }

  void report() const {
    std::printf(
        "%llu histories, %llu of pipelines that validate refuses, %llu schedules, %llu steps, "
        "%.1f s, %.0f schedules a second, hash %016llx\n",
        static_cast<unsigned long long>(totals_.histories),
        static_cast<unsigned long long>(totals_.refused),
        static_cast<unsigned long long>(totals_.runs),
        static_cast<unsigned long long>(totals_.steps), seconds(),
        static_cast<double>(totals_.runs) / seconds(),
        static_cast<unsigned long long>(totals_.hash));
  }

  struct Child {
    int pipe;
    uint64_t first;
  };
  const Arguments& arguments_;
  const Clock::time_point start_;
  std::map<pid_t, Child> running_;
  uint64_t begun_ = 0;
  Totals totals_;
  bool failed_ = false;
};

bool plant(const char* name) {
  for (const auto& bug : kBugs) {
    if (std::strcmp(bug.name, name) != 0) continue;
    planted_bug = bug.bug;
    return true;
  }
  std::fprintf(stderr, "there is no bug %s; --list-bugs names them\n", name);
  return false;
}

int run(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--list-bugs") {
      for (const auto& bug : kBugs) std::printf("%s\t%s\n", bug.name, bug.words);
      return 0;
    }
    if (option == "--trace") {
      arguments.traces = true;
    } else if (option == "--story") {
      arguments.verbose = true;
    } else if (i + 1 == argc) {
      return usage();
    } else if (option == "--seed") {
      arguments.seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--seconds") {
      arguments.seconds = std::atof(argv[++i]);
    } else if (option == "--histories") {
      arguments.histories = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--jobs") {
      arguments.jobs = static_cast<unsigned>(std::atoi(argv[++i]));
    } else if (option == "--bug") {
      if (!plant(argv[++i])) return 2;
    } else {
      return usage();
    }
  }
  install_disk_in_sqlite();
  simulated_catalog();  // once, for all children
  return Children(arguments).run();
}

}  // namespace
}  // namespace patchbay::simulation

int main(int argc, char** argv) { return patchbay::simulation::run(argc, argv); }
