// Streams of objects through a filter of bytes.
#pragma once

#include "byte_filter.h"
#include "patchbay/plugin.h"

namespace patchbay {

struct ObjectFilter {
  MakeFilter make;
  std::function<std::string(std::string_view key)> rename;  // the new object's key
  double max_ratio = 0;                                     // bytes out for one byte in; 0 = any
};

// Objects of a stream follow each other, the streams of an edge may mix. Memory: a chunk and a
// filter per stream. `filter` outlives the reader.
std::unique_ptr<Reader> filter_objects(const ObjectFilter& filter, Input input);

}  // namespace patchbay
