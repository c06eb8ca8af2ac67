#include "patchbay/google_upload.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace patchbay {
namespace {

using std::chrono::nanoseconds;

class Bytes final : public BodySource {
 public:
  explicit Bytes(std::string_view data) : data_(data) {}
  std::optional<uint64_t> size() const override { return data_.size(); }
  void rewind() override { at_ = 0; }
  size_t read(std::span<char> into) override {
    const size_t size = std::min(into.size(), data_.size() - at_);
    std::memcpy(into.data(), data_.data() + at_, size);
    at_ += size;
    return size;
  }

 private:
  const std::string_view data_;
  size_t at_ = 0;
};

// What a 308 says is stored: "bytes=0-K", K + 1 bytes; without the header nothing.
int64_t stored_bytes(const HttpResponse& response) {
  const std::string range = response.header("range");
  const size_t dash = range.find('-');
  int64_t last = -1;
  if (dash != std::string::npos)
    std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
  return last + 1;
}

bool is_of_google(const std::string& url) {
  const std::string origin = origin_of(url);
  return origin.starts_with("https://") && origin.ends_with(".googleapis.com");
}

// A wait before the server is asked; throws the fault where there were enough.
template <class Give>
void wait_after(Call& call, uint32_t setbacks, std::optional<nanoseconds> retry_after,
                Give give_up) {
  const auto wait = call.backoff(setbacks, retry_after);
  if (!wait) give_up();
  wait_or_cancel(call, *wait);
}

}  // namespace

GoogleUpload::GoogleUpload(Call& call, GoogleApi& api, const HttpRequest& begin)
    : api_(api), without_values_(begin.without_values) {
  session_ = api.require(call, begin).header("location");
  if (origin_of(session_).empty())
    throw Error(Code::kRemote, describe(begin) + ": gave no upload session");
  if (same_origin(session_, begin.url) || is_of_google(session_)) return;
  throw Error(Code::kRemote, describe(begin) + ": gave an upload session on another server, " +
                                 origin_of(session_) + "; credentials do not go there");
}

void GoogleUpload::append(Call& call, std::string_view data) {
  if (!data.empty()) send(call, {data, stored_, false, {}});
}

HttpResponse GoogleUpload::finish(Call& call, std::string_view data,
                                  const std::vector<std::string>& headers) {
  return send(call, {data, stored_, true, headers});
}

// Its query is a credential: whoever has it may write.
HttpRequest GoogleUpload::question(const Piece& piece) const {
  HttpRequest request;
  request.method = "PUT";
  request.url = session_;
  request.headers = {"Content-Range: bytes */" + piece.total()};
  request.secrets = {session_};
  request.without_values = without_values_;
  return request;
}

HttpRequest GoogleUpload::rest_of(const Piece& piece) const {
  HttpRequest request = question(piece);
  request.retry = false;  // the server may have kept a part: it has to be asked first
  if (stored_ < piece.end()) {
    request.safe_to_repeat = false;
    request.headers = {"Content-Range: bytes " + std::to_string(stored_) + "-" +
                       std::to_string(piece.end() - 1) + "/" + piece.total()};
  }
  request.headers.insert(request.headers.end(), piece.headers.begin(), piece.headers.end());
  return request;
}

bool GoogleUpload::is_complete(const HttpRequest& request, const HttpResponse& response,
                               const Piece& piece) {
  const bool complete = response.status == 200 || response.status == 201;
  if (complete && piece.last) return true;
  if (response.status == 404 || response.status == 410 || complete) {
    throw Error(Code::kUnavailable, describe(request) + ": answered " +
                                        std::to_string(response.status) +
                                        ": the upload session is over; it has to begin anew");
  }
  if (response.status != 308) GoogleApi::fail(request, response);
  const int64_t stored = stored_bytes(response);
  if (stored < piece.begin || stored > piece.end()) {
    throw Error(Code::kUnavailable, describe(request) + ": the server has " +
                                        std::to_string(stored) + " bytes where " +
                                        std::to_string(piece.begin) + " to " +
                                        std::to_string(piece.end()) + " were expected");
  }
  stored_ = stored;
  return false;
}

HttpResponse GoogleUpload::send(Call& call, const Piece& piece) {
  for (uint32_t setbacks = 0;;) {
    const int64_t before = stored_;
    Bytes body(piece.data.substr(static_cast<size_t>(stored_ - piece.begin)));
    HttpRequest request = rest_of(piece);
    request.source = &body;
    HttpResponse response;
    std::optional<nanoseconds> retry_after;
    bool asked = false;
    try {
      response = api_.send(call, request);
      retry_after = parse_retry_after(response.header("retry-after"));
      if (GoogleApi::is_transient(response)) GoogleApi::fail(request, response);
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      wait_after(call, ++setbacks, retry_after, [] { throw; });
      request = question(piece);
      response = api_.send(call, request);
      asked = true;
    }
    if (is_complete(request, response, piece)) return response;
    if (stored_ == piece.end() && !piece.last) return response;
    if (stored_ > before) {
      setbacks = 0;
    } else if (!asked) {
      wait_after(call, ++setbacks, retry_after, [&] {
        throw Error(Code::kUnavailable, describe(request) + ": the server keeps none of the bytes");
      });
    }
  }
}

}  // namespace patchbay
