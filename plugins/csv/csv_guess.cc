#include "csv_guess.h"

#include <algorithm>
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

}  // namespace patchbay
