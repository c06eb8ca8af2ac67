// One CSV file: its text, its header, its records.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "csv_encoding.h"
#include "csv_guess.h"
#include "csv_scanner.h"

namespace patchbay {

struct CsvDecodeConfig {
  CsvDialect dialect;
  bool header = true, guess = true;
  bool guess_delimiter = false;  // by the header
  std::string encoding;
  size_t max_row_bytes = 0;
  int64_t skip_lines = 0;
  std::vector<std::string> columns;
  std::map<std::string, Type> types;
  unsigned threads = 1;
};

class CsvFile {
 public:
  // `delimiter` 0 = to be guessed.
  CsvFile(const CsvDecodeConfig& config, std::string key, char delimiter);

  const std::string& key() const { return key_; }
  char delimiter() const { return delimiter_; }  // known once it has begun
  void feed(std::string_view bytes, bool last);
  bool ended() const { return ended_; }
  // Is there enough of it to tell the columns by?
  bool is_ready() const { return ended_ || fed_ >= kSample; }
  // Reads the header. False for a file without a single record.
  bool begin();
  const std::vector<std::string>& names() const { return names_; }
  const std::string& header() const { return header_; }  // its text; empty where it has none
  // By what the first records hold, and by what is declared.
  std::vector<Field> guess_fields();
  // The records after the header, block by block. False where more must be fed first.
  bool next(CsvBlock& block);

 private:
  static constexpr size_t kSample = 1 << 20;

  void name_columns(const CsvBlock& first);
  void check_names() const;
  Type guess_column(size_t column) const;

  const CsvDecodeConfig& config_;
  const std::string key_;
  char delimiter_;
  CsvEncoding encoding_;
  CsvScanner scanner_;
  size_t fed_ = 0;
  bool ended_ = false;
  std::vector<std::string> names_;
  std::string header_;
  std::optional<CsvBlock> sample_;  // records that were looked at, to be given by next()
};

}  // namespace patchbay
