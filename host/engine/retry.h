// How long to wait before trying again: full jitter, bounded by the pipeline's `retry`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace patchbay::host {

struct RetryLimits {
  uint32_t attempts = 5;                             // tries in all, the first included
  std::chrono::nanoseconds within{600'000'000'000};  // from the first failure
  std::chrono::nanoseconds delay{
      500'000'000};  // upper end of the first wait; doubles up to a minute
};

// The waits of one operation, from its first failure on. `random` is uniform in [0, 1).
class Backoff {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Backoff(RetryLimits limits) : limits_(limits) {}

  // After attempt number `attempt` (from 1) failed: the wait before the next, or nothing to give
  // up. A remote's wish is granted in full or not at all: asking earlier than it said only makes
  // things worse.
  std::optional<std::chrono::nanoseconds> after(
      uint32_t attempt, Clock::time_point now, double random,
      std::optional<std::chrono::nanoseconds> retry_after = {});

 private:
  RetryLimits limits_;
  Clock::time_point first_failure_{};
};

}  // namespace patchbay::host
