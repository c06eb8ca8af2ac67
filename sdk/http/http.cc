#include "patchbay/http.h"

#include <curl/curl.h>
#include <poll.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <mutex>

namespace patchbay {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

bool is_safe(const HttpRequest& request) {
  if (request.safe_to_repeat) return *request.safe_to_repeat;
  return request.method != "POST" && request.method != "PATCH";
}

bool is_transient_status(long status) { return status == 408 || status == 429 || status >= 500; }

std::string attempts_text(uint32_t attempts) {
  return attempts == 1 ? "" : " (" + std::to_string(attempts) + " attempts)";
}

class Headers {
 public:
  void add(const std::string& header) { list_ = curl_slist_append(list_, header.c_str()); }
  ~Headers() { curl_slist_free_all(list_); }
  Headers() = default;
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

}  // namespace

// What one attempt receives.
class HttpClient::Transfer {
 public:
  explicit Transfer(size_t max_bytes) : max_bytes_(max_bytes) {}

  static size_t on_body(char* data, size_t, size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.last_byte = std::chrono::steady_clock::now();
    if (transfer.response.body.size() + size > transfer.max_bytes_) {
      transfer.too_large = true;
      return 0;
    }
    transfer.response.body.append(data, size);
    return size;
  }
  static size_t on_header(char* data, size_t, size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.last_byte = std::chrono::steady_clock::now();
    const std::string_view line(data, size);
    if (line.starts_with("HTTP/")) transfer.response.headers.clear();  // 100 Continue comes before
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      transfer.response.headers.emplace(lower(line.substr(0, colon)),
                                        std::string(trim(line.substr(colon + 1))));
    }
    return size;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (sent != transfer.sent) transfer.last_byte = std::chrono::steady_clock::now();
    transfer.sent = sent;
    return 0;
  }

  HttpResponse response;
  bool too_large = false;
  curl_off_t sent = 0;
  std::chrono::steady_clock::time_point last_byte = std::chrono::steady_clock::now();

 private:
  const size_t max_bytes_;
};

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
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
  if (origin.starts_with("http://") && (options_.allow_http || is_loopback(url))) return;
  if (origin.starts_with("http://")) {
    throw Error(
        Code::kConfig,
        options_.option + ": " + origin +
            " is plain http; use https, or set allow_http: true where the network is trusted");
  }
  throw Error(Code::kConfig, options_.option + ": must be a URL that begins with https://");
}

HttpResponse HttpClient::attempt(Call& call, const HttpRequest& request) {
  CURL* easy = easy_;
  curl_easy_reset(easy);
  Transfer transfer(options_.max_response_bytes);
  Headers headers;
  for (const auto& header : request.headers) headers.add(header);
  headers.add("Expect:");
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_USERAGENT, "patchbay");
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_timeout.count()));
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  if (request.accept_encoding) set(CURLOPT_ACCEPT_ENCODING, "");
  if (!options_.proxy.empty()) set(CURLOPT_PROXY, options_.proxy.c_str());
  std::string ca = options_.ca_file;
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* value = std::getenv(name);
    if (ca.empty() && value) ca = value;
  }
  if (!ca.empty()) set(CURLOPT_CAINFO, ca.c_str());
  if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
      request.method == "PATCH") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());

  struct Added {
    CURLM* multi;
    CURL* easy;
    Added(CURLM* m, CURL* e) : multi(m), easy(e) { curl_multi_add_handle(multi, easy); }
    ~Added() { curl_multi_remove_handle(multi, easy); }
    Added(const Added&) = delete;
    Added& operator=(const Added&) = delete;
  } added(multi_, easy);

  CURLcode result = CURLE_OK;
  for (int running = 1;;) {
    curl_multi_perform(multi_, &running);
    int left = 0;
    if (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      result = message->data.result;
      break;
    }
    curl_waitfd cancelled{call.cancel_fd(), CURL_WAIT_POLLIN, 0};
    curl_multi_poll(multi_, &cancelled, 1, 1000, nullptr);
    if (cancelled.revents != 0) throw Error(Code::kCancelled, "cancelled");
    if (std::chrono::steady_clock::now() - transfer.last_byte > options_.idle_timeout) {
      throw HttpConnectionError(
          describe(request) + ": nothing came for " +
              std::to_string(std::chrono::duration_cast<seconds>(options_.idle_timeout).count()) +
              " s",
          false);
    }
  }
  if (transfer.too_large) {
    throw Error(Code::kRemote, describe(request) + ": the body is over the limit of " +
                                   std::to_string(options_.max_response_bytes) + " bytes");
  }
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &transfer.response.status);
  if (result == CURLE_OK) return std::move(transfer.response);
  const bool nothing_sent = result == CURLE_COULDNT_CONNECT ||
                            result == CURLE_COULDNT_RESOLVE_HOST ||
                            result == CURLE_COULDNT_RESOLVE_PROXY;
  if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE) {
    throw Error(Code::kAuth, describe(request) + ": the server's certificate is not trusted: " +
                                 curl_easy_strerror(result) + "; set ca_file, or SSL_CERT_FILE");
  }
  throw HttpConnectionError(describe(request) + ": " + curl_easy_strerror(result), nothing_sent);
}

HttpResponse HttpClient::send(Call& call, const HttpRequest& request,
                              const IsTransient& transient) {
  check_url(request.url);
  for (uint32_t attempt_number = 1;; ++attempt_number) {
    std::string what;
    std::optional<nanoseconds> retry_after;
    bool repeat = is_safe(request);
    try {
      HttpResponse response = attempt(call, request);
      const bool again = is_transient_status(response.status) || (transient && transient(response));
      if (!again) return response;
      retry_after = parse_retry_after(response.header("retry-after"));
      repeat = repeat || ((response.status == 429 || response.status == 503) && retry_after);
      what = describe(request) + ": answered " + std::to_string(response.status);
      if (retry_after)
        what += ", asking to wait " + std::to_string(retry_after->count() / 1'000'000'000) + " s";
    } catch (const HttpConnectionError& error) {
      what = error.what();
      if (!repeat && !error.nothing_sent()) throw;
      repeat = true;
    }
    const auto time = repeat ? call.backoff(attempt_number, retry_after) : std::nullopt;
    if (!time) throw Error(Code::kUnavailable, what + attempts_text(attempt_number));
    wait_or_cancel(call, *time);
  }
}

void wait_or_cancel(Call& call, nanoseconds time) {
  const auto ms = std::chrono::ceil<milliseconds>(time).count();
  pollfd cancelled{call.cancel_fd(), POLLIN, 0};
  poll(&cancelled, 1, static_cast<int>(std::min<int64_t>(ms, 86'400'000)));
  call.throw_if_cancelled();
}

std::string HttpResponse::header(const std::string& lower_name) const {
  const auto found = headers.find(lower_name);
  return found == headers.end() ? "" : found->second;
}

std::string describe(const HttpRequest& request) {
  return request.method + " " + request.url.substr(0, request.url.find('?'));
}

Code code_of_status(long status) {
  if (status == 401 || status == 403) return Code::kAuth;
  if (status == 404) return Code::kNotFound;
  return is_transient_status(status) ? Code::kUnavailable : Code::kRemote;
}

void throw_status(const HttpRequest& request, const HttpResponse& response,
                  const std::string& detail) {
  std::string text = describe(request) + ": answered " + std::to_string(response.status);
  if (!detail.empty()) text += ": " + detail;
  std::string ids;
  for (const char* name : {"x-request-id", "x-goog-request-id", "x-guploader-uploadid"}) {
    const std::string id = response.header(name);
    if (ids.empty() && !id.empty()) ids = " (request " + id.substr(0, 100) + ")";
  }
  throw Error(code_of_status(response.status), text + ids);
}

std::string percent_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if ((u < 0x80 && std::isalnum(u)) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  return out;
}

std::string origin_of(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "";
  const size_t end = std::min(url.find_first_of("/?#", scheme + 3), url.size());
  std::string origin = lower(url.substr(0, end));
  const size_t user = origin.find('@');
  if (user != std::string::npos) origin = origin.substr(0, scheme + 3) + origin.substr(user + 1);
  if (origin.starts_with("https://") && origin.ends_with(":443")) origin.resize(origin.size() - 4);
  if (origin.starts_with("http://") && origin.ends_with(":80")) origin.resize(origin.size() - 3);
  return origin;
}

bool is_loopback(const std::string& url) {
  const std::string origin = origin_of(url);
  std::string host = origin.substr(std::min(origin.find("://") + 3, origin.size()));
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return host == "localhost" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

std::optional<nanoseconds> parse_retry_after(const std::string& value) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size() && number >= 0) {
    return seconds(std::min<int64_t>(number, 86'400 * 365));
  }
  const time_t at = value.empty() ? -1 : curl_getdate(value.c_str(), nullptr);
  if (at < 0) return std::nullopt;
  return seconds(std::max<int64_t>(0, at - std::time(nullptr)));
}

}  // namespace patchbay
