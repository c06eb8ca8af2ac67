#include "transfer.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace patchbay {
namespace {

using std::chrono::milliseconds;

// Far above any honest server's; libcurl itself only limits single lines.
constexpr size_t kMostHeadBytes = 256 << 10;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool has_body(const HttpRequest& request) {
  return request.source || !request.body.empty() || request.method == "POST" ||
         request.method == "PUT" || request.method == "PATCH";
}

// Keeps an easy handle in a multi handle.
class Added {
 public:
  Added(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) {
    curl_multi_add_handle(multi_, easy_);
  }
  ~Added() { curl_multi_remove_handle(multi_, easy_); }
  Added(const Added&) = delete;
  Added& operator=(const Added&) = delete;

 private:
  CURLM* multi_;
  CURL* easy_;
};

}  // namespace

Transfer::Transfer(CURL* easy, const HttpOptions& options, const HttpRequest& request,
                   const TransferTarget& target)
    : easy_(easy), options_(options), request_(request), target_(target) {
  curl_easy_reset(easy_);
  set_up_connection();
  set_up_trust();
  set_up_request();
  if (has_body(request_)) set_up_body();
}

Transfer::~Transfer() {
  curl_easy_reset(easy_);  // nothing in it points here any more
  curl_slist_free_all(headers_);
}

void Transfer::set_up_connection() {
  set(CURLOPT_ERRORBUFFER, error_text_);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a cancelled call does not wait for a name server
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  if (!options_.proxy.empty()) set(CURLOPT_PROXY, options_.proxy.c_str());
  // Plain http is allowed to this machine because it does not leave it.
  if (options_.direct || is_loopback(target_.url)) set(CURLOPT_NOPROXY, "*");
}

void Transfer::set_up_trust() {
  if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!target_.ca_dir.empty()) set(CURLOPT_CAPATH, target_.ca_dir.c_str());
}

void Transfer::set_up_request() {
  for (const auto& header : request_.headers) add_header(header);
  for (const auto& header : target_.more_headers) add_header(header);
  if (!target_.request_id.empty()) add_header("X-Request-Id: " + target_.request_id);
  add_header("Expect:");  // 100-continue costs a round trip, or a second
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_URL, target_.url.c_str());
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  if (request_.accept_encoding) set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  if (request_.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

// Bodies are read by callback, so that libcurl has to ask before it sends one twice: it repeats a
// request of its own accord where a kept connection breaks before the first byte of the answer.
// An empty body leaves it nothing to ask for, hence a connection of its own.
void Transfer::set_up_body() {
  const auto size =
      request_.source ? request_.source->size() : std::optional<uint64_t>(request_.body.size());
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_INFILESIZE_LARGE, size ? static_cast<curl_off_t>(*size) : curl_off_t{-1});
  set(CURLOPT_READFUNCTION, &Transfer::on_read);
  set(CURLOPT_READDATA, this);
  set(CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
  set(CURLOPT_SEEKDATA, this);
  set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
  if (!target_.safe_to_repeat && size == 0u) set(CURLOPT_FRESH_CONNECT, 1L);
  if (request_.source) request_.source->rewind();
}

void Transfer::add_header(const std::string& header) {
  if (header.find_first_of("\r\n") != std::string::npos) {
    throw Error(Code::kConfig, "header " + header.substr(0, header.find(':')) +
                                   ": its value must not have line breaks");
  }
  headers_ = curl_slist_append(headers_, header.c_str());
}

size_t Transfer::on_body(char* data, size_t, size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    if (!transfer.take_body({data, size})) return 0;
  } catch (...) {
    transfer.failure_ = std::current_exception();
    return 0;
  }
  transfer.last_byte_ = Clock::now();
  return size;
}

bool Transfer::take_body(std::string_view bytes) {
  if (!sink_begun_) begin_sink();
  if (sink_begun_) {
    request_.sink->write(bytes);
    return true;
  }
  if (response_.body.size() + bytes.size() > options_.max_response_bytes) {
    refusal_ =
        "the body is over the limit of " + std::to_string(options_.max_response_bytes) + " bytes";
    return false;
  }
  if (response_.body.empty()) reserve_body();
  response_.body.append(bytes);
  return true;
}

// A body that grows step by step takes twice its size while it does. Parsers of JSON read a little
// past the end, and would have to copy it for that.
void Transfer::reserve_body() {
  constexpr size_t kPadding = 64;
  curl_off_t size = 0;
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
  if (size > 0)
    response_.body.reserve(std::min<size_t>(size, options_.max_response_bytes) + kPadding);
}

void Transfer::begin_sink() {
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &response_.status);
  if (!request_.sink || response_.status < 200 || response_.status >= 300) return;
  request_.sink->begin(response_);
  sink_begun_ = true;
}

size_t Transfer::on_header(char* data, size_t, size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.last_byte_ = Clock::now();
  transfer.head_bytes_ += size;
  if (transfer.head_bytes_ > kMostHeadBytes) {
    transfer.refusal_ =
        "the headers are over the limit of " + std::to_string(kMostHeadBytes) + " bytes";
    return 0;
  }
  transfer.take_header({data, size});
  return size;
}

void Transfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // 100 Continue and the like come before the answer
    response_.headers.clear();
    head_complete_ = false;
  } else if (trim(line).empty()) {
    head_complete_ = true;
  } else if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
    response_.headers.emplace(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
}

size_t Transfer::on_read(char* into, size_t, size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.request_.source) {
    const std::string& body = transfer.request_.body;
    size = std::min(size, body.size() - transfer.body_sent_);
    std::memcpy(into, body.data() + transfer.body_sent_, size);
    transfer.body_sent_ += size;
    return size;
  }
  try {
    return transfer.request_.source->read({into, size});
  } catch (...) {
    transfer.failure_ = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

int Transfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (offset != 0 || origin != SEEK_SET || !transfer.target_.safe_to_repeat)
    return CURL_SEEKFUNC_FAIL;
  transfer.body_sent_ = 0;
  try {
    if (transfer.request_.source) transfer.request_.source->rewind();
  } catch (...) {
    transfer.failure_ = std::current_exception();
    return CURL_SEEKFUNC_FAIL;
  }
  return CURL_SEEKFUNC_OK;
}

int Transfer::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (sent != transfer.sent_) transfer.last_byte_ = Clock::now();
  transfer.sent_ = sent;
  return 0;
}

HttpResponse Transfer::run(CURLM* multi, Call& call) {
  auto total = options_.total_timeout;
  if (call.deadline() != Clock::time_point::max()) {
    const auto left = std::chrono::ceil<milliseconds>(call.deadline() - Clock::now());
    total = std::clamp(left, milliseconds(1), total);
  }
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(total.count()));
  call.throw_if_cancelled();
  const Added added(multi, easy_);
  const CURLcode result = wait(multi, call);
  if (failure_) std::rethrow_exception(failure_);
  if (!refusal_.empty()) refuse(refusal_);
  if (result != CURLE_OK) fail(result);
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &response_.status);
  // libcurl takes a connection that closes among the headers for a response without a body.
  if (!head_complete_ || response_.status < 200) {
    throw HttpConnectionError(describe(request_) + ": the answer ends among its headers", false);
  }
  if (!sink_begun_) begin_sink();
  return std::move(response_);
}

CURLcode Transfer::wait(CURLM* multi, Call& call) {
  for (int running = 1;;) {
    curl_multi_perform(multi, &running);
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi, &left)) return message->data.result;
    check_idle();
    const auto quiet = std::chrono::ceil<milliseconds>(Clock::now() - last_byte_);
    curl_waitfd cancelled{call.cancel_fd(), CURL_WAIT_POLLIN, 0};
    const auto most =
        std::clamp(options_.idle_timeout - quiet, milliseconds(1), milliseconds(1000));
    curl_multi_poll(multi, &cancelled, 1, static_cast<int>(most.count()), nullptr);
    if (cancelled.revents != 0) call.throw_if_cancelled();
  }
}

void Transfer::check_idle() const {
  if (Clock::now() - last_byte_ < options_.idle_timeout) return;
  throw HttpConnectionError(describe(request_) + ": no byte came or went for " +
                                std::to_string(options_.idle_timeout.count()) + " ms",
                            nothing_sent());
}

bool Transfer::nothing_sent() const {
  long bytes = 0;
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &bytes);
  return bytes == 0;
}

void Transfer::fail(CURLcode result) const {
  const std::string reason =
      redact(request_, error_text_[0] ? error_text_ : curl_easy_strerror(result));
  switch (result) {
    case CURLE_PEER_FAILED_VERIFICATION:
      refuse("the server's certificate is not trusted: " + reason +
             "; ca_file or SSL_CERT_FILE names others to trust");
    case CURLE_SSL_CACERT_BADFILE:
      throw Error(Code::kConfig, "ca_file: cannot be used: " + reason);
    case CURLE_SEND_FAIL_REWIND:  // see set_up_body
      throw HttpConnectionError(describe(request_) + ": the connection broke before the answer",
                                false);
    default:
      throw HttpConnectionError(describe(request_) + ": " + reason, nothing_sent());
  }
}

void Transfer::refuse(const std::string& why) const {
  throw Error(Code::kRemote, describe(request_) + ": " + why);
}

}  // namespace patchbay
