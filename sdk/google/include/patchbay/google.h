// Google APIs: credentials, tokens, errors.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "patchbay/http.h"

namespace patchbay {

// What Google's own libraries take from the environment. A component reads it once, when it is
// created.
struct GoogleEnvironment {
  std::string credentials_file;  // GOOGLE_APPLICATION_CREDENTIALS
  std::string gcloud_file;       // in CLOUDSDK_CONFIG, or ~/.config/gcloud
  std::string project;           // GOOGLE_CLOUD_PROJECT, GCLOUD_PROJECT
  std::string quota_project;     // GOOGLE_CLOUD_QUOTA_PROJECT
  std::string metadata_host = "metadata.google.internal";  // GCE_METADATA_HOST, _ROOT
  bool metadata_named = false;                             // by them: it is not searched for
  std::string metadata_ip = "169.254.169.254";        // GCE_METADATA_IP: asked whether it is there
  std::chrono::milliseconds metadata_timeout{3'000};  // GCE_METADATA_TIMEOUT, in seconds
  int metadata_tries = 3;                             // GCE_METADATA_DETECT_RETRIES
  bool no_metadata = false;                           // NO_GCE_CHECK
  std::string product_file = "/sys/class/dmi/id/product_name";  // "Google..." on its machines

  static GoogleEnvironment read();
};

// Everything that the account may do:
// https://developers.google.com/identity/protocols/oauth2/scopes
inline constexpr const char* kGoogleCloudScope = "https://www.googleapis.com/auth/cloud-platform";

// Where tokens come from. Thread-safe; a token is kept until 225 s before its end.
class GoogleCredentials {
 public:
  // A service account's or an authorized user's JSON text. Throws Error kAuth for any other text;
  // key material never becomes part of a message. `scope` bounds what the tokens allow; an
  // authorized user's are as wide as the user's consent.
  static std::shared_ptr<GoogleCredentials> from_json(
      const std::string& json, const GoogleEnvironment& environment = GoogleEnvironment::read(),
      const std::string& scope = kGoogleCloudScope);
  // Google's search order: GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the metadata server.
  // Nothing is contacted yet. A file that is named but can't be used is Error kAuth.
  static std::shared_ptr<GoogleCredentials> find_default(
      const GoogleEnvironment& environment = GoogleEnvironment::read(),
      const std::string& scope = kGoogleCloudScope);

  virtual ~GoogleCredentials() = default;

  // An access token. `refused`: a token that answered 401; where it is the kept one, a new one is
  // fetched. Of the options, the proxy, trust and deadlines count.
  std::string token(Call& call, const HttpOptions& options, std::string_view refused = {});
  // GOOGLE_CLOUD_PROJECT, else the project that the credentials name or the machine runs in; empty
  // = none.
  std::string project(Call& call, const HttpOptions& options);
  const std::string& quota_project() const { return quota_project_; }  // empty = none

 protected:
  struct Token {
    std::string text;
    std::chrono::seconds lifetime{0};
  };
  // `project` and `quota_project` as the credentials' own text has them; the environment wins.
  GoogleCredentials(const GoogleEnvironment& environment, const std::string& project,
                    const std::string& quota_project);
  virtual Token fetch(Call& call, const HttpOptions& options) = 0;  // one thread at a time
  virtual std::string fetch_project(Call&, const HttpOptions&) { return ""; }

 private:
  class Turn;

  const std::string project_, quota_project_;
  std::mutex mutex_;
  std::condition_variable turn_over_;
  bool fetching_ = false;
  std::string token_;
  std::chrono::steady_clock::time_point renew_at_{};
};

// The error object of Google's APIs, as far as the body has one: reasons as in
// https://cloud.google.com/bigquery/docs/error-messages.
struct GoogleError {
  std::string reason;  // notFound, duplicate, rateLimitExceeded, ..; empty = none
  std::string message;
};
GoogleError parse_google_error(const HttpResponse& response);

enum class GoogleRetry {
  kNo,
  kSoon,   // seconds
  kLater,  // a quota: ten minutes and more, so another run has to
};
GoogleRetry retry_of(std::string_view reason);

// Requests with a token; 401 once leads to a fresh one. One thread at a time.
class GoogleApi {
 public:
  // Without credentials no token is sent: emulators.
  GoogleApi(std::shared_ptr<GoogleCredentials> credentials, HttpOptions options);

  // Any status that is not transient; 403 rateLimitExceeded and the like count as transient.
  HttpResponse send(Call& call, const HttpRequest& request);
  // As send, but a status that is not expected throws, with the API's own words.
  HttpResponse require(Call& call, const HttpRequest& request);
  static bool is_transient(const HttpResponse& response);
  [[noreturn]] static void fail(const HttpRequest& request, const HttpResponse& response);

 private:
  std::vector<std::string> headers(const std::string& token) const;

  std::shared_ptr<GoogleCredentials> credentials_;
  HttpClient client_;
};

}  // namespace patchbay
