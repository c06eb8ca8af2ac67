// JSON files to rows.
#pragma once

#include <optional>

#include "patchbay/json_records.h"
#include "patchbay/plugin.h"

namespace patchbay {

struct JsonDecodeConfig {
  RecordsAt at;
  std::optional<std::vector<Field>> fields;  // declared; otherwise guessed
};

class JsonDecode final : public Transform {
 public:
  JsonDecode(Context& context, const Config& config);
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  const JsonDecodeConfig config_;
};

}  // namespace patchbay
