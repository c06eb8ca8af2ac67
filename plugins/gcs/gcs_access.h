// How both components reach Cloud Storage.
#pragma once

#include <memory>
#include <optional>

#include "gcs_client.h"
#include "patchbay/plugin.h"

namespace patchbay {

// Thread-safe once it is made; the clients are not.
class GcsAccess {
 public:
  // `scope`: the last word of a scope of devstorage, read_only or read_write.
  GcsAccess(const Config& config, const std::string& scope);

  const std::string& bucket() const { return place_.bucket; }
  std::unique_ptr<GcsClient> make_client(Call& call);

 private:
  std::shared_ptr<GoogleCredentials> credentials(Call& call);

  GcsPlace place_;
  HttpOptions http_;
  const std::string scope_;
  const bool anonymous_;
  const std::optional<Secret> secret_;  // none = Google's search order
  std::mutex mutex_;
  std::shared_ptr<GoogleCredentials> credentials_;
};

}  // namespace patchbay
