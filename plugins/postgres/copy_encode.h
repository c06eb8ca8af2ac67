// Batches as rows of COPY .. FROM STDIN.
// https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4 and the types' receive
// functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/batch.h"
#include "pg_type.h"

namespace patchbay {

// One column's values as binary fields, length in front. A value that the column can't hold has a
// reason.
class FieldEncoder {
 public:
  virtual ~FieldEncoder() = default;
  // Appends the field; or nothing, and says why.
  virtual const char* append(std::string& out, int64_t row) const = 0;
};

// Null where no binary form is known for this pair: then the whole stream goes as text.
using MakeEncoder = std::unique_ptr<FieldEncoder> (*)(const Type&, const PgType&, const ArrowArray&,
                                                      int64_t offset, int64_t length);
MakeEncoder find_encoder(const Type& from, const PgType& to);

// The rows of one batch, encoded, those that can't be left out.
struct CopyRows {
  std::string data;
  std::vector<size_t> ends;   // of each row in data
  std::vector<int64_t> rows;  // of the batch
  size_t size() const { return rows.size(); }
  std::string_view slice(size_t from, size_t to) const {
    const size_t begin = from == 0 ? 0 : ends[from - 1];
    return std::string_view(data).substr(begin, (to == 0 ? 0 : ends[to - 1]) - begin);
  }
};

struct RefusedRow {
  int64_t row;  // of the batch
  std::string reason;
};

// How the fields of a stream go into the columns of a table.
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
  // Appends refused rows to `refused`.
  CopyRows encode(const Batch& batch, std::vector<RefusedRow>& refused) const;

 private:
  void encode_binary(const Batch& batch, CopyRows& out, std::vector<RefusedRow>& refused) const;
  void encode_text(const Batch& batch, CopyRows& out) const;

  SchemaPtr stream_;
  std::vector<Pair> pairs_;
  std::vector<MakeEncoder> encoders_;
  bool binary_ = true;
};

}  // namespace patchbay
