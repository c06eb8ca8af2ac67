#include "engine/retry.h"

#include <algorithm>
#include <cmath>

namespace patchbay::host {

using std::chrono::nanoseconds;

std::optional<nanoseconds> Backoff::after(uint32_t attempt, Clock::time_point now, double random,
                                          std::optional<nanoseconds> retry_after) {
  constexpr double kLongestNs = 60e9;
  if (attempt <= 1) first_failure_ = now;
  if (attempt >= limits_.attempts) return std::nullopt;
  const double ceiling = std::min(kLongestNs, static_cast<double>(limits_.delay.count()) *
                                                  std::exp2(std::min(attempt - 1, 30u)));
  nanoseconds wait(static_cast<int64_t>(ceiling * random));
  if (retry_after) wait = std::max(wait, *retry_after);
  if (now - first_failure_ + wait > limits_.within) return std::nullopt;
  return wait;
}

}  // namespace patchbay::host
