// The header of a gzip member, RFC 1952 2.3. ISA-L reads headers as well, but miscounts the
// checksum of one that comes in pieces.
#pragma once

#include <cstdint>
#include <string_view>

namespace patchbay {

class GzipHeader {
 public:
  enum class State { kMore, kWhole, kBroken };

  // Takes the header's bytes off the front of `in`.
  State take(std::string_view& in);
  bool begun() const { return begun_; }

 private:
  enum class Part { kFixed, kExtraSize, kExtra, kName, kComment, kChecksum, kEnd };

  bool put(uint8_t byte);  // false: not what a header has there
  bool put_fixed(uint8_t byte);
  void next_part();

  Part part_ = Part::kFixed;
  uint32_t at_ = 0;  // in the part
  uint32_t extra_size_ = 0, sum_ = 0, expected_sum_ = 0;
  uint8_t flags_ = 0;
  bool begun_ = false;
};

}  // namespace patchbay
