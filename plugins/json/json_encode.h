// Rows to JSON files, one per stream.
#pragma once

#include <string>

#include "patchbay/plugin.h"

namespace patchbay {

class JsonEncode final : public Transform {
 public:
  JsonEncode(Context& context, const Config& config);
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override;
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  const bool array_;
  const std::string key_;
};

}  // namespace patchbay
