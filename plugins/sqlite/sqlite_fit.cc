#include "sqlite_fit.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "patchbay/text_value.h"
#include "patchbay/view.h"

namespace patchbay {
namespace {

bool is_for_numbers(Affinity affinity) {
  return affinity == Affinity::kInteger || affinity == Affinity::kReal ||
         affinity == Affinity::kNumeric;
}

// SQLite prints 15 digits: https://www.sqlite.org/floatingpoint.html
std::string printed(double value) {
  std::array<char, 64> text{};
  sqlite3_snprintf(static_cast<int>(text.size()), text.data(), "%!.15g", value);
  return text.data();
}

// [spaces] sign digits [. digits] [e sign digits] [spaces], all of the text. Nothing else becomes a
// number: https://www.sqlite.org/datatype3.html#type_affinity
bool looks_like_number(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  const auto skip_sign = [&] {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  };
  const auto skip_digits = [&] {
    const size_t before = text.size();
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
    return before - text.size();
  };
  skip_sign();
  size_t digits = skip_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    skip_sign();
    if (skip_digits() == 0) return false;
  }
  return text.empty();
}

template <class V>
FitsColumn integers_fit(V view) {
  return [view](int64_t row) {
    if (view.is_null(row)) return true;
    const auto value = static_cast<int64_t>(view[row]);
    const auto real = static_cast<double>(value);
    return std::abs(real) < 0x1p63 && static_cast<int64_t>(real) == value;
  };
}

template <class V>
FitsColumn reals_fit(Affinity affinity, V view) {
  const bool as_text = affinity == Affinity::kText;
  return [view, as_text](int64_t row) {
    if (view.is_null(row)) return true;
    const auto value = static_cast<double>(view[row]);
    if (std::isnan(value)) return false;  // SQLite would store NULL
    return !as_text || std::strtod(printed(value).c_str(), nullptr) == value;
  };
}

// At most 15 digits, which a double gives back, or a whole number that SQLite has.
bool digits_fit(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  std::string digits;
  const bool has_point = text.find('.') != text.npos;
  for (const char c : text) {
    if (c != '.' && !(digits.empty() && c == '0')) digits += c;
  }
  while (has_point && digits.ends_with('0')) digits.pop_back();
  return digits.size() <= 15 || (!has_point && digits.size() <= 18);
}

FitsColumn texts_fit(Affinity affinity, const Type& type, const ArrowArray& array, int64_t offset,
                     int64_t length) {
  const bool decimal = type.id == TypeId::kDecimal128;
  const std::shared_ptr<TextColumn> column = text_column(type, array, offset, length);
  return [affinity, decimal, column, text = std::string()](int64_t row) mutable {
    if (column->is_null(row)) return true;
    text.clear();
    column->append(text, row);
    return decimal ? digits_fit(text) : number_keeps_text(affinity, text);
  };
}

}  // namespace

bool number_keeps_text(Affinity affinity, const std::string& text) {
  if (!looks_like_number(text)) return true;  // it stays text
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (affinity != Affinity::kReal && error == std::errc() && end == text.data() + text.size())
    return std::to_string(whole) == text;
  const double value = std::strtod(text.c_str(), nullptr);
  const bool becomes_whole =
      affinity != Affinity::kReal && std::abs(value) < 0x1p63 && std::trunc(value) == value;
  return !becomes_whole && printed(value) == text;
}

bool may_change(Affinity affinity, const Type& type) {
  switch (type.id) {
    case TypeId::kInt64:
      return affinity == Affinity::kReal;
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return affinity == Affinity::kText;
    case TypeId::kUtf8:
    case TypeId::kUint64:
      return is_for_numbers(affinity);
    case TypeId::kDecimal128:
      return is_for_numbers(affinity) && type.precision > 15;
    default:
      return false;
  }
}

FitsColumn fits_column(Affinity affinity, const Type& type, const ArrowArray& array, int64_t offset,
                       int64_t length) {
  switch (type.id) {
    case TypeId::kFloat32:
      return reals_fit(affinity, Float32View(type, array, offset, length));
    case TypeId::kFloat64:
      return reals_fit(affinity, Float64View(type, array, offset, length));
    case TypeId::kInt64:
      if (!may_change(affinity, type)) return {};
      return integers_fit(Int64View(type, array, offset, length));
    default:
      if (!may_change(affinity, type)) return {};
      return texts_fit(affinity, type, array, offset, length);
  }
}

}  // namespace patchbay
