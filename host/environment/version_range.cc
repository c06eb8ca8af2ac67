#include "environment/version_range.h"

#include <array>
#include <charconv>
#include <compare>
#include <cstdint>
#include <sstream>

namespace patchbay::host {
namespace {

using Version = std::array<uint32_t, 3>;

// False where the text does not begin with a number.
bool parse_version(const std::string& text, Version& out) {
  out = {};
  const char* at = text.data();
  const char* end = at + text.size();
  for (size_t i = 0; i < out.size(); ++i) {
    const auto [next, error] = std::from_chars(at, end, out[i]);
    if (error != std::errc()) return false;
    if (next == end || *next != '.') return true;
    at = next + 1;
  }
  return true;
}

struct Bound {
  std::string comparison;
  Version version;
};

bool parse_bound(const std::string& word, Bound& out) {
  const size_t number = word.find_first_not_of("<>=");
  if (number == std::string::npos) return false;
  out.comparison = word.substr(0, number);
  for (const char* known : {"", "=", "<", "<=", ">", ">="}) {
    if (out.comparison == known) return parse_version(word.substr(number), out.version);
  }
  return false;
}

bool holds(std::strong_ordering order, const std::string& comparison) {
  if (comparison == "<") return order < 0;
  if (comparison == "<=") return order <= 0;
  if (comparison == ">") return order > 0;
  return comparison == ">=" ? order >= 0 : order == 0;
}

}  // namespace

bool is_range(const std::string& text) {
  std::istringstream words(text);
  Bound bound;
  size_t n = 0;
  for (std::string word; words >> word; ++n) {
    if (!parse_bound(word, bound)) return false;
  }
  return n > 0;
}

bool in_range(const std::string& version, const std::string& range) {
  Version own;
  if (!parse_version(version, own)) return false;
  std::istringstream words(range);
  Bound bound;
  for (std::string word; words >> word;) {
    if (!parse_bound(word, bound) || !holds(own <=> bound.version, bound.comparison)) return false;
  }
  return true;
}

}  // namespace patchbay::host
