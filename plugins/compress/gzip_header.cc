#include "gzip_header.h"

#include <isa-l/crc.h>

namespace patchbay {
namespace {

constexpr uint8_t kHasChecksum = 2, kHasExtra = 4, kHasName = 8, kHasComment = 16, kReserved = 224;
constexpr uint32_t kFixedSize = 10;

}  // namespace

GzipHeader::State GzipHeader::take(std::string_view& in) {
  while (part_ != Part::kEnd) {
    if (in.empty()) return State::kMore;
    const auto byte = static_cast<uint8_t>(in[0]);
    in.remove_prefix(1);
    begun_ = true;
    if (!put(byte)) return State::kBroken;
  }
  return State::kWhole;
}

bool GzipHeader::put(uint8_t byte) {
  if (part_ != Part::kChecksum) sum_ = crc32_gzip_refl(sum_, &byte, 1);
  switch (part_) {
    case Part::kFixed:
      return put_fixed(byte);
    case Part::kExtraSize:
      extra_size_ |= uint32_t{byte} << (8 * at_);
      if (++at_ == 2) next_part();
      return true;
    case Part::kExtra:
      if (++at_ == extra_size_) next_part();
      return true;
    case Part::kName:
    case Part::kComment:
      if (byte == 0) next_part();
      return true;
    default:
      expected_sum_ |= uint32_t{byte} << (8 * at_);
      if (++at_ < 2) return true;
      next_part();
      return expected_sum_ == (sum_ & 0xffff);
  }
}

bool GzipHeader::put_fixed(uint8_t byte) {
  constexpr uint8_t kBegin[] = {0x1f, 0x8b, 8};  // magic, and deflate as the method
  const uint32_t at = at_++;
  if (at < sizeof kBegin) return byte == kBegin[at];
  if (at == 3) flags_ = byte;
  if (at_ == kFixedSize) next_part();
  return (flags_ & kReserved) == 0;
}

// The next part that the flags say is there.
void GzipHeader::next_part() {
  at_ = 0;
  if (part_ < Part::kExtraSize && (flags_ & kHasExtra)) {
    part_ = Part::kExtraSize;
  } else if (part_ == Part::kExtraSize && extra_size_ > 0) {
    part_ = Part::kExtra;
  } else if (part_ < Part::kName && (flags_ & kHasName)) {
    part_ = Part::kName;
  } else if (part_ < Part::kComment && (flags_ & kHasComment)) {
    part_ = Part::kComment;
  } else if (part_ < Part::kChecksum && (flags_ & kHasChecksum)) {
    part_ = Part::kChecksum;
  } else {
    part_ = Part::kEnd;
  }
}

}  // namespace patchbay
