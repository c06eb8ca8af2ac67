// Blocks of records to batches of rows.
#pragma once

#include <string>
#include <vector>

#include "csv_columns.h"
#include "patchbay/call.h"

namespace patchbay {

// How one file's records become rows of its stream.
struct CsvPlan {
  const CsvDialect& dialect;
  std::string file;
  SchemaPtr schema;
  std::vector<std::string> names;  // the file's columns
  std::vector<CsvColumn> columns;  // of the schema
  std::vector<int> places;         // of the schema's columns among the file's; -1 = none: null
  std::vector<bool> guessed;       // the schema's columns whose type nobody declared
  std::string header;              // the file's, as it stands; empty without one
  std::string unwanted;            // every row is refused: a column that the policy rejects
};

struct RefusedRow {
  int64_t before;  // good rows in front of it
  Rejection why;
  std::string record;  // JSON, see csv_refused.h
};

struct ConvertedRows {
  Batch batch;
  std::vector<RefusedRow> refused;
};

// Depends on nothing else, so that blocks may be converted side by side.
ConvertedRows convert_rows(CsvBlock block, const CsvPlan& plan);

}  // namespace patchbay
