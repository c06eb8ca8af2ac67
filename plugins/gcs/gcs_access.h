// How both components reach Cloud Storage.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "gcs_client.h"
#include "patchbay/plugin.h"

namespace patchbay {

class GcsAccess;

// A client for one thread, whose connections the next one goes on with.
class GcsLease {
 public:
  GcsLease(GcsAccess& access, std::unique_ptr<GcsClient> client)
      : access_(&access), client_(std::move(client)) {}
  GcsLease(GcsLease&&) = default;
  GcsLease& operator=(GcsLease&&) = default;
  ~GcsLease();
  GcsClient* operator->() const { return client_.get(); }
  GcsClient& operator*() const { return *client_; }

 private:
  GcsAccess* access_;
  std::unique_ptr<GcsClient> client_;
};

// Thread-safe; outlives what it leases.
class GcsAccess {
 public:
  // `scope`: the last word of a scope of devstorage, read_only or read_write.
  GcsAccess(const Config& config, const std::string& scope);

  const std::string& bucket() const { return place_.bucket; }
  GcsLease lease(Call& call);

 private:
  friend class GcsLease;
  std::shared_ptr<GoogleCredentials> credentials(Call& call);  // under the lock

  GcsPlace place_;
  HttpOptions http_;
  const std::string scope_;
  const bool anonymous_;
  const std::optional<Secret> secret_;  // none = Google's search order
  std::mutex mutex_;
  std::shared_ptr<GoogleCredentials> credentials_;
  std::vector<std::unique_ptr<GcsClient>> idle_;
};

}  // namespace patchbay
