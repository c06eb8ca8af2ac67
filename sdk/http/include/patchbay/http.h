// HTTP for plugins, on libcurl: kept connections, deadlines, cancellation, and repeats of what is
// safe to repeat.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/call.h"
#include "patchbay/url.h"

namespace patchbay {

struct HttpOptions {
  std::string option = "base_url";  // the configuration option that URLs come from, for messages
  bool allow_http = false;          // plain http to others than this machine
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};    // no byte in either direction
  std::chrono::milliseconds total_timeout{600'000};  // of one attempt
  size_t max_response_bytes = 64 << 20;              // decoded, kept in memory
  bool follow_redirects = false;  // GET and HEAD, within one origin; elsewhere is Error kRemote
  bool send_request_id = false;   // x-request-id, one per request whatever its attempts
  std::string proxy;              // default: http_proxy, https_proxy, no_proxy
  bool direct = false;            // no proxy, whatever the environment says
  std::string ca_file;  // default: CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR, the system's
  std::string user_agent = default_user_agent();

  static std::string default_user_agent();  // patchbay/<version>

  // How patient the option `timeout` is: so long without a byte, ten times as long for the whole of
  // one attempt.
  void set_timeout(double seconds);
};

// A body that is not kept in memory.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual std::optional<uint64_t> size() const = 0;  // nothing = unknown: sent in chunks
  virtual void rewind() = 0;                         // to the start, before each attempt
  virtual size_t read(std::span<char> into) = 0;     // 0 at the end
};

struct HttpResponse {
  long status = 0;
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(std::string_view name) const;  // of any case; empty where missing
  std::string request_id() const;                   // the server's name of the exchange, or empty
};

// Takes the body of a 2xx response piece by piece; other bodies go into HttpResponse::body.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void begin(const HttpResponse& head) = 0;  // again after a break: drop what came before
  virtual void write(std::string_view bytes) = 0;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"; never part of a message
  std::string body;
  BodySource* source = nullptr;  // in place of body
  BodySink* sink = nullptr;
  // May a repeat do harm? GET, HEAD, PUT, DELETE and OPTIONS are safe unless said otherwise, the
  // rest is not: it is repeated only where nothing was sent, or after 429 and 503 with Retry-After.
  std::optional<bool> safe_to_repeat;
  bool retry = true;                 // false: one attempt, for probing
  bool accept_encoding = true;       // gzip and the like, decoded
  std::vector<int> expected;         // statuses that `require` lets through; empty = 2xx
  std::vector<std::string> secrets;  // values that no message shows, beyond those of headers that
                                     // carry credentials
  // Where the request carries a record's values: what the remote says of it without them.
  std::function<std::string(const std::string&)> without_values;
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
// The remote's own words about a failure, without a record's values; empty = none.
using Explain = std::function<std::string(const HttpResponse&)>;

// Used by one thread at a time; connections are kept between requests, nothing is shared between
// clients. The environment is read once, here.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options, Explain explain = nullptr);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status that is not transient. Throws Error: kUnavailable when the repeats that the pipeline
  // allows are used up, kRemote for a body over the limit, an untrusted certificate or a redirect
  // to another origin, kConfig for plain http to another machine, kCancelled. Messages name method,
  // URL without its query, status and attempts; detail_json has them too, and the request's id.
  // `more_headers` come after the request's own: a token that the request's maker does not know.
  HttpResponse send(Call& call, const HttpRequest& request, const IsTransient& transient = nullptr,
                    const std::vector<std::string>& more_headers = {});
  // As send; a status that is not expected throws by code_of_status, with what Explain makes of it.
  HttpResponse require(Call& call, const HttpRequest& request);
  const HttpOptions& options() const { return options_; }

 private:
  HttpResponse follow(Call& call, const HttpRequest& request,
                      const std::vector<std::string>& more_headers);
  void check_url(const std::string& url) const;
  std::string explain(const HttpResponse& response) const;

  HttpOptions options_;
  const Explain explain_;
  std::string ca_dir_;
  void* multi_;
  void* easy_;
};

// Waits, or throws kCancelled. For repeats that only the caller can decide on, after Call::backoff.
void wait_or_cancel(Call& call, std::chrono::nanoseconds time);

// "GET https://host/path": what messages say. See public_url.
std::string describe(const HttpRequest& request);
// `text` with *** for the request's secrets and any bearer token, control characters as spaces, at
// most 1000 bytes: fit for a message.
std::string redact(const HttpRequest& request, std::string text);
// One of request.expected, or 2xx where that is empty.
bool is_expected(const HttpRequest& request, const HttpResponse& response);
// kAuth for 401, 403 and 407, kNotFound for 404, kUnavailable for 408, 429 and 5xx, kRemote for the
// rest.
Code code_of_status(long status);
// describe() + ": answered 404: detail"; the detail is the caller's choice of words from the body.
[[noreturn]] void throw_status(const HttpRequest& request, const HttpResponse& response,
                               const std::string& detail);
[[noreturn]] void throw_status(const HttpRequest& request, const HttpResponse& response,
                               const std::string& detail, Code code);
// Seconds or an HTTP date (RFC 9110, 10.2.3); nothing for other text.
std::optional<std::chrono::nanoseconds> parse_retry_after(const std::string& value);

}  // namespace patchbay
