#include "simulation/batches.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "simulation/history.h"

namespace patchbay::simulation {
namespace {

using Time = std::chrono::steady_clock;

constexpr uint64_t kBatch = 50;

// A child's report. It lies in memory that parent and child share, so that it outlives a crash.
struct Report {
  Totals totals;
  uint64_t seed = 0;  // that is played
};

void print_failure(uint64_t seed, const HistoryResult& result) {
  std::printf("seed %llu fails:\n", static_cast<unsigned long long>(seed));
  for (const auto& line : result.story) std::printf("  %s\n", line.c_str());
  std::printf("%s\n", result.failure.c_str());
}

// A child's work: true where all histories are as they must be.
bool play_batch(const Batches& batches, uint64_t first, uint64_t n, Report& report) {
  for (uint64_t seed = first; seed < first + n; ++seed) {
    report.seed = seed;
    const HistoryResult result = play(seed, batches.traces);
    report.totals.add({1, result.refused, result.runs, result.steps, result.hash * (2 * seed + 1)});
    if (batches.stories)
      for (const auto& line : result.story) std::printf("  %s\n", line.c_str());
    if (result.failure.empty()) continue;
    if (!batches.quiet) print_failure(seed, result);
    return false;
  }
  return true;
}

class Children {
 public:
  explicit Children(const Batches& batches) : batches_(batches), start_(Time::now()) {}

  Played run() {
    while (wants_more() || !running_.empty()) {
      while (wants_more() && running_.size() < batches_.jobs) start_one();
      wait_for_one();
    }
    played_.seconds = seconds();
    return played_;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Time::now() - start_).count(); }
  bool wants_more() const {
    if (played_.failed) return false;
    return batches_.histories > 0 ? begun_ < batches_.histories : seconds() < batches_.seconds;
  }

  void start_one() {
    uint64_t n = kBatch;
    if (batches_.histories > 0) n = std::min(n, batches_.histories - begun_);
    void* const shared =
        mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) std::abort();
    auto* const report = new (shared) Report;
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      const bool good = play_batch(batches_, batches_.seed + begun_, n, *report);
      std::fflush(stdout);
      _exit(good ? 0 : 1);
    }
    running_[child] = report;
    begun_ += n;
  }

  void wait_for_one() {
    int status = 0;
    const pid_t child = wait(&status);
    const auto found = running_.find(child);
    if (found == running_.end()) return;
    Report* const report = found->second;
    running_.erase(found);
    played_.totals.add(report->totals);
    if (!WIFEXITED(status) && !batches_.quiet)
      std::printf("seed %llu crashes\n", static_cast<unsigned long long>(report->seed));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      played_.failed = std::min(report->seed, played_.failed.value_or(report->seed));
    munmap(report, sizeof(Report));
  }

  const Batches& batches_;
  const Time::time_point start_;
  std::map<pid_t, Report*> running_;
  uint64_t begun_ = 0;
  Played played_;
};

}  // namespace

void Totals::add(const Totals& other) {
  histories += other.histories;
  refused += other.refused;
  runs += other.runs;
  steps += other.steps;
  hash ^= other.hash;
}

Played play_all(const Batches& batches) { return Children(batches).run(); }

}  // namespace patchbay::simulation
