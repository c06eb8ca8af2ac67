// Batches as rows of COPY .. FROM STDIN.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "field_encoder.h"
#include "patchbay/batch.h"

namespace patchbay {

// How the fields of a stream go into the columns of a table: binary where that form is known for
// all of them, else as text.
class CopyEncoder {
 public:
  struct Pair {
    size_t field;  // of the stream
    PgColumn column;
  };
  CopyEncoder(SchemaPtr stream, std::vector<Pair> pairs);

  bool binary() const { return binary_; }
  std::string_view header() const;   // before the first row
  std::string_view trailer() const;  // after the last

 private:
  friend class RowEncoder;
  SchemaPtr stream_;
  std::vector<Pair> pairs_;
  std::vector<MakeEncoder> encoders_;  // binary: one per pair
  bool binary_ = true;
};

// The rows of one batch. Borrows both.
class RowEncoder {
 public:
  RowEncoder(const CopyEncoder& encoder, const Batch& batch);
  // Appends a row; or nothing, and says why with the column's name in front.
  std::string append(WireBuffer& out, int64_t row) const;

 private:
  const CopyEncoder& encoder_;
  std::vector<std::unique_ptr<FieldEncoder>> columns_;
};

}  // namespace patchbay
