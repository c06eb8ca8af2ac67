// CSV files to rows.
#pragma once

#include "csv_file.h"
#include "patchbay/plugin.h"

namespace patchbay {

class CsvDecode final : public Transform {
 public:
  CsvDecode(Context& context, const Config& config);
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;
  std::optional<std::string> file_of(Call& call,
                                     std::span<const std::string_view> records) override;

 private:
  Context& context_;
  const CsvDecodeConfig config_;
};

}  // namespace patchbay
