#include "patchbay/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>

namespace patchbay {
namespace {

// A parsed URL; a part that is missing is empty.
class Url {
 public:
  explicit Url(const std::string& text) : url_(curl_url(), &curl_url_cleanup) { set(text); }
  void set(const std::string& text) {
    ok_ = curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  std::string get(CURLUPart part) const {
    char* value = nullptr;
    if (!ok_ || curl_url_get(url_.get(), part, &value, 0) != CURLUE_OK) return "";
    const std::string out(value);
    curl_free(value);
    return out;
  }
  bool is_http() const {
    const std::string scheme = get(CURLUPART_SCHEME);
    return (scheme == "http" || scheme == "https") && !get(CURLUPART_HOST).empty();
  }

 private:
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url_;
  bool ok_ = false;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string origin_of(const Url& url) {
  if (!url.is_http()) return "";
  const std::string scheme = url.get(CURLUPART_SCHEME), port = url.get(CURLUPART_PORT);
  const std::string origin = scheme + "://" + lower(url.get(CURLUPART_HOST));
  return port.empty() || port == (scheme == "https" ? "443" : "80") ? origin : origin + ":" + port;
}

}  // namespace

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

Query& Query::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += '&';
  text_ += percent_encode(name) + "=" + percent_encode(value);
  return *this;
}

std::string Query::on(const std::string& url) const {
  if (text_.empty()) return url;
  return url + (url.find('?') == std::string::npos ? "?" : "&") + text_;
}

std::string origin_of(const std::string& url) { return origin_of(Url(url)); }

bool same_origin(const std::string& a, const std::string& b) {
  const std::string origin = origin_of(a);
  return !origin.empty() && origin == origin_of(b);
}

bool is_loopback(const std::string& url) {
  const std::string host = lower(Url(url).get(CURLUPART_HOST));
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

std::string resolve_url(const std::string& base, const std::string& reference) {
  Url url(base);
  if (!url.is_http()) return "";
  url.set(reference);
  return url.is_http() ? url.get(CURLUPART_URL) : "";
}

std::string public_url(const std::string& url) {
  const Url parsed(url);
  if (parsed.is_http()) return origin_of(parsed) + parsed.get(CURLUPART_PATH);
  return "a text that is no URL";
}

}  // namespace patchbay
