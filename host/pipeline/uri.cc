#include "pipeline/uri.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

namespace patchbay::host {

std::string decode_percent(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const bool coded = text[i] == '%' && i + 2 < text.size() &&
                       std::from_chars(&text[i + 1], &text[i + 3], value, 16).ptr == &text[i + 3];
    out += coded ? static_cast<char>(value) : text[i];
    if (coded) i += 2;
  }
  return out;
}

Uri parse_uri(const std::string& text) {
  Uri uri;
  const size_t colon = text.find(':');
  const bool scheme =
      colon != std::string::npos && colon > 1 &&
      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
      });
  if (!scheme) {
    uri.path = uri.base = text;
    return uri;
  }
  uri.scheme = text.substr(0, colon);
  const size_t query = std::min(text.find('?'), text.size());
  uri.base = text.substr(0, query);
  std::string rest = uri.base.substr(colon + 1);
  if (rest.starts_with("//")) {
    const size_t slash = std::min(rest.find('/', 2), rest.size());
    uri.host = rest.substr(2, slash - 2);
    rest = rest.substr(std::min(slash + 1, rest.size()));
  }
  uri.path = decode_percent(rest);
  for (size_t at = query + 1; at < text.size();) {
    const size_t end = std::min(text.find('&', at), text.size());
    const size_t equals = std::min(text.find('=', at), end);
    uri.parameters.emplace_back(text.substr(at, equals - at),
                                decode_percent(std::string_view(text).substr(
                                    std::min(equals + 1, end), end - std::min(equals + 1, end))));
    at = end + 1;
  }
  return uri;
}

}  // namespace patchbay::host
