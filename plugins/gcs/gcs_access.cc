#include "gcs_access.h"

namespace patchbay {

GcsAccess::GcsAccess(const Config& config, const std::string& scope)
    : scope_("https://www.googleapis.com/auth/devstorage." + scope),
      anonymous_(config.get<bool>("anonymous")),
      secret_(config.find<Secret>("credentials")) {
  place_ = {config.get<std::string>("endpoint"), config.get<std::string>("bucket")};
  while (place_.endpoint.ends_with('/')) place_.endpoint.pop_back();
  http_.option = "endpoint";
  http_.allow_http = config.get<bool>("allow_http");
  http_.ca_file = config.get_or<std::string>("ca_file", "");
  http_.proxy = config.get_or<std::string>("proxy", "");
  http_.set_timeout(config.get<double>("timeout"));
}

std::shared_ptr<GoogleCredentials> GcsAccess::credentials(Call& call) {
  if (anonymous_) return nullptr;
  if (!credentials_) {
    const GoogleEnvironment environment = GoogleEnvironment::read();
    credentials_ = secret_
                       ? GoogleCredentials::from_json(call.secret(*secret_), environment, scope_)
                       : GoogleCredentials::find_default(environment, scope_);
  }
  return credentials_;
}

GcsLease GcsAccess::lease(Call& call) {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return {*this, std::make_unique<GcsClient>(place_, credentials(call), http_)};
  GcsLease lease(*this, std::move(idle_.back()));
  idle_.pop_back();
  return lease;
}

GcsLease::~GcsLease() {
  if (!client_) return;
  const std::lock_guard lock(access_->mutex_);
  access_->idle_.push_back(std::move(client_));
}

}  // namespace patchbay
