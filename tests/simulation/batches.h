// Plays many histories, in child processes: what a killed process of a history leaves behind is not
// freed, and a crash ends no more than its batch.
#pragma once

#include <cstdint>
#include <optional>

namespace patchbay::simulation {

struct Batches {
  uint64_t seed = 1;       // of the first history; the next ones follow
  uint64_t histories = 0;  // 0 = as many as the time allows
  double seconds = 60;
  unsigned jobs = 1;
  bool traces = false, stories = false;
  bool quiet = false;  // says nothing of a failure
};

struct Totals {
  uint64_t histories = 0, refused = 0, runs = 0, steps = 0;
  uint64_t hash = 0;  // does not depend on the order, nor on the number of jobs

  void add(const Totals& other);
};

struct Played {
  Totals totals;
  double seconds = 0;
  std::optional<uint64_t> failed;  // the seed of a history that failed, or crashed
};

// Ends after the first failure.
Played play_all(const Batches& batches);

}  // namespace patchbay::simulation
