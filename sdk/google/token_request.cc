#include "token_request.h"

#include <json/value.h>

#include <algorithm>
#include <cstdlib>

#include "json_text_of.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

constexpr int64_t kLongestSeconds = 86'400;

Json::Value parse(const HttpResponse& response) {
  try {
    return parse_json(response.body);
  } catch (const std::exception&) {
    return Json::nullValue;
  }
}

// Google's own list of errors that pass, beyond the statuses that do.
bool is_transient(const HttpResponse& response) {
  const Json::Value json = parse(response);
  for (const char* name : {"error", "error_description"}) {
    const std::string text = text_of(json, name);
    if (text == "internal_failure" || text == "server_error" || text == "temporarily_unavailable")
      return true;
  }
  return false;
}

std::chrono::seconds lifetime_of(const Json::Value& json) {
  const Json::Value& value = json["expires_in"];
  int64_t number = 3600;
  if (value.isInt64()) number = value.asInt64();
  if (value.isString()) number = std::atoll(value.asCString());
  return std::chrono::seconds(std::clamp<int64_t>(number, 0, kLongestSeconds));
}

std::string why_refused(const Json::Value& json) {
  std::string out = text_of(json, "error");
  const std::string description = text_of(json, "error_description");
  if (!description.empty()) out += (out.empty() ? "" : ": ") + description;
  if (description.find("short-lived token") != std::string::npos)
    out += " (is this machine's clock right?)";
  return out;
}

}  // namespace

TokenAnswer parse_token(const HttpRequest& request, const HttpResponse& response,
                        const std::string& hint) {
  const Json::Value json = parse(response);
  const std::string token = text_of(json, "access_token");
  if (response.status == 200 && !token.empty()) return {token, lifetime_of(json)};
  const std::string why = redact(request, why_refused(json));
  const std::string subject =
      "credentials: " + describe(request) + ": answered " + std::to_string(response.status);
  if (response.status < 400) throw Error(Code::kRemote, subject + " without an access token");
  if (why.empty()) throw Error(code_of_status(response.status), subject + " and no reason");
  throw Error(Code::kAuth, subject + ": " + why + hint);
}

TokenAnswer request_token(Call& call, HttpOptions options, const std::string& url,
                          const Query& form, std::vector<std::string> secrets,
                          const std::string& hint) {
  options.option = "credentials";
  options.allow_http = false;  // whatever is allowed for the API: this one gets the keys
  options.follow_redirects = false;
  options.max_response_bytes = 1 << 20;
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = form.text();
  request.secrets = std::move(secrets);
  request.safe_to_repeat = true;  // asking for a token twice does no harm
  HttpClient client(std::move(options));
  return parse_token(request, client.send(call, request, is_transient), hint);
}

}  // namespace patchbay
