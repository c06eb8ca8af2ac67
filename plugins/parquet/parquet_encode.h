// Rows to Parquet files.
#pragma once

#include "patchbay/encode_files.h"

namespace patchbay {

struct ParquetEncodeConfig {
  std::string compression;
  int level = 0;                // 0 = the codec's default
  int64_t row_group_rows = 0;   // at most
  int64_t row_group_bytes = 0;  // before encoding, about
};

class ParquetEncode final : public Transform {
 public:
  ParquetEncode(Context& context, const Config& config);
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override;
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  const FileParts parts_;
  const ParquetEncodeConfig config_;
};

}  // namespace patchbay
