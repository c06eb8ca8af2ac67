// Batches: Arrow struct arrays with their schema, moved, never copied.
#pragma once

#include <cstdint>

#include "patchbay/type.h"

namespace patchbay {

// Owns one Arrow array; releases it on destruction.
class Array {
 public:
  Array() : array_{} {}
  explicit Array(ArrowArray* moved);  // leaves *moved released
  Array(Array&& other) noexcept;
  Array& operator=(Array&& other) noexcept;
  ~Array();

  const ArrowArray& get() const { return array_; }
  void move_to(ArrowArray* out);  // this becomes empty
  explicit operator bool() const { return array_.release != nullptr; }

 private:
  ArrowArray array_;
};

// A batch of one stream. Movable only.
class Batch {
 public:
  Batch() = default;
  Batch(SchemaPtr schema, Array array) : schema_(std::move(schema)), array_(std::move(array)) {}

  const SchemaPtr& schema() const { return schema_; }
  int64_t rows() const { return array_ ? array_.get().length : 0; }
  int64_t bytes() const;  // of the parts of the buffers that these rows use
  const ArrowArray& array() const { return array_.get(); }
  Array take() { return std::move(array_); }

  // Rows [offset, offset + length) without copying; this batch stays usable and shares the buffers.
  // Throws kInternal for rows that it does not have.
  Batch slice(int64_t offset, int64_t length);
  Batch rows_at(const std::vector<int64_t>& rows) const;  // these rows, in this order, copied

 private:
  SchemaPtr schema_;
  Array array_;
};

// Checks what a foreign array promises against the schema: lengths, offsets, buffers present,
// monotone string offsets, no nulls at top level. O(columns) plus the offsets. Throws Error kData
// with the column's path.
void validate(const Schema& schema, const ArrowArray& array);

// The columns of a struct array as separate arrays, and back, without copying: renaming, dropping
// and reordering.
std::vector<Array> split_columns(Array array);
Array join_columns(std::vector<Array> columns, int64_t rows);

// Row `row` as compact JSON text, with the names of the schema: what rejects and previews show.
// bytes are base64, timestamps ISO 8601, decimals strings.
std::string row_to_json(const Schema& schema, const ArrowArray& array, int64_t row);

}  // namespace patchbay
