// Local files as a stream of objects.
#pragma once

#include <vector>

#include "patchbay/objects/objects.h"

namespace patchbay {

class FilesSource final : public Source {
 public:
  FilesSource(Context& context, const Config& config);
  void check(Call& call) override;
  std::vector<Schema> discover(Call& call) override;
  std::vector<Split> plan(Call& call, const std::vector<std::string>& streams,
                          uint32_t want) override;
  std::unique_ptr<Reader> open(Call& call, const Split& split, const Json::Value& state) override;

 private:
  std::vector<FoundObject> find() const;

  Context& context_;
  const ObjectSelection selection_;
};

}  // namespace patchbay
