#include "credentials.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "json_text_of.h"
#include "patchbay/json_value.h"
#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kRenewBefore{225};  // as Google's libraries do
constexpr milliseconds kLookForCancel{100};

std::string read_text(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    const Error error = posix_error("credentials: " + file, errno, "read");
    throw Error(error.code() == Code::kNotFound ? Code::kAuth : error.code(), error.what());
  }
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Names the file in front of what is wrong with it.
std::shared_ptr<GoogleCredentials> from_file(const std::string& file,
                                             const GoogleEnvironment& environment,
                                             const std::string& scope) {
  const std::string text = read_text(file);
  try {
    return GoogleCredentials::from_json(text, environment, scope);
  } catch (const Error& error) {
    throw Error(error.code(), std::string(error.what()) + ", in " + file);
  }
}

// Named only where it is one of Google's: anything else may be key material in the wrong place.
std::string not_type(const std::string& type) {
  for (const char* known : {"external_account", "external_account_authorized_user",
                            "impersonated_service_account", "gdch_service_account"}) {
    if (type == known) return ", not " + type;
  }
  return "";
}

}  // namespace

std::shared_ptr<GoogleCredentials> GoogleCredentials::from_json(
    const std::string& text, const GoogleEnvironment& environment, const std::string& scope) {
  Json::Value json;
  try {
    json = parse_json(text);
  } catch (const std::exception&) {
    json = Json::nullValue;
  }
  if (!json.isObject()) {
    throw Error(Code::kAuth,
                "credentials: must be the JSON text of a service account or an authorized user");
  }
  const std::string type = text_of(json, "type");
  if (type == "service_account") return make_service_account(json, environment, scope);
  if (type == "authorized_user") return make_authorized_user(json, environment);
  throw Error(
      Code::kAuth,
      std::string("credentials: type must be service_account or authorized_user in the JSON text") +
          not_type(type));
}

std::shared_ptr<GoogleCredentials> GoogleCredentials::find_default(
    const GoogleEnvironment& environment, const std::string& scope) {
  if (!environment.credentials_file.empty())
    return from_file(environment.credentials_file, environment, scope);
  std::error_code ignored;
  if (std::filesystem::exists(environment.gcloud_file, ignored))
    return from_file(environment.gcloud_file, environment, scope);
  return make_metadata_server(environment, scope);
}

GoogleCredentials::GoogleCredentials(const GoogleEnvironment& environment,
                                     const std::string& project, const std::string& quota_project)
    : project_(environment.project.empty() ? project : environment.project),
      quota_project_(environment.quota_project.empty() ? quota_project
                                                       : environment.quota_project) {}

// The right to fetch a token: one thread has it, the others wait for its outcome and can be
// cancelled meanwhile.
class GoogleCredentials::Turn {
 public:
  Turn(GoogleCredentials& owner, Call& call, std::unique_lock<std::mutex>& lock)
      : owner_(owner), lock_(lock) {
    while (owner_.fetching_) {
      owner_.turn_over_.wait_for(lock_, kLookForCancel);
      call.throw_if_cancelled();
    }
  }
  ~Turn() {
    if (!begun_) return;
    lock_.lock();
    owner_.fetching_ = false;
    owner_.turn_over_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void begin() {
    owner_.fetching_ = begun_ = true;
    lock_.unlock();
  }

 private:
  GoogleCredentials& owner_;
  std::unique_lock<std::mutex>& lock_;
  bool begun_ = false;
};

std::string GoogleCredentials::token(Call& call, const HttpOptions& options,
                                     std::string_view refused) {
  std::unique_lock lock(mutex_);
  Token fetched;
  const auto begin = steady_clock::now();
  {
    Turn turn(*this, call, lock);
    if (!token_.empty() && token_ != refused && steady_clock::now() < renew_at_) return token_;
    turn.begin();
    fetched = fetch(call, options);
  }
  token_ = fetched.text;
  renew_at_ = begin + std::max(fetched.lifetime - kRenewBefore, fetched.lifetime / 2);
  return token_;
}

std::string GoogleCredentials::project(Call& call, const HttpOptions& options) {
  return project_.empty() ? fetch_project(call, options) : project_;
}

}  // namespace patchbay
