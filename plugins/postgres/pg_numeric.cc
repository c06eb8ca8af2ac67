#include "pg_numeric.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace patchbay {
namespace {

__extension__ typedef unsigned __int128 Uint128;

// numeric counts in groups of four digits, from the decimal point in both directions.
constexpr int kGroupDigits = 4;
constexpr int kGroup = 10'000;
constexpr uint16_t kPositive = 0, kNegative = 0x4000;

constexpr std::array<Int128, 39> make_powers() {
  std::array<Int128, 39> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr auto kPowers = make_powers();

Int128 power(int exponent) { return kPowers[static_cast<size_t>(exponent)]; }

struct Groups {
  std::array<int16_t, 12> digits{};  // least significant first
  int low = 0, high = 0;             // those that are not zero at either end: [low, high)
  int fraction = 0;                  // digits[fraction - 1] is the first after the point
};

template <class T>
void split_whole(T magnitude, Groups& out) {
  for (; magnitude != 0; magnitude /= kGroup)
    out.digits[static_cast<size_t>(out.high++)] = static_cast<int16_t>(magnitude % kGroup);
}

Groups split(Uint128 magnitude, int32_t scale) {
  Groups out;
  out.fraction = (scale + kGroupDigits - 1) / kGroupDigits;
  if (const int odd = scale % kGroupDigits; odd != 0) {  // its group is filled up with zeros
    const auto unit = static_cast<Uint128>(power(odd));
    out.digits[0] = static_cast<int16_t>(static_cast<int>(magnitude % unit) *
                                         static_cast<int>(power(kGroupDigits - odd)));
    magnitude /= unit;
    out.high = 1;
  }
  if (magnitude <= UINT64_MAX) {
    split_whole(static_cast<uint64_t>(magnitude), out);
  } else {
    split_whole(magnitude, out);
  }
  while (out.high > 0 && out.digits[static_cast<size_t>(out.high - 1)] == 0) --out.high;
  while (out.low < out.high && out.digits[static_cast<size_t>(out.low)] == 0) ++out.low;
  return out;
}

// A scale may be negative (whole thousands) or beyond the precision (small fractions).
const char* misfit(Int128 unscaled, int32_t scale, int32_t to_precision, int32_t to_scale) {
  if (to_precision <= 0 || unscaled == 0) return nullptr;
  const int dropped = scale - to_scale;
  if (dropped > 38 || (dropped > 0 && unscaled % power(dropped) != 0))
    return "has more digits after the point than the column";
  const int digits = to_precision - to_scale + scale;  // that fit
  const Int128 magnitude = unscaled < 0 ? -unscaled : unscaled;
  if (digits <= 0 || (digits < 39 && magnitude >= power(digits)))
    return "has more digits before the point than the column";
  return nullptr;
}

}  // namespace

const char* append_numeric(WireBuffer& out, Int128 unscaled, int32_t scale, int32_t to_precision,
                           int32_t to_scale) {
  if (const char* why = misfit(unscaled, scale, to_precision, to_scale)) return why;
  const bool negative = unscaled < 0;
  const Groups groups =
      split(negative ? Uint128{0} - static_cast<Uint128>(unscaled) : static_cast<Uint128>(unscaled),
            scale);
  const int count = groups.high - groups.low;
  char* at = out.extend(12 + 2 * static_cast<size_t>(count));
  set_wire(at, static_cast<int32_t>(8 + 2 * count));
  set_wire(at + 4, static_cast<int16_t>(count));
  set_wire(at + 6, static_cast<int16_t>(count == 0 ? 0 : groups.high - 1 - groups.fraction));
  set_wire(at + 8, negative ? kNegative : kPositive);
  set_wire(at + 10, static_cast<int16_t>(scale));
  at += 12;
  for (int i = groups.high; i-- > groups.low; at += 2)
    set_wire(at, groups.digits[static_cast<size_t>(i)]);
  return nullptr;
}

std::optional<Int128> parse_numeric(std::string_view field, int32_t precision, int32_t scale) {
  if (field.size() < 8) return std::nullopt;
  const int count = get_wire<int16_t>(field.data());
  const int weight = get_wire<int16_t>(field.data() + 2);
  const auto sign = get_wire<uint16_t>(field.data() + 4);
  if (sign != kPositive && sign != kNegative) return std::nullopt;
  if (count < 0 || field.size() != 8 + 2 * static_cast<size_t>(count)) return std::nullopt;
  Int128 value = 0;
  int exponent = 0;  // of the last group's lowest digit, in units of 10^-scale
  for (int i = 0; i < count; ++i) {
    const int digit = get_wire<int16_t>(field.data() + 8 + 2 * i);
    exponent = kGroupDigits * (weight - i) + scale;
    const int cut = exponent < 0 ? std::min(-exponent, kGroupDigits) : 0;
    const auto unit = static_cast<int>(power(cut));
    if (digit < 0 || digit >= kGroup || digit % unit != 0) return std::nullopt;
    if (__builtin_mul_overflow(value, power(kGroupDigits - cut), &value)) return std::nullopt;
    value += digit / unit;
  }
  if (exponent > 0 && value != 0) {
    if (exponent > 38 || __builtin_mul_overflow(value, power(exponent), &value))
      return std::nullopt;
  }
  if (precision < 39 && value >= power(precision)) return std::nullopt;
  return sign == kNegative ? -value : value;
}

}  // namespace patchbay
