// A random history: a pipeline, its world, and what happens to both. One seed decides everything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace patchbay::simulation {

struct HistoryResult {
  bool refused = false;  // `validate` does not take the pipeline
  uint64_t runs = 0;     // schedules of the engine
  uint64_t steps = 0;
  uint64_t hash = 0;
  std::string failure;             // empty: all is as it must be
  std::vector<std::string> story;  // what happened, in words
};

HistoryResult play(uint64_t seed, bool traces);

}  // namespace patchbay::simulation
