// The rows of one Parquet file.
#pragma once

#include <arrow/type_fwd.h>
#include <parquet/arrow/reader.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "spool.h"

namespace patchbay {

struct ParquetDecodeConfig {
  std::vector<std::string> columns;  // empty = all
  bool truncate = false;             // nanoseconds
  int64_t spool_memory = 0;
  std::string spool_folder;
};

// Memory is bounded by the spool, a page of each column and a batch.
class ParquetFile {
 public:
  // Reads the footer. Throws kData for what is no Parquet file, or a damaged one.
  ParquetFile(const ParquetDecodeConfig& config, std::string stream, Spool& whole);
  ~ParquetFile();

  const Schema& schema() const { return schema_; }
  // The stream's schema, which an earlier file may have settled: columns are found by name, missing
  // ones are null. Throws kSchema where this file has others, or other types.
  void fit(SchemaPtr stream);
  // Nothing after the last row. Rows that do not fit are refused on the way.
  std::optional<Batch> next(Call& call);

 private:
  void check_ends(arrow::io::RandomAccessFile& file) const;
  void open(const std::shared_ptr<arrow::io::RandomAccessFile>& file, bool on_disk);
  void read_schema();
  std::vector<int> leaves() const;
  int64_t batch_rows() const;
  bool read_batch(Call& call);
  std::optional<arrow::ArrayVector> convert_columns(const arrow::ArrayVector& columns) const;

  const ParquetDecodeConfig& config_;
  const std::string file_;
  Schema schema_;               // this file's own
  SchemaPtr stream_;            // null until fit()
  std::vector<int> positions_;  // of the stream's columns in what batches_ gives; -1 = missing
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  int64_t read_ = 0;  // rows
  Batch rest_;        // of the last batch, past max_rows
};

}  // namespace patchbay
