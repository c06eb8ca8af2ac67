#include "exact.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace patchbay {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A decimal number: its digits without zeros at either end, and the power of ten of the last one.
struct Decimal {
  std::string digits;
  int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

std::optional<Decimal> parse(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  Decimal out;
  bool point = false, any = false;
  size_t at = 0;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !point)); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    any = true;
    out.digits += text[at];
    if (point) --out.exponent;
  }
  if (!any) return std::nullopt;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    if (++at < text.size() && text[at] == '+') ++at;
    int64_t exponent = 0;
    const auto [end, error] =
        std::from_chars(text.data() + at, text.data() + text.size(), exponent);
    if (error != std::errc() || end != text.data() + text.size() || std::abs(exponent) > 100000)
      return std::nullopt;
    out.exponent += exponent;
  }
  out.digits.erase(0, std::min(out.digits.find_first_not_of('0'), out.digits.size()));
  const size_t last = out.digits.find_last_not_of('0');
  const size_t length = last == std::string::npos ? 0 : last + 1;
  out.exponent += static_cast<int64_t>(out.digits.size() - length);
  out.digits.resize(length);
  if (out.digits.empty()) out.exponent = 0;
  return out;
}

// The shortest text of the nearest value is the text itself.
template <class Float>
bool keeps(const Decimal& number, std::string_view text) {
  constexpr size_t kAlways = sizeof(Float) == 8 ? 15 : 6;
  if (number.digits.size() <= kAlways) return true;
  while (!text.empty() && (text.front() == ' ' || text.front() == '+')) text.remove_prefix(1);
  Float value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return true;  // the server refuses it
  std::array<char, 64> shortest{};
  const auto written = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value);
  return parse({shortest.data(), static_cast<size_t>(written.ptr - shortest.data())}) == number;
}

const char* number_changed(const PgType& to, std::string_view text) {
  const auto number = parse(text);
  if (!number) return nullptr;
  if (to.kind == PgKind::kFloat8) return keeps<double>(*number, text) ? nullptr : kMoreDigits;
  if (to.kind == PgKind::kFloat4) return keeps<float>(*number, text) ? nullptr : kMoreDigits;
  const bool rounds =
      to.precision > 0 && !number->digits.empty() && number->exponent < -int64_t{to.scale};
  return rounds ? "has more digits after the point than the column" : nullptr;
}

// Digits of a second that a column with `kept` of them rounds.
bool has_more_of_second(std::string_view text, int32_t kept) {
  const size_t colon = text.rfind(':');
  // A time zone may follow, which has a colon itself: +02:00
  const size_t point = text.find('.', std::min(text.find(':'), text.size()));
  if (colon == std::string_view::npos || point == std::string_view::npos) return false;
  int32_t digits = 0, significant = 0;
  for (size_t i = point + 1; i < text.size() && is_digit(text[i]); ++i) {
    ++digits;
    if (text[i] != '0') significant = digits;
  }
  return significant > kept;
}

bool has_time_of_day(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const size_t begin = text.find_last_of(" Tt", colon);
  if (begin == std::string_view::npos) return false;
  for (const char c : text.substr(begin + 1)) {
    if (c == '+' || c == '-' || c == 'Z') break;
    if (c >= '1' && c <= '9') return true;
  }
  return false;
}

}  // namespace

int64_t unit_of_fraction(int32_t digits) {
  int64_t unit = 1;
  for (int32_t i = digits; i < 6; ++i) unit *= 10;
  return unit;
}

const char* why_changed(const PgType& to, std::string_view text) {
  switch (to.kind) {
    case PgKind::kFloat4:
    case PgKind::kFloat8:
    case PgKind::kNumeric:
      return number_changed(to, text);
    case PgKind::kTime:
    case PgKind::kTimestamp:
    case PgKind::kTimestamptz:
      return has_more_of_second(text, to.fraction) ? kFractionOfSecond : nullptr;
    case PgKind::kDate:
      return has_time_of_day(text) ? kTimeOfDay : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace patchbay
