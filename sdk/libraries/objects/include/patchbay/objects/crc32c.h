// CRC-32C (Castagnoli; RFC 3720, B.4), as object stores give it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchbay {

class Crc32c {
 public:
  void add(std::string_view bytes);
  uint32_t value() const { return ~state_; }
  std::string base64() const;  // of the four bytes, the highest first

 private:
  uint32_t state_ = ~uint32_t{0};
};

}  // namespace patchbay
