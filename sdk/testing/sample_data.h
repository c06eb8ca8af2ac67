// Rows and files that any component may be tried with.
#pragma once

#include <json/value.h>

#include <string>
#include <utility>
#include <vector>

#include "patchbay/batch.h"

namespace patchbay::test {

// Enough for a buffer that is still poisoned when the heap has it back.
inline constexpr int64_t kSampleBatchRows = 8;

// A stream and its content; batches can be had as often as needed.
struct Sample {
  std::string what;  // "rows", "the object a.csv"
  SchemaPtr schema;
  std::vector<std::pair<std::string, std::string>> objects;  // key and text; empty = rows

  std::vector<Batch> batches() const;
};

// The given objects, {"key": "text"}; without them rows, then small files of common formats.
std::vector<Sample> samples(const Json::Value& objects);

}  // namespace patchbay::test
