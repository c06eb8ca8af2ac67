// CSV files to rows.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "csv_scanner.h"
#include "patchbay/plugin.h"

namespace patchbay {

struct CsvDecodeConfig {
  CsvDialect dialect;
  bool header = true, guess = true, latin1 = false;
  std::string null;
  std::vector<std::string> columns;
  std::map<std::string, Type> types;
};

class CsvDecode final : public Transform {
 public:
  CsvDecode(Context& context, const Config& config);
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  const CsvDecodeConfig config_;
};

}  // namespace patchbay
