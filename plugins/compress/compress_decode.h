// Compressed files to plain ones.
#pragma once

#include "filter_objects.h"

namespace patchbay {

class CompressDecode final : public Transform {
 public:
  CompressDecode(Context&, const Config& config);
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override;
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  ObjectFilter filter_;
};

}  // namespace patchbay
