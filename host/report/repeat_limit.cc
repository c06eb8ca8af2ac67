#include "report/repeat_limit.h"

#include <cctype>
#include <utility>

namespace patchbay::host {
namespace {

constexpr size_t kMostKinds = 1000;  // messages may hold anything: memory stays bounded

std::string kind_of(const LogLine& line) {
  std::string kind = std::to_string(line.level) + line.node + '\n';
  bool in_number = false;
  for (const char c : line.message) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c));
    if (!digit) kind += c;
    if (digit && !in_number) kind += '#';
    in_number = digit;
  }
  return kind;
}

}  // namespace

RepeatLimit::Verdict RepeatLimit::judge(const LogLine& line, Clock::time_point now) {
  const std::string name = kind_of(line);
  if (kinds_.size() >= kMostKinds && !kinds_.contains(name)) {
    std::erase_if(kinds_, [](const auto& entry) { return entry.second.left_out == 0; });
    if (kinds_.size() >= kMostKinds) return {true, 0};
  }
  const auto [found, is_new] = kinds_.try_emplace(name, Kind{line, now});
  Kind& kind = found->second;
  if (now - kind.start >= kPeriod) {
    kind.start = now;
    kind.written = 0;
  }
  if (kind.written == kBurst) {
    ++kind.left_out;
    return {};
  }
  ++kind.written;
  return {true, std::exchange(kind.left_out, 0)};
}

std::vector<std::pair<LogLine, uint64_t>> RepeatLimit::drain() {
  std::vector<std::pair<LogLine, uint64_t>> rest;
  for (auto& [name, kind] : kinds_) {
    if (kind.left_out > 0) rest.emplace_back(std::move(kind.first), kind.left_out);
  }
  kinds_.clear();
  return rest;
}

}  // namespace patchbay::host
