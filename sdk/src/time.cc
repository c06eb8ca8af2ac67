#include "patchbay/time.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace patchbay {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

// Days of the civil calendar: https://howardhinnant.github.io/date_algorithms.html
constexpr int64_t days_from_civil(int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146'097 + static_cast<int64_t>(doe) - 719'468;
}

struct Civil {
  int64_t year;
  unsigned month, day;
};

constexpr Civil civil_from_days(int64_t z) {
  z += 719'468;
  const int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const auto doe = static_cast<unsigned>(z - era * 146'097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  return {static_cast<int64_t>(yoe) + era * 400 + (month <= 2), month,
          doy - (153 * mp + 2) / 5 + 1};
}

constexpr bool is_leap(unsigned y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }

constexpr unsigned days_in_month(unsigned y, unsigned m) {
  constexpr std::array<unsigned, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return m == 2 && is_leap(y) ? 29 : kDays[m - 1];
}

// Takes what it expects off the front; `ok` stays false after the first surprise.
struct Scanner {
  std::string_view rest;
  bool ok = true;

  unsigned digits(size_t n) {
    if (rest.size() < n) return static_cast<unsigned>(ok = false);
    unsigned value = 0;
    for (size_t i = 0; i < n; ++i) {
      const auto digit = static_cast<unsigned>(rest[i] - '0');
      if (digit > 9) ok = false;
      value = value * 10 + digit;
    }
    rest.remove_prefix(n);
    return value;
  }
  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  void expect(char c) { ok &= take(c); }
};

int64_t scan_date(Scanner& in) {
  const unsigned y = in.digits(4);
  in.expect('-');
  const unsigned m = in.digits(2);
  in.expect('-');
  const unsigned d = in.digits(2);
  if (!in.ok || y < 1 || m < 1 || m > 12 || d < 1 || d > days_in_month(y, m)) {
    in.ok = false;
    return 0;
  }
  return days_from_civil(y, m, d);
}

int64_t scan_fraction(Scanner& in) {
  int64_t micros = 0, unit = 100'000;
  size_t n = 0;
  for (; n < in.rest.size() && in.rest[n] >= '0' && in.rest[n] <= '9'; ++n) {
    micros += (in.rest[n] - '0') * unit;
    unit /= 10;
  }
  if (n == 0 || n > 9) in.ok = false;
  in.rest.remove_prefix(n);
  return micros;
}

int64_t scan_time(Scanner& in) {
  const unsigned h = in.digits(2);
  in.expect(':');
  const unsigned m = in.digits(2);
  unsigned s = 0;
  int64_t micros = 0;
  if (in.take(':')) {
    s = in.digits(2);
    if (in.take('.')) micros = scan_fraction(in);
  }
  if (!in.ok || h > 23 || m > 59 || s > 59) {
    in.ok = false;
    return 0;
  }
  return (int64_t{h} * 3600 + m * 60 + s) * kSecond + micros;
}

// Z, +hh:mm, +hhmm or +hh; microseconds east of UTC.
std::optional<int64_t> scan_zone(Scanner& in) {
  if (in.rest.empty()) return std::nullopt;
  if (in.take('Z') || in.take('z')) return 0;
  const bool west = in.take('-');
  if (!west && !in.take('+')) in.ok = false;
  const unsigned h = in.digits(2);
  unsigned m = 0;
  if (in.take(':') || !in.rest.empty()) m = in.digits(2);
  if (!in.ok || h > 18 || m > 59) return void(in.ok = false), std::nullopt;
  const int64_t offset = (int64_t{h} * 3600 + m * 60) * kSecond;
  return west ? -offset : offset;
}

constexpr auto kPairs = [] {
  std::array<std::array<char, 2>, 100> pairs{};
  for (size_t i = 0; i < pairs.size(); ++i)
    pairs[i] = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
  return pairs;
}();

char* write_pair(char* out, unsigned value) {
  return std::copy(kPairs[value].begin(), kPairs[value].end(), out);
}

// Four digits; past them ISO 8601's expanded form with a sign, so that no value reads as another.
char* write_year(char* out, int64_t year) {
  const auto digits = static_cast<unsigned>(year < 0 ? -year : year);
  if (year < 0) *out++ = '-';
  if (digits <= 9999) return write_pair(write_pair(out, digits / 100), digits % 100);
  if (year > 0) *out++ = '+';
  return std::to_chars(out, out + 10, digits).ptr;
}

template <class Write>
std::string text_of(Write write) {
  std::array<char, kLongestTimeText> text;
  return {text.data(), write(text.data())};
}

// Most decimals: divisions of 64 bits take a tenth of the time of those of 128.
std::string format_small_decimal(int64_t unscaled, int32_t scale) {
  std::array<char, 64> text;  // a sign, a point, 39 digits
  char* const end = text.data() + text.size();
  char* at = end;
  auto left = unscaled < 0 ? 0 - static_cast<uint64_t>(unscaled) : static_cast<uint64_t>(unscaled);
  for (int32_t digits = 0; left != 0 || digits <= scale; ++digits, left /= 10) {
    if (digits == scale && scale > 0) *--at = '.';
    *--at = static_cast<char>('0' + left % 10);
  }
  if (unscaled < 0) *--at = '-';
  return {at, end};
}

}  // namespace

std::optional<ParsedTimestamp> parse_timestamp(std::string_view text) {
  Scanner in{text};
  int64_t micros = scan_date(in) * kDay;
  if (in.ok && in.rest.empty()) return ParsedTimestamp{micros, false};
  if (!in.take('T') && !in.take(' ') && !in.take('t')) return std::nullopt;
  micros += scan_time(in);
  if (in.rest.size() > 1) in.take(' ');
  const auto zone = scan_zone(in);
  if (!in.ok || !in.rest.empty()) return std::nullopt;
  return ParsedTimestamp{micros - zone.value_or(0), zone.has_value()};
}

std::optional<int32_t> parse_date(std::string_view text) {
  Scanner in{text};
  const int64_t days = scan_date(in);
  if (!in.ok || !in.rest.empty()) return std::nullopt;
  return static_cast<int32_t>(days);
}

std::optional<int64_t> parse_time(std::string_view text) {
  Scanner in{text};
  const int64_t micros = scan_time(in);
  if (!in.ok || !in.rest.empty()) return std::nullopt;
  return micros;
}

char* write_date(char* out, int32_t days) {
  const Civil date = civil_from_days(days);
  out = write_year(out, date.year);
  *out++ = '-';
  out = write_pair(out, date.month);
  *out++ = '-';
  return write_pair(out, date.day);
}

char* write_time(char* out, int64_t micros) {
  const auto seconds = static_cast<unsigned>(micros / kSecond);
  out = write_pair(out, seconds / 3600 % 100);
  *out++ = ':';
  out = write_pair(out, seconds / 60 % 60);
  *out++ = ':';
  out = write_pair(out, seconds % 60);
  if (const auto fraction = static_cast<unsigned>(micros % kSecond)) {
    *out++ = '.';
    out = write_pair(out, fraction / 10'000 % 100);
    out = write_pair(out, fraction / 100 % 100);
    out = write_pair(out, fraction % 100);
  }
  return out;
}

char* write_timestamp(char* out, int64_t micros, bool utc) {
  const int64_t rest = micros % kDay;
  out = write_date(out, static_cast<int32_t>(micros / kDay - (rest < 0)));
  *out++ = 'T';
  out = write_time(out, rest < 0 ? rest + kDay : rest);
  if (utc) *out++ = 'Z';
  return out;
}

void append_date(std::string& out, int32_t days) { out += format_date(days); }

void append_timestamp(std::string& out, int64_t micros, bool utc) {
  std::array<char, kLongestTimeText> text;
  out.append(text.data(), write_timestamp(text.data(), micros, utc));
}

std::string format_timestamp(int64_t micros, bool utc) {
  return text_of([&](char* out) { return write_timestamp(out, micros, utc); });
}

std::string format_date(int32_t days) {
  return text_of([&](char* out) { return write_date(out, days); });
}

std::string format_time(int64_t micros) {
  return text_of([&](char* out) { return write_time(out, micros); });
}

std::optional<Int128> parse_decimal(std::string_view text, int32_t precision, int32_t scale) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Int128 value = 0;
  int32_t digits = 0, fraction = -1;
  bool any = false;
  for (const char c : text) {
    if (c == '.' && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    any = true;
    if (fraction >= scale && fraction >= 0) {
      if (c != '0') return std::nullopt;
      continue;
    }
    if ((value != 0 || c != '0') && ++digits > precision) return std::nullopt;
    value = value * 10 + (c - '0');
    if (fraction >= 0) ++fraction;
  }
  for (int32_t i = std::max(fraction, 0); i < scale; ++i) {
    if (value != 0 && ++digits > precision) return std::nullopt;
    value *= 10;
  }
  if (!any) return std::nullopt;
  return negative ? -value : value;
}

std::string format_decimal(Int128 unscaled, int32_t scale) {
  if (unscaled > INT64_MIN && unscaled <= INT64_MAX)
    return format_small_decimal(static_cast<int64_t>(unscaled), scale);
  const bool negative = unscaled < 0;
  std::string digits;
  for (auto left = unscaled; left != 0; left /= 10) {  // not negated: the smallest has no opposite
    const auto digit = static_cast<int>(left % 10);
    digits += static_cast<char>('0' + (negative ? -digit : digit));
  }
  while (digits.size() <= static_cast<size_t>(scale)) digits += '0';
  std::string out = negative ? "-" : "";
  for (size_t i = digits.size(); i-- > 0;) {
    out += digits[i];
    if (i == static_cast<size_t>(scale) && scale > 0) out += '.';
  }
  return out;
}

}  // namespace patchbay
