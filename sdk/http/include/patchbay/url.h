// URLs: what identifies a server, and queries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchbay {

std::string percent_encode(std::string_view text);  // RFC 3986: all but unreserved characters

// name=value pairs, percent-encoded and joined by &: the query of a URL, or the body of a form.
class Query {
 public:
  Query& add(std::string_view name, std::string_view value);
  Query& add(std::string_view name, int64_t value) { return add(name, std::to_string(value)); }
  const std::string& text() const { return text_; }
  std::string on(const std::string& url) const;  // url?text, or url&text where it has a query

 private:
  std::string text_;
};

// scheme://host[:port] in lower case, without a default port; empty where it is no http(s) URL.
std::string origin_of(const std::string& url);
bool same_origin(const std::string& a, const std::string& b);  // false where one is no URL
bool is_loopback(const std::string& url);                      // 127.0.0.0/8, ::1, localhost
// `reference` as seen from `base` (RFC 3986, 5.2); empty where it leads to no http(s) URL.
std::string resolve_url(const std::string& base, const std::string& reference);
// scheme://host[:port]/path: a URL as messages show it. User, query and fragment are left out, they
// may hold secrets or personal data.
std::string public_url(const std::string& url);

}  // namespace patchbay
