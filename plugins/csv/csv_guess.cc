#include "csv_guess.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "patchbay/text_value.h"
#include "patchbay/time.h"

namespace patchbay {
namespace {

constexpr int32_t kMostFraction = 9;      // what BigQuery's NUMERIC holds
constexpr int32_t kCommonPrecision = 15;  // what a double gives back as it was
constexpr int32_t kMostPrecision = 38;

template <class T>
bool parses(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr int kRowsToCompare = 100;
using Tally = std::array<int, kCommonDelimiters.size()>;

// How often each delimiter stands outside quotes in the record that `text` begins with, which is
// taken off it.
Tally count_delimiters(std::string_view& text, const CsvDialect& dialect) {
  Tally counts{};
  bool open = false, begins = true;  // a quote; a field
  size_t at = 0;
  for (; at < text.size() && (open || (text[at] != '\n' && text[at] != '\r')); ++at) {
    const char c = text[at];
    if (c == dialect.quote && dialect.quote != 0) {
      open = !open && begins;
      begins = false;
      continue;
    }
    if (c == dialect.escape && c != 0) {
      at += open || dialect.quote == 0;
      continue;
    }
    const size_t which = open ? std::string_view::npos : kCommonDelimiters.find(c);
    begins = which != std::string_view::npos;
    if (begins) ++counts[which];
  }
  text.remove_prefix(std::min(at, text.size()));
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  return counts;
}

}  // namespace

void TypeGuess::see(std::string_view value) {
  any_ = true;
  if (number_) see_number(value);
  boolean_ = boolean_ && (equals_folded(value, "true") || equals_folded(value, "false"));
  date_ = date_ && parse_date(value).has_value();
  if (!timestamp_) return;
  const auto stamp = parse_timestamp(value);
  timestamp_ = stamp.has_value();
  if (stamp) (stamp->has_zone ? zoned_ : local_) = true;
}

void TypeGuess::see_number(std::string_view value) {
  std::string_view digits = value;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const auto whole = static_cast<size_t>(std::find_if_not(digits.begin(), digits.end(), is_digit) -
                                         digits.begin());
  const bool code = digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]);
  if (whole == 0 || code || value.find_first_not_of("0123456789.eE+-") != std::string_view::npos ||
      !parses<double>(value)) {
    number_ = false;
    return;
  }
  const std::string_view rest = digits.substr(whole);
  integer_ = integer_ && rest.empty();
  plain_ = plain_ && (rest.empty() || (rest[0] == '.' && rest.size() > 1 &&
                                       std::all_of(rest.begin() + 1, rest.end(), is_digit)));
  whole_digits_ = std::max(whole_digits_, static_cast<int32_t>(std::min(whole, size_t{1000})));
  if (rest.size() > 1)
    fraction_digits_ =
        std::max(fraction_digits_, static_cast<int32_t>(std::min(rest.size() - 1, size_t{1000})));
  fits_ = fits_ && (!rest.empty() || parses<int64_t>(value));
}

Type TypeGuess::type() const {
  if (!any_) return scalar(TypeId::kUtf8);
  if (number_) {
    if (integer_ && fits_) return scalar(TypeId::kInt64);
    const int32_t digits = whole_digits_ + fraction_digits_;
    if (plain_ && fraction_digits_ <= kMostFraction && digits <= kMostPrecision)
      return decimal(digits <= kCommonPrecision ? kCommonPrecision : kMostPrecision,
                     fraction_digits_);
    return scalar(integer_ ? TypeId::kUtf8 : TypeId::kFloat64);
  }
  if (boolean_) return scalar(TypeId::kBool);
  if (date_) return scalar(TypeId::kDate32);
  if (timestamp_ && zoned_ != local_) return timestamp(zoned_ ? "UTC" : "");
  return scalar(TypeId::kUtf8);
}

char guess_delimiter(std::string_view text, const CsvDialect& dialect) {
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  const Tally header = count_delimiters(text, dialect);
  const auto is_there = [](int count) { return count > 0; };
  const auto found = std::find_if(header.begin(), header.end(), is_there);
  if (found == header.end() || std::any_of(found + 1, header.end(), is_there))
    return dialect.delimiter;
  const auto which = static_cast<size_t>(found - header.begin());
  int alike = 0, rows = 0;
  for (; rows < kRowsToCompare && !text.empty(); ++rows)
    alike += count_delimiters(text, dialect)[which] == *found;
  return 2 * alike >= rows ? kCommonDelimiters[which] : dialect.delimiter;
}

}  // namespace patchbay
