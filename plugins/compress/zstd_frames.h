// Zstandard, RFC 8878, through libzstd.
#pragma once

#include "byte_filter.h"

namespace patchbay {

// Any number of frames, skippable ones left out, checksums verified. A frame may ask for a window
// of at most 2^window_log bytes, which is what it takes in memory.
std::unique_ptr<ByteFilter> zstd_decoder(std::string name, int window_log);

// One frame with a checksum.
std::unique_ptr<ByteFilter> zstd_encoder(int level);

}  // namespace patchbay
