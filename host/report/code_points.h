// UTF-8, character by character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace patchbay::host {

struct CodePoint {
  uint32_t value;  // of a byte that is no UTF-8: the byte
  size_t bytes;
  bool valid;
};

// The first of `text`, which is not empty. Allocates nothing: a signal handler may call it.
CodePoint first_code_point(std::string_view text);

// Characters that control a terminal, end a line or turn the direction of what follows: shown, they
// make one text look like another. CWE-150, https://cwe.mitre.org/data/definitions/150.html, and
// https://trojansource.codes for the directions.
constexpr bool is_control(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

}  // namespace patchbay::host
