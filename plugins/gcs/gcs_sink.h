// Objects in one bucket: uploaded under a temporary name, copied to their own at commit.
#pragma once

#include <string>

#include "gcs_access.h"
#include "patchbay/objects/objects.h"

namespace patchbay {

struct GcsSinkConfig {
  ObjectPath path;
  std::string if_exists, content_type, temporary;
  int64_t chunk_size;
};

class GcsSink final : public Sink {
 public:
  GcsSink(Context& context, const Config& config);
  void check(Call& call) override;
  Json::Value plan_schema(Call& call, const SchemaPtr& stream) override;
  std::unique_ptr<Writer> open(Call& call, const SchemaPtr& stream,
                               const std::string& txn) override;
  void commit(Call& call, const std::string& txn, uint64_t epoch,
              std::span<const std::string> tokens) override;
  void abort(Call& call, std::span<const std::string> txns) override;

 private:
  bool reveal(Call& call, GcsClient& client, const Json::Value& object, const Json::Value& token);
  void clear(Call& call, GcsClient& client, const Json::Value& object);

  Context& context_;
  GcsAccess access_;
  const GcsSinkConfig config_;
  std::string txn_;       // the one that writers were opened for last
  uint64_t writers_ = 0;  // of that transaction, from 1
};

}  // namespace patchbay
