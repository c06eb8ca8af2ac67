// Rows to CSV files, one per stream.
#pragma once

#include <string>

#include "csv_dialect.h"
#include "patchbay/encode_files.h"
#include "patchbay/plugin.h"

namespace patchbay {

struct CsvEncodeConfig {
  CsvDialect dialect;
  bool header = true;
  std::string newline;
};

class CsvEncode final : public Transform {
 public:
  CsvEncode(Context& context, const Config& config);
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override;
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  const CsvEncodeConfig config_;
  const FileParts parts_;
};

}  // namespace patchbay
