// Rows without a key, which no sink that upserts may take: null equals nothing.
#pragma once

#include <string>
#include <vector>

#include "patchbay/call.h"
#include "patchbay/tables/names.h"

namespace patchbay::tables {

// One for each writer.
class NullKeys {
 public:
  // `keys` empty = no row is refused. Throws kConfig where the stream lacks a key.
  NullKeys(SchemaPtr stream, const NamePolicy& policy, const std::vector<std::string>& keys);

  // Refuses, row by row, those of which a key is null; returns the others.
  Batch without(Call& call, Batch batch) const;

 private:
  SchemaPtr stream_;
  std::vector<size_t> fields_;
};

}  // namespace patchbay::tables
