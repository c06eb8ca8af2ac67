#include "report/code_points.h"

namespace patchbay::host {

CodePoint first_code_point(std::string_view text) {
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1, true};
  const size_t n = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (n == 1 || first >= 0xf8 || n > text.size()) return {first, 1, false};
  uint32_t value = first & (0xff >> (n + 1));
  for (size_t i = 1; i < n; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {first, 1, false};
    value = value << 6 | (next & 0x3f);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kLeast[n] || value > 0x10ffff || surrogate) return {first, 1, false};
  return {value, n, true};
}

}  // namespace patchbay::host
