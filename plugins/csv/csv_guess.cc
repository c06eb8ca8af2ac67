#include "csv_guess.h"

#include <charconv>

#include "patchbay/time.h"

namespace patchbay {
namespace {

template <class T>
bool parses(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool has_leading_zero(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

bool looks_numeric(std::string_view text) {
  return text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

}  // namespace

void TypeGuess::see(std::string_view value) {
  any_ = true;
  const bool code = has_leading_zero(value) || !looks_numeric(value);
  integer_ = integer_ && !code && parses<int64_t>(value);
  number_ = number_ && !code && parses<double>(value);
  boolean_ = boolean_ && (value == "true" || value == "false");
  date_ = date_ && parse_date(value).has_value();
  const auto stamp = timestamp_ ? parse_timestamp(value) : std::nullopt;
  timestamp_ = timestamp_ && stamp;
  zoned_ = zoned_ && stamp && stamp->has_zone;
}

Type TypeGuess::type() const {
  if (!any_) return scalar(TypeId::kUtf8);
  if (integer_) return scalar(TypeId::kInt64);
  if (number_) return scalar(TypeId::kFloat64);
  if (boolean_) return scalar(TypeId::kBool);
  if (date_) return scalar(TypeId::kDate32);
  if (timestamp_) return timestamp(zoned_ ? "UTC" : "");
  return scalar(TypeId::kUtf8);
}

}  // namespace patchbay
