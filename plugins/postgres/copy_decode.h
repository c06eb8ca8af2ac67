// Rows of COPY .. TO STDOUT (FORMAT binary) as batches.
#pragma once

#include <json/value.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/builder.h"
#include "pg_type.h"

namespace patchbay {

// Appends one field to a column. Returns why it can't be a value of the column's type: then nothing
// was appended.
using DecodeField = const char* (*)(const PgType&, const Type&, ColumnBuilder&, std::string_view);

class CopyDecoder {
 public:
  // `extra` fields follow those of the schema in each row. With `any_bytes` text is checked.
  CopyDecoder(SchemaPtr schema, const std::vector<PgColumn>& columns, size_t extra, bool any_bytes);

  // Rows are appended to this batch until the next one.
  void attach(BatchBuilder& batch);

  // A piece as libpq delivers it, without the file header; nothing for what holds no row. Throws
  // kData where the bytes are no binary COPY.
  std::optional<std::string_view> row_of(std::string_view piece);

  // Returns why the row can't be appended, with its column; nothing where it was.
  std::optional<std::string> append(std::string_view row, BatchBuilder& batch) const;
  // The fields behind those of the schema, as text; nothing for null.
  std::vector<std::optional<std::string>> extra_fields(std::string_view row) const;
  // What the row holds in the columns of the schema, whose names are `names` as digests take them.
  uint64_t digest(std::string_view row, const std::vector<uint64_t>& names) const;
  // The fields by column: text as it is, the rest as its bytes in base 16.
  Json::Value describe(std::string_view row) const;

 private:
  struct Column {
    PgType from;
    Type to;
    DecodeField decode;
    std::string name;
    ColumnBuilder* builder;
  };

  std::vector<Column> columns_;
  const size_t extra_;
  bool started_ = false;
};

}  // namespace patchbay
