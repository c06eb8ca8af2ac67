// gzip, RFC 1952, through ISA-L.
#pragma once

#include "byte_filter.h"

namespace patchbay {

// Any number of members, each checked against its checksum and length. What follows the last one
// goes as gzip(1) has it: zeros are padding, other bytes are left out with a warning.
std::unique_ptr<ByteFilter> gzip_decoder(std::string name);

// One member without name and time, so that the same bytes give the same file. `level` is ISA-L's,
// 0 to 3.
std::unique_ptr<ByteFilter> gzip_encoder(uint32_t level);

}  // namespace patchbay
