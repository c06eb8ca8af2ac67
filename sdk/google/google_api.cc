#include <algorithm>

#include "json_text_of.h"
#include "patchbay/google.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

template <size_t N>
bool is_one_of(std::string_view reason, const char* const (&reasons)[N]) {
  return std::find(std::begin(reasons), std::end(reasons), reason) != std::end(reasons);
}

constexpr const char* kSoonReasons[] = {
    "rateLimitExceeded", "userRateLimitExceeded", "backendError",    "internalError",
    "badGateway",        "jobRateLimitExceeded",  "jobBackendError", "jobInternalError",
    "tableUnavailable",
};
constexpr const char* kLaterReasons[] = {"quotaExceeded", "dailyLimitExceeded"};
constexpr const char* kAuthReasons[] = {
    "accessDenied", "forbidden", "insufficientPermissions", "authError", "accessNotConfigured",
};

Code code_of(long status, const std::string& reason) {
  if (retry_of(reason) != GoogleRetry::kNo) return Code::kUnavailable;
  if (status == 403 && !reason.empty() && !is_one_of(reason, kAuthReasons)) return Code::kRemote;
  return code_of_status(status);
}

std::string words_of(const HttpResponse& response) {
  const GoogleError error = parse_google_error(response);
  if (error.reason.empty() || error.message.empty()) return error.reason + error.message;
  return error.reason + ": " + error.message;
}

}  // namespace

GoogleRetry retry_of(std::string_view reason) {
  if (is_one_of(reason, kSoonReasons)) return GoogleRetry::kSoon;
  return is_one_of(reason, kLaterReasons) ? GoogleRetry::kLater : GoogleRetry::kNo;
}

GoogleError parse_google_error(const HttpResponse& response) {
  GoogleError out;
  Json::Value json;
  try {
    json = parse_json(response.body);
  } catch (const std::exception&) {
    return out;  // a proxy's page: the status has to do
  }
  if (!json.isObject()) return out;
  const Json::Value& error = json["error"];
  if (!error.isObject()) {  // as token endpoints answer
    out.message = text_of(json, "error_description");
    out.reason = text_of(json, "error");
    return out;
  }
  out.message = text_of(error, "message");
  const Json::Value& errors = error["errors"];
  if (errors.isArray() && !errors.empty()) {
    out.reason = text_of(errors[0], "reason");
    if (out.message.empty()) out.message = text_of(errors[0], "message");
  }
  return out;
}

GoogleApi::GoogleApi(std::shared_ptr<GoogleCredentials> credentials, HttpOptions options)
    : credentials_(std::move(credentials)), client_(std::move(options), words_of) {}

bool GoogleApi::is_transient(const HttpResponse& response) {
  if (code_of_status(response.status) == Code::kUnavailable) return true;
  if (response.status != 403 && response.status != 400) return false;
  return retry_of(parse_google_error(response).reason) == GoogleRetry::kSoon;
}

std::vector<std::string> GoogleApi::headers(const std::string& token) const {
  std::vector<std::string> out{"Authorization: Bearer " + token};
  const std::string& project = credentials_->quota_project();
  if (!project.empty()) out.push_back("x-goog-user-project: " + project);
  return out;
}

HttpResponse GoogleApi::send(Call& call, const HttpRequest& request) {
  if (!credentials_) return client_.send(call, request, is_transient);
  const std::string token = credentials_->token(call, client_.options());
  HttpResponse response = client_.send(call, request, is_transient, headers(token));
  if (response.status != 401) return response;
  const std::string fresh = credentials_->token(call, client_.options(), token);
  return client_.send(call, request, is_transient, headers(fresh));
}

HttpResponse GoogleApi::require(Call& call, const HttpRequest& request) {
  HttpResponse response = send(call, request);
  if (!is_expected(request, response)) fail(request, response);
  return response;
}

void GoogleApi::fail(const HttpRequest& request, const HttpResponse& response) {
  const std::string reason = parse_google_error(response).reason;
  throw_status(request, response, words_of(response), code_of(response.status, reason));
}

}  // namespace patchbay
