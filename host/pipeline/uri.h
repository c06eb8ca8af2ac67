// Places as `copy` is told them: paths, and URIs with parameters.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchbay::host {

// RFC 3986, as far as it matters here. A path is a URI without a scheme.
struct Uri {
  std::string scheme, host, path, base;  // base: without parameters
  std::vector<std::pair<std::string, std::string>> parameters;
};

// %41 as A; a percent sign that begins no such code stays.
std::string decode_percent(std::string_view text);

// Names of files may hold question marks, so parameters are looked for behind a scheme only.
Uri parse_uri(const std::string& text);

}  // namespace patchbay::host
