#include "pipeline/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "patchbay/error.h"

namespace patchbay::host {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& want) {
  throw Error(Code::kConfig, name + ": must be " + want);
}

std::optional<std::pair<double, std::string_view>> split_unit(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return std::pair(number, unit);
}

template <size_t N>
std::optional<double> scaled(const std::string& text,
                             const std::array<std::pair<std::string_view, double>, N>& units) {
  const auto parts = split_unit(text);
  if (!parts) return std::nullopt;
  for (const auto& [unit, factor] : units) {
    if (parts->second == unit) return parts->first * factor;
  }
  return std::nullopt;
}

constexpr std::array<std::pair<std::string_view, double>, 6> kDurations{
    {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}, {"", 1e3}}};
constexpr std::array<std::pair<std::string_view, double>, 8> kSizes{{{"", 1},
                                                                     {"B", 1},
                                                                     {"kB", 1e3},
                                                                     {"MB", 1e6},
                                                                     {"GB", 1e9},
                                                                     {"KiB", 1024},
                                                                     {"MiB", 1048576},
                                                                     {"GiB", 1073741824}}};

}  // namespace

std::chrono::milliseconds parse_duration(const std::string& name, const Json::Value& value) {
  constexpr double kLongest = 365 * 86400e3;
  const auto ms = scaled(value.isNumeric() || value.isString() ? value.asString() : "", kDurations);
  if (!ms || *ms < 1 || *ms > kLongest)
    refuse(name, "a duration like 500ms, 60s, 10m, 2h or 30d, up to a year");
  return std::chrono::milliseconds(static_cast<int64_t>(*ms));
}

int64_t parse_size(const std::string& name, const Json::Value& value) {
  constexpr double kLargest = 1e12;
  const auto bytes = scaled(value.isNumeric() || value.isString() ? value.asString() : "", kSizes);
  if (!bytes || *bytes < 1 || *bytes > kLargest)
    refuse(name, "a size like 500kB, 8MiB or 1GiB, up to 1000 GB");
  return static_cast<int64_t>(*bytes);
}

double parse_percent(const std::string& name, const std::string& text) {
  const auto parts = split_unit(text);
  if (!parts || parts->second != "%" || parts->first > 100)
    refuse(name, "a number of rows or a share like 5%");
  return parts->first;
}

}  // namespace patchbay::host
