// Objects of one bucket as a stream.
#pragma once

#include <vector>

#include "gcs_access.h"
#include "patchbay/objects/objects.h"

namespace patchbay {

class GcsSource final : public Source {
 public:
  GcsSource(Context& context, const Config& config);
  void check(Call& call) override;
  std::vector<Schema> discover(Call& call) override;
  std::vector<Split> plan(Call& call, const std::vector<std::string>& streams,
                          uint32_t want) override;
  std::unique_ptr<Reader> open(Call& call, const Split& split, const Json::Value& state) override;

 private:
  std::vector<FoundObject> find(Call& call);

  Context& context_;
  GcsAccess access_;
  const ObjectSelection selection_;
  const int64_t piece_;  // bytes per request
};

}  // namespace patchbay
