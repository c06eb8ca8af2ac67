// Parquet files to rows.
#pragma once

#include "parquet_file.h"
#include "patchbay/plugin.h"

namespace patchbay {

class ParquetDecode final : public Transform {
 public:
  ParquetDecode(Context& context, const Config& config);
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  const ParquetDecodeConfig config_;
};

}  // namespace patchbay
