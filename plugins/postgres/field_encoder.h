// One column's values as fields of COPY .. FROM STDIN (FORMAT binary).
// https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4 and the types' receive
// functions.
#pragma once

#include <cstdint>
#include <memory>

#include "pg_type.h"
#include "wire.h"

namespace patchbay {

class FieldEncoder {
 public:
  virtual ~FieldEncoder() = default;
  // Appends the field, its length in front; or says why the column can't hold the value: then the
  // buffer's end is undefined.
  virtual const char* append(WireBuffer& out, int64_t row) const = 0;
};

// A column of a batch: rows [offset, offset + length) of an array, which outlives its encoder.
struct ColumnOfBatch {
  const Type& type;
  const ArrowArray& array;
  int64_t offset, length;
};

// Null where no binary form is known for this pair.
using MakeEncoder = std::unique_ptr<FieldEncoder> (*)(const ColumnOfBatch&, const PgType&);
MakeEncoder find_encoder(const Type& from, const PgType& to);

// Lists and structs: in a json or jsonb column, or lists in an array.
MakeEncoder find_nested_encoder(const Type& from, const PgType& to);

inline constexpr const char* kNul = "holds a NUL character, which PostgreSQL can't store";

}  // namespace patchbay
