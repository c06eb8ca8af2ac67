// gzip, RFC 1952, through ISA-L.
#pragma once

#include "byte_filter.h"

namespace patchbay {

// Any number of members, each checked against its checksum and length. Behind the last one zeros
// are padding; other bytes are Error kData.
std::unique_ptr<ByteFilter> gzip_decoder(std::string name);

// One member without name and time, so that the same bytes give the same file. `level` is ISA-L's,
// 0 to 3.
std::unique_ptr<ByteFilter> gzip_encoder(uint32_t level);

}  // namespace patchbay
