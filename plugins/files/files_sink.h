// Objects as local files: written under a temporary name, synced, renamed at commit.
#pragma once

#include <string>

#include "patchbay/objects/objects.h"

namespace patchbay {

class FilesSink final : public Sink {
 public:
  FilesSink(Context& context, const Config& config);
  void check(Call& call) override;
  Json::Value plan_schema(Call& call, const SchemaPtr& stream) override;
  std::unique_ptr<Writer> open(Call& call, const SchemaPtr& stream,
                               const std::string& txn) override;
  void commit(Call& call, const std::string& txn, uint64_t epoch,
              std::span<const std::string> tokens) override;
  void abort(Call& call, std::span<const std::string> txns) override;

 private:
  const ObjectPath path_;
  const std::string if_exists_;
  const bool create_;
};

}  // namespace patchbay
