#include "patchbay/objects/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

#include "patchbay/json_text.h"

namespace patchbay {

void Crc32c::add(std::string_view bytes) {
  constexpr size_t kMost = 1 << 30;  // the length is an int
  while (!bytes.empty()) {
    const size_t size = std::min(bytes.size(), kMost);
    // The function reads only, whatever its signature says.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    state_ = crc32_iscsi(data, static_cast<int>(size), state_);
    bytes.remove_prefix(size);
  }
}

std::string Crc32c::base64() const {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value() >> shift & 0xff);
  return patchbay::base64(bytes);
}

}  // namespace patchbay
