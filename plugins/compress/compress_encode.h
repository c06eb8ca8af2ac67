// Plain files to compressed ones.
#pragma once

#include "filter_objects.h"

namespace patchbay {

class CompressEncode final : public Transform {
 public:
  CompressEncode(Context&, const Config& config);
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override;
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override;

 private:
  ObjectFilter filter_;
};

}  // namespace patchbay
