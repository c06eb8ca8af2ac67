// Keeps a log readable when one thing happens a million times.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace patchbay::host {

struct LogLine {
  uint32_t level = 0;
  std::string node, message, fields_json;
};

// Lines of one node and level that differ only in numbers count as the same. One thread at a time.
class RepeatLimit {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr uint64_t kBurst = 10;  // of each kind in a period
  static constexpr std::chrono::seconds kPeriod{10};

  struct Verdict {
    bool write = false;
    uint64_t left_out = 0;  // of this kind since the last that was written
  };
  Verdict judge(const LogLine& line, Clock::time_point now);

  // What was left out and not yet mentioned: the first line of each kind, and how many.
  std::vector<std::pair<LogLine, uint64_t>> drain();

 private:
  struct Kind {
    LogLine first;
    Clock::time_point start;
    uint64_t written = 0, left_out = 0;
  };
  std::map<std::string, Kind> kinds_;
};

}  // namespace patchbay::host
