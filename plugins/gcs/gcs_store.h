// One bucket as a store of objects: uploaded under a temporary name, copied to their own at commit.
#pragma once

#include <string>

#include "gcs_access.h"
#include "patchbay/objects/object_store.h"

namespace patchbay {

class GcsStore final : public ObjectStore {
 public:
  static constexpr const char* kName = "gcs";
  static std::string default_stream(const Config& config);
  GcsStore(Context& context, const Config& config, bool writes);

  std::string uri(const std::string& key) const override;

  std::optional<FoundObject> find(Call& call, const std::string& key) override;
  void list(Call& call, const ListedPrefix& below, const TakeObject& take) override;
  std::unique_ptr<Download> open(Call& call, const FoundObject& object) override;

  std::unique_ptr<Upload> begin(Call& call, const Target& target) override;
  Outcome outcome(Call& call, const Json::Value& detail) override;
  Revealed reveal(Call& call, const Json::Value& detail, IfExists if_exists) override;
  void drop(Call& call, std::span<const std::string> txns) override;

  void copy(Call& call, const FoundObject& object, const ObjectName& to) override;
  void remove(Call& call, const FoundObject& object) override;
  void check(Call& call) override;

 private:
  Revealed show(Call& call, GcsClient& client, const Json::Value& detail, IfExists if_exists);
  void clear(Call& call, GcsClient& client, const Json::Value& detail);

  Context& context_;
  GcsAccess access_;
  const bool writes_;
  const std::string content_type_, temporary_;
  const int64_t piece_;  // bytes of a request
};

}  // namespace patchbay
