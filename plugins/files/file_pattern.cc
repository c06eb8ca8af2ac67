#include "file_pattern.h"

#include <algorithm>
#include <string_view>

namespace patchbay {
namespace {

namespace fs = std::filesystem;

bool match(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**/")) {
      const std::string_view rest = pattern.substr(3);
      for (size_t at = 0; at != std::string_view::npos;) {
        if (match(rest, path.substr(at))) return true;
        const size_t slash = path.find('/', at);
        at = slash == std::string_view::npos ? slash : slash + 1;
      }
      return false;
    }
    if (pattern.starts_with("**")) {
      for (size_t at = 0; at <= path.size(); ++at) {
        if (match(pattern.substr(2), path.substr(at))) return true;
      }
      return false;
    }
    if (pattern[0] == '*') {
      for (size_t at = 0;; ++at) {
        if (match(pattern.substr(1), path.substr(at))) return true;
        if (at >= path.size() || path[at] == '/') return false;
      }
    }
    if (path.empty() || (pattern[0] == '?' ? path[0] == '/' : pattern[0] != path[0])) return false;
    pattern.remove_prefix(1);
    path.remove_prefix(1);
  }
  return path.empty();
}

// The folder above the first part that has a wildcard.
fs::path fixed_folder(const std::string& pattern) {
  const size_t wild = pattern.find_first_of("*?");
  const size_t slash = pattern.rfind('/', wild);
  return slash == std::string::npos ? "." : slash == 0 ? "/" : pattern.substr(0, slash);
}

bool is_hidden(const fs::path& file, const fs::path& base) {
  for (const auto& part : file.lexically_relative(base)) {
    const std::string name = part.string();
    if (name.size() > 1 && name[0] == '.' && name != "..") return true;
  }
  return false;
}

void find_matching(const std::string& pattern, std::vector<fs::path>& out) {
  if (pattern.find_first_of("*?") == std::string::npos) {
    if (fs::is_regular_file(pattern)) out.emplace_back(pattern);
    return;
  }
  const fs::path base = fixed_folder(pattern);
  const bool hidden = pattern.find("/.") != std::string::npos || pattern.starts_with(".");
  std::error_code gone;
  for (fs::recursive_directory_iterator
           it(base, fs::directory_options::skip_permission_denied, gone),
       end;
       !gone && it != end; it.increment(gone)) {
    std::string path = it->path().string();
    if (base == "." && !pattern.starts_with("./"))
      path = it->path().lexically_relative(".").string();
    if (!it->is_regular_file(gone) || (!hidden && is_hidden(it->path(), base))) continue;
    if (match(pattern, path)) out.emplace_back(path);
  }
}

}  // namespace

bool is_pattern(const std::string& path) { return path.find_first_of("*?{") != std::string::npos; }

std::vector<std::string> expand_braces(const std::string& pattern) {
  const size_t open = pattern.find('{'), close = pattern.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {pattern};
  std::vector<std::string> out;
  for (size_t at = open + 1; at <= close;) {
    const size_t end = std::min(pattern.find(',', at), close);
    for (auto& rest : expand_braces(pattern.substr(close + 1))) {
      out.push_back(pattern.substr(0, open) + pattern.substr(at, end - at) + rest);
    }
    at = end + 1;
  }
  return out;
}

bool matches(const std::string& pattern, const std::string& path) {
  const auto patterns = expand_braces(pattern);
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& one) { return match(one, path); });
}

std::vector<fs::path> find_files(const std::string& pattern) {
  std::vector<fs::path> out;
  for (const auto& one : expand_braces(pattern)) find_matching(one, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace patchbay
