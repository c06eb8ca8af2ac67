// Fields of a block into the columns of a batch.
#pragma once

#include <cstdint>
#include <vector>

#include "csv_scanner.h"
#include "patchbay/builder.h"

namespace patchbay {

// The fields `at` of all rows into one column. Rows whose field is no value of the column's type
// get null and are appended to `bad`. What is_null of the dialect and, in columns that are no text,
// an empty field say is null.
class CsvColumn {
 public:
  explicit CsvColumn(const Type& type);
  void fill(const CsvBlock& block, size_t at, const CsvDialect& dialect, ColumnBuilder& column,
            std::vector<uint32_t>& bad) const {
    fill_(type_, {block, at, dialect}, column, bad);
  }

 private:
  struct Fields {
    const CsvBlock& block;
    size_t at;
    const CsvDialect& dialect;
  };
  struct Fillers;
  using Fill = void (*)(const Type&, const Fields&, ColumnBuilder&, std::vector<uint32_t>& bad);

  Type type_;
  Fill fill_;
};

}  // namespace patchbay
