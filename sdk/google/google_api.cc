#include <cstdlib>

#include "patchbay/google.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

// 403 and 400 that pass by themselves; quotaExceeded takes many minutes, so a later run has to try.
bool is_transient(const HttpResponse& response) {
  if (response.status != 403 && response.status != 400) return false;
  const std::string reason = parse_google_error(response).reason;
  return reason == "rateLimitExceeded" || reason == "backendError" || reason == "internalError" ||
         reason == "jobRateLimitExceeded" || reason == "tableUnavailable";
}

Code code_of(long status, const std::string& reason) {
  if (reason == "quotaExceeded") return Code::kUnavailable;
  if (status == 403 && !reason.empty() && reason != "accessDenied" && reason != "forbidden")
    return Code::kRemote;
  return code_of_status(status);
}

}  // namespace

GoogleError parse_google_error(const HttpResponse& response) {
  GoogleError out;
  try {
    const Json::Value json = parse_json(response.body);
    if (!json.isObject() || !json["error"].isObject()) return out;
    const Json::Value& error = json["error"];
    out.message = error["message"].asString();
    if (error["errors"].isArray() && !error["errors"].empty())
      out.reason = error["errors"][0]["reason"].asString();
  } catch (const std::exception&) {
    return out;  // a proxy's page: the status has to do
  }
  return out;
}

GoogleApi::GoogleApi(std::shared_ptr<GoogleCredentials> credentials, HttpOptions options)
    : credentials_(std::move(credentials)), client_(std::move(options)) {}

HttpResponse GoogleApi::send(Call& call, HttpRequest request) {
  const size_t authorization = request.headers.size();
  request.headers.emplace_back();
  if (const char* project = std::getenv("GOOGLE_CLOUD_QUOTA_PROJECT"); project && *project) {
    request.headers.push_back(std::string("x-goog-user-project: ") + project);
  }
  for (const bool fresh : {false, true}) {
    request.headers[authorization] =
        "Authorization: Bearer " + credentials_->token(call, client_, fresh);
    HttpResponse response = client_.send(call, request, is_transient);
    if (response.status != 401 || fresh) return response;
  }
  throw Error(Code::kInternal, "unreachable");
}

HttpResponse GoogleApi::require(Call& call, const HttpRequest& request) {
  HttpResponse response = send(call, request);
  if (response.status >= 300) fail(request, response);
  return response;
}

void GoogleApi::fail(const HttpRequest& request, const HttpResponse& response) {
  const GoogleError error = parse_google_error(response);
  std::string text = describe(request) + ": answered " + std::to_string(response.status);
  if (!error.reason.empty()) text += " " + error.reason;
  if (!error.message.empty()) text += ": " + error.message;
  throw Error(code_of(response.status, error.reason), text);
}

}  // namespace patchbay
