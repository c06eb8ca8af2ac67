#include <curl/curl.h>
#include <poll.h>
#include <sys/random.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "patchbay/http.h"
#include "patchbay/json_value.h"
#include "transfer.h"

namespace patchbay {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr int kMostRedirects = 5;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool is_safe(const HttpRequest& request) {
  if (request.safe_to_repeat) return *request.safe_to_repeat;
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    if (request.method == method) return true;
  }
  return false;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string random_id() {
  unsigned char bytes[16] = {};
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return "";
  std::string out;
  for (const unsigned char byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

// Why an attempt has to be repeated, or given up.
struct Setback {
  std::string what;
  std::string request_id;
  long status = 0;  // 0 = no answer
  std::optional<nanoseconds> retry_after;
  bool may_repeat = false;
};

Setback setback_of(const HttpRequest& request, const HttpResponse& response,
                   const std::string& detail) {
  Setback out;
  out.status = response.status;
  out.retry_after = parse_retry_after(response.header("retry-after"));
  out.request_id = redact(request, response.request_id());
  out.may_repeat =
      is_safe(request) || ((out.status == 429 || out.status == 503) && out.retry_after.has_value());
  out.what = describe(request) + ": answered " + std::to_string(out.status);
  if (!detail.empty()) out.what += ": " + redact(request, detail);
  if (out.retry_after) {
    const auto wish = std::chrono::ceil<std::chrono::seconds>(*out.retry_after);
    out.what += ", asking to wait " + std::to_string(wish.count()) + " s";
  }
  return out;
}

[[noreturn]] void give_up(const HttpRequest& request, const Setback& setback, uint32_t attempts) {
  std::string text =
      setback.what + " (" + std::to_string(attempts) + (attempts == 1 ? " attempt" : " attempts");
  if (!setback.request_id.empty()) text += ", request " + setback.request_id;
  text += setback.may_repeat ? ")" : "; not repeated, it may have been carried out)";
  Json::Value machine;
  machine["method"] = request.method;
  machine["url"] = public_url(request.url);
  machine["attempts"] = attempts;
  if (setback.status) machine["status"] = Json::Int64(setback.status);
  if (!setback.request_id.empty()) machine["request_id"] = setback.request_id;
  throw Error(Code::kUnavailable, text, write_json(machine));
}

}  // namespace

std::string HttpOptions::default_user_agent() { return "patchbay/" PATCHBAY_VERSION; }

void HttpOptions::set_timeout(double seconds) {
  constexpr double kLongest = 366.0 * 86'400;
  idle_timeout = milliseconds(static_cast<int64_t>(std::clamp(seconds, 0.001, kLongest) * 1000));
  total_timeout = 10 * idle_timeout;
  connect_timeout = std::min(connect_timeout, idle_timeout);
}

HttpClient::HttpClient(HttpOptions options, Explain explain)
    : options_(std::move(options)), explain_(std::move(explain)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (options_.ca_file.empty()) options_.ca_file = environment(name);
  }
  ca_dir_ = environment("SSL_CERT_DIR");
  multi_ = curl_multi_init();
  easy_ = curl_easy_init();
}

HttpClient::~HttpClient() {
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
}

void HttpClient::check_url(const std::string& url) const {
  const std::string origin = origin_of(url);
  if (origin.starts_with("https://")) return;
  if (origin.empty())
    throw Error(Code::kConfig, options_.option + ": must be a URL that begins with https://");
  if (options_.allow_http || is_loopback(url)) return;
  throw Error(
      Code::kConfig,
      options_.option + ": " + origin +
          " is plain http; use https, or set allow_http: true where the network is trusted");
}

HttpResponse HttpClient::follow(Call& call, const HttpRequest& request,
                                const std::vector<std::string>& more_headers) {
  TransferTarget target{request.url, ca_dir_, options_.send_request_id ? random_id() : "",
                        is_safe(request), more_headers};
  for (int redirects = 0;; ++redirects) {
    HttpResponse response = Transfer(easy_, options_, request, target).run(multi_, call);
    if (!options_.follow_redirects || !is_redirect(response.status)) return response;
    const std::string to = resolve_url(target.url, response.header("location"));
    if (!same_origin(to, request.url)) {
      throw Error(Code::kRemote, describe(request) + ": is redirected to another server" +
                                     (to.empty() ? "" : ", " + origin_of(to)) +
                                     "; credentials do not go there. Set " + options_.option +
                                     " if the service has moved");
    }
    if (request.method != "GET" && request.method != "HEAD")
      throw_status(request, response, "is redirected to " + public_url(to));
    if (redirects == kMostRedirects)
      throw Error(Code::kRemote, describe(request) + ": is redirected in a circle");
    target.url = to;
  }
}

std::string HttpClient::explain(const HttpResponse& response) const {
  return explain_ ? explain_(response) : "";
}

HttpResponse HttpClient::send(Call& call, const HttpRequest& request, const IsTransient& transient,
                              const std::vector<std::string>& more_headers) {
  check_url(request.url);
  for (uint32_t attempt = 1;; ++attempt) {
    Setback setback;
    try {
      HttpResponse response = follow(call, request, more_headers);
      const bool again = code_of_status(response.status) == Code::kUnavailable ||
                         (transient && transient(response));
      if (!again || !request.retry) return response;
      setback = setback_of(request, response, explain(response));
    } catch (const HttpConnectionError& error) {
      if (!request.retry) throw;
      setback.what = error.what();
      setback.may_repeat = is_safe(request) || error.nothing_sent();
    }
    const auto wait = setback.may_repeat ? call.backoff(attempt, setback.retry_after)
                                         : std::optional<nanoseconds>();
    if (!wait) give_up(request, setback, attempt);
    wait_or_cancel(call, *wait);
  }
}

HttpResponse HttpClient::require(Call& call, const HttpRequest& request) {
  HttpResponse response = send(call, request);
  if (!is_expected(request, response)) throw_status(request, response, explain(response));
  return response;
}

void wait_or_cancel(Call& call, nanoseconds time) {
  const auto until = steady_clock::now() + time;
  for (;;) {
    call.throw_if_cancelled();
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return;
    pollfd cancelled{call.cancel_fd(), POLLIN, 0};
    poll(&cancelled, 1, static_cast<int>(std::min<int64_t>(left, 86'400'000)));
  }
}

}  // namespace patchbay
