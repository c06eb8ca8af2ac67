// When to try again, and when to give up.
#include "engine/retry.h"

#include <gtest/gtest.h>

namespace patchbay::host {
namespace {

using namespace std::chrono_literals;
using Wait = std::optional<std::chrono::nanoseconds>;

const Backoff::Clock::time_point kStart{};

TEST(Retry, WaitsAreDrawnFromZeroToACeilingThatDoublesUpToAMinute) {
  Backoff backoff({100, 24h, 500ms});
  const struct {
    uint32_t attempt;
    std::chrono::nanoseconds ceiling;
  } kCases[] = {{1, 500ms}, {2, 1s}, {3, 2s}, {7, 32s}, {8, 60s}, {60, 60s}};
  for (const auto& c : kCases) {
    EXPECT_EQ(backoff.after(c.attempt, kStart, 0.0), Wait(0ns)) << c.attempt;
    EXPECT_EQ(backoff.after(c.attempt, kStart, 0.5), Wait(c.ceiling / 2)) << c.attempt;
  }
}

TEST(Retry, AttemptsCountTheFirstOne) {
  Backoff backoff({3, 1h, 1ms});
  EXPECT_TRUE(backoff.after(1, kStart, 0.5));
  EXPECT_TRUE(backoff.after(2, kStart, 0.5));
  EXPECT_FALSE(backoff.after(3, kStart, 0.5));
  EXPECT_FALSE(Backoff({1, 1h, 1ms}).after(1, kStart, 0.5));
}

TEST(Retry, TimeCountsFromTheFirstFailureTheWaitIncluded) {
  Backoff backoff({100, 10s, 1s});
  EXPECT_EQ(backoff.after(1, kStart, 0.5), Wait(500ms));
  EXPECT_EQ(backoff.after(2, kStart + 9s, 0.5), Wait(1s));
  EXPECT_EQ(backoff.after(2, kStart + 9s + 1ns, 0.5), std::nullopt);
  EXPECT_TRUE(backoff.after(1, kStart + 1h, 0.5)) << "the next operation's own first failure";
}

TEST(Retry, ARemotesWishIsGrantedInFullOrNotAtAll) {
  Backoff backoff({100, 10s, 1s});
  EXPECT_EQ(backoff.after(1, kStart, 0.5, 7s), Wait(7s));
  EXPECT_EQ(backoff.after(1, kStart, 0.5, 1ms), Wait(500ms)) << "never earlier than by itself";
  EXPECT_EQ(backoff.after(1, kStart, 0.5, 11s), std::nullopt);
}

}  // namespace
}  // namespace patchbay::host
