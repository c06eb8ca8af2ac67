// Google APIs: credentials, tokens, errors.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "patchbay/http.h"

namespace patchbay {

// Where tokens come from. Thread-safe; a token is kept until shortly before its end.
class GoogleCredentials {
 public:
  // A service account's or an authorized user's JSON text. Throws Error kAuth for any other text;
  // key material never becomes part of a message.
  static std::shared_ptr<GoogleCredentials> from_json(const std::string& json);
  // Google's search order: GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the metadata server.
  // Nothing is contacted yet.
  static std::shared_ptr<GoogleCredentials> find_default();

  virtual ~GoogleCredentials() = default;

  // An access token for the scope https://www.googleapis.com/auth/cloud-platform. `fresh` = not the
  // kept one: it was refused.
  std::string token(Call& call, HttpClient& client, bool fresh = false);
  virtual std::string project() const { return ""; }  // that the credentials name; empty = none

 protected:
  struct Token {
    std::string text;
    std::chrono::seconds lifetime{0};
  };
  virtual Token fetch(Call& call, HttpClient& client) = 0;

 private:
  std::mutex mutex_;
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

// Requests with a token; 401 once leads to a fresh one. One thread at a time.
class GoogleApi {
 public:
  GoogleApi(std::shared_ptr<GoogleCredentials> credentials, HttpOptions options);

  // Any status that is not transient; 403 rateLimitExceeded and the like count as transient.
  HttpResponse send(Call& call, HttpRequest request);
  // As send, but a status of 400 and above throws, with the API's own words.
  HttpResponse require(Call& call, const HttpRequest& request);
  [[noreturn]] static void fail(const HttpRequest& request, const HttpResponse& response);

 private:
  std::shared_ptr<GoogleCredentials> credentials_;
  HttpClient client_;
};

}  // namespace patchbay
