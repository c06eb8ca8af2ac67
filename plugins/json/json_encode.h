// Rows to JSON files.
#pragma once

#include <string>

#include "patchbay/encode_files.h"

namespace patchbay {

class JsonEncode final : public Transform {
 public:
  JsonEncode(Context& context, const Config& config);
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override;
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  const bool array_;
  const FileParts parts_;
};

}  // namespace patchbay
