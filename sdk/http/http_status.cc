#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>

#include "patchbay/http.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr size_t kMostMessageBytes = 1000;
constexpr size_t kShortestSecret = 4;  // shorter ones would blot out ordinary words

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return out;
}

// Authorization, Cookie, X-Api-Key, X-App-Token, ...
bool carries_credentials(std::string_view header_name) {
  const std::string name = lower(header_name);
  for (const char* part : {"auth", "cookie", "key", "token", "secret", "signature"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

void blot_out(std::string& text, std::string_view secret) {
  if (secret.size() < kShortestSecret) return;
  for (size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3)
    text.replace(at, secret.size(), "***");
}

// "Bearer abc" and "abc" alike.
void blot_out_header(std::string& text, std::string_view value) {
  const size_t first = value.find_first_not_of(' ');
  if (first == std::string_view::npos) return;
  value.remove_prefix(first);
  blot_out(text, value);
  const size_t space = value.find(' ');
  if (space != std::string_view::npos) blot_out(text, value.substr(space + 1));
}

// Tokens that came from elsewhere: "Bearer " and whatever follows it.
void blot_out_bearers(std::string& text) {
  constexpr std::string_view kBearer = "Bearer ";
  for (size_t at = 0; (at = text.find(kBearer, at)) != std::string::npos;) {
    at += kBearer.size();
    const size_t end = std::min(text.find_first_of(" ,;\"'", at), text.size());
    if (end > at) text.replace(at, end - at, "***");
  }
}

}  // namespace

std::string HttpResponse::header(std::string_view name) const {
  const auto found = headers.find(lower(name));
  return found == headers.end() ? "" : found->second;
}

std::string HttpResponse::request_id() const {
  for (const char* name : {"x-request-id", "x-goog-request-id", "x-guploader-uploadid",
                           "x-amz-request-id", "x-amzn-requestid"}) {
    const std::string id = header(name);
    if (!id.empty()) return id.substr(0, 100);
  }
  return "";
}

std::string describe(const HttpRequest& request) {
  return request.method + " " + public_url(request.url);
}

std::string redact(const HttpRequest& request, std::string text) {
  if (request.without_values) text = request.without_values(text);
  for (const auto& secret : request.secrets) blot_out(text, secret);
  for (const auto& header : request.headers) {
    const size_t colon = header.find(':');
    if (colon != std::string::npos &&
        carries_credentials(std::string_view(header).substr(0, colon)))
      blot_out_header(text, std::string_view(header).substr(colon + 1));
  }
  blot_out_bearers(text);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (text.size() > kMostMessageBytes) {
    size_t end = kMostMessageBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end) + "...";
  }
  return text;
}

bool is_expected(const HttpRequest& request, const HttpResponse& response) {
  const auto& expected = request.expected;
  if (expected.empty()) return response.status >= 200 && response.status < 300;
  return std::find(expected.begin(), expected.end(), response.status) != expected.end();
}

Code code_of_status(long status) {
  if (status == 401 || status == 403 || status == 407) return Code::kAuth;
  if (status == 404) return Code::kNotFound;
  const bool transient = status == 408 || status == 429 || status >= 500;
  return transient ? Code::kUnavailable : Code::kRemote;
}

void throw_status(const HttpRequest& request, const HttpResponse& response,
                  const std::string& detail) {
  throw_status(request, response, detail, code_of_status(response.status));
}

void throw_status(const HttpRequest& request, const HttpResponse& response,
                  const std::string& detail, Code code) {
  std::string text = describe(request) + ": answered " + std::to_string(response.status);
  if (!detail.empty()) text += ": " + redact(request, detail);
  Json::Value machine;
  machine["method"] = request.method;
  machine["url"] = public_url(request.url);
  machine["status"] = Json::Int64(response.status);
  const std::string id = redact(request, response.request_id());
  if (!id.empty()) {
    machine["request_id"] = id;
    text += " (request " + id + ")";
  }
  throw Error(code, text, write_json(machine));
}

std::optional<nanoseconds> parse_retry_after(const std::string& value) {
  constexpr int64_t kYear = 86'400 * 365;
  int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc() && stopped == end && number >= 0)
    return seconds(std::min(number, kYear));
  const time_t at =
      value.find(':') == std::string::npos ? -1 : curl_getdate(value.c_str(), nullptr);
  if (at < 0) return std::nullopt;
  return seconds(std::clamp<int64_t>(at - std::time(nullptr), 0, kYear));
}

}  // namespace patchbay
