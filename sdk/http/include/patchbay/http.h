// HTTP for plugins, on libcurl: kept connections, deadlines, cancellation, and repeats of what is
// safe to repeat.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/call.h"

namespace patchbay {

struct HttpOptions {
  std::string option = "base_url";  // the configuration option that URLs come from, for messages
  bool allow_http = false;          // plain http to others than this machine
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};    // no byte in either direction
  std::chrono::milliseconds total_timeout{600'000};  // of one attempt
  size_t max_response_bytes = 64 << 20;
  std::string proxy;    // default: http_proxy, https_proxy, no_proxy
  std::string ca_file;  // default: SSL_CERT_FILE, CURL_CA_BUNDLE, the system's
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"; never part of a message
  std::string body;
  // May a repeat do harm? GET, HEAD, PUT and DELETE are safe unless said otherwise, POST and PATCH
  // are not: they are repeated only where nothing was sent, or after 429 and 503 with Retry-After.
  std::optional<bool> safe_to_repeat;
  bool accept_encoding = true;  // gzip and the like, decoded
};

struct HttpResponse {
  long status = 0;
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& lower_name) const;  // empty where missing
};

// A failed connection: nothing was answered, or not all of it.
class HttpConnectionError : public Error {
 public:
  HttpConnectionError(const std::string& message, bool nothing_sent)
      : Error(Code::kUnavailable, message), nothing_sent_(nothing_sent) {}
  bool nothing_sent() const { return nothing_sent_; }

 private:
  bool nothing_sent_;
};

// Whether a response is worth another try, beyond 408, 429 and 5xx; for APIs that hide it in the
// body.
using IsTransient = std::function<bool(const HttpResponse&)>;

// Used by one thread at a time; connections are kept between requests.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status that is not transient, redirects included (none is followed). Throws Error:
  // kUnavailable when the repeats that the pipeline allows are used up, kRemote for a body over the
  // limit, kConfig for plain http to another machine, kCancelled. Messages name method, URL without
  // its query, status and attempts.
  HttpResponse send(Call& call, const HttpRequest& request, const IsTransient& transient = nullptr);

 private:
  class Transfer;
  HttpResponse attempt(Call& call, const HttpRequest& request);
  void check_url(const std::string& url) const;

  const HttpOptions options_;
  void* multi_;
  void* easy_;
};

// Waits, or throws kCancelled. For repeats that only the caller can decide on, after Call::backoff.
void wait_or_cancel(Call& call, std::chrono::nanoseconds time);

// "GET https://host/path": what messages say. The query is left out: it may hold secrets or
// personal data.
std::string describe(const HttpRequest& request);
// kAuth for 401 and 403, kNotFound for 404, kUnavailable for 408, 429 and 5xx, kRemote for the
// rest.
Code code_of_status(long status);
// describe() + ": answered 404: detail"; the detail is the caller's choice of words from the body.
[[noreturn]] void throw_status(const HttpRequest& request, const HttpResponse& response,
                               const std::string& detail);

std::string percent_encode(std::string_view text);  // RFC 3986: all but unreserved characters
std::string origin_of(
    const std::string& url);  // scheme://host[:port], lower case; empty where it is no URL
bool is_loopback(const std::string& url);
// Seconds or an HTTP date (RFC 9110, 10.2.3); nothing for other text.
std::optional<std::chrono::nanoseconds> parse_retry_after(const std::string& value);

}  // namespace patchbay
