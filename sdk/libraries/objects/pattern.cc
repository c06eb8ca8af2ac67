#include <algorithm>

#include "patchbay/objects/objects.h"

namespace patchbay {
namespace {

constexpr std::string_view kWildcards = "*?";

size_t character_size(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - at;
}

// All places in the pattern that the name read so far can have led to.
class Places {
 public:
  explicit Places(std::string_view pattern) : pattern_(pattern), here_(pattern.size() + 1) {
    enter(here_, 0);
  }

  void read(std::string_view character) {
    std::vector<bool> next(here_.size());
    for (size_t at = 0; at < pattern_.size(); ++at) {
      if (here_[at]) step(next, at, character);
    }
    here_ = std::move(next);
  }

  bool at_end() const { return here_.back(); }

 private:
  bool has(size_t at, std::string_view text) const { return pattern_.substr(at).starts_with(text); }

  // Stars may stand for nothing.
  void enter(std::vector<bool>& places, size_t at) const {
    for (; !places[at]; at += has(at, "**/") ? 3 : has(at, "**") ? 2 : 1) {
      places[at] = true;
      if (at == pattern_.size() || pattern_[at] != '*') return;
    }
  }

  void step(std::vector<bool>& next, size_t at, std::string_view character) const {
    const bool slash = character == "/";
    if (has(at, "**/")) {
      next[at] = true;
      if (slash) enter(next, at + 3);
    } else if (has(at, "**") || (pattern_[at] == '*' && !slash)) {
      enter(next, at);
    } else if (pattern_[at] == '?') {
      if (!slash) enter(next, at + 1);
    } else if (has(at, character)) {
      enter(next, at + character.size());
    }
  }

  const std::string_view pattern_;
  std::vector<bool> here_;
};

bool match(std::string_view pattern, std::string_view name) {
  Places places(pattern);
  for (size_t at = 0; at < name.size();) {
    const size_t size = character_size(name, at);
    places.read(name.substr(at, size));
    at += size;
  }
  return places.at_end();
}

std::string_view literal_prefix(std::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of(kWildcards));
}

bool is_hidden(std::string_view name, size_t folder_end) {
  return name.substr(folder_end).starts_with('.') ||
         name.find("/.", folder_end) != std::string_view::npos;
}

// The brace that closes the one at `open`, and the commas between them.
size_t closing_brace(std::string_view pattern, size_t open, std::vector<size_t>& commas) {
  int depth = 0;
  for (size_t at = open; at < pattern.size(); ++at) {
    if (pattern[at] == '{') ++depth;
    if (pattern[at] == '}' && --depth == 0) return at;
    if (pattern[at] == ',' && depth == 1) commas.push_back(at);
  }
  return std::string_view::npos;
}

}  // namespace

bool is_pattern(std::string_view path) {
  return path.find_first_of("*?{") != std::string_view::npos;
}

std::vector<std::string> expand_braces(const std::string& pattern) {
  const size_t open = pattern.find('{');
  std::vector<size_t> ends;
  const size_t close = open == std::string::npos ? open : closing_brace(pattern, open, ends);
  if (close == std::string::npos) return {pattern};
  ends.push_back(close);
  std::vector<std::string> out;
  for (size_t begin = open + 1; const size_t end : ends) {
    const std::string chosen = pattern.substr(begin, end - begin) + pattern.substr(close + 1);
    for (const auto& rest : expand_braces(chosen)) out.push_back(pattern.substr(0, open) + rest);
    begin = end + 1;
  }
  return out;
}

bool matches(const std::string& pattern, std::string_view name) {
  const auto patterns = expand_braces(pattern);
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& one) { return match(one, name); });
}

bool finds(const std::string& pattern, std::string_view name) {
  if (name.empty() || name.ends_with('/')) return false;
  const auto patterns = expand_braces(pattern);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& one) {
    if (!match(one, name)) return false;
    const std::string_view fixed = literal_prefix(one);
    if (fixed.size() == one.size()) return true;
    const size_t folder_end = fixed.rfind('/') == std::string_view::npos ? 0 : fixed.rfind('/') + 1;
    return is_hidden(one, folder_end) || !is_hidden(name, folder_end);
  });
}

std::vector<ListedPrefix> list_prefixes(const std::string& pattern) {
  std::vector<ListedPrefix> out;
  for (const auto& one : expand_braces(pattern)) {
    const std::string prefix(literal_prefix(one));
    const std::string rest = one.substr(prefix.size());
    out.push_back({prefix, rest.find('/') == std::string::npos && !rest.starts_with("**") &&
                               rest.find("**") == std::string::npos});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
  std::vector<ListedPrefix> kept;
  for (const auto& next : out) {
    if (kept.empty() || !next.prefix.starts_with(kept.back().prefix)) {
      kept.push_back(next);
    } else {
      kept.back().flat = kept.back().flat && next.flat &&
                         next.prefix.find('/', kept.back().prefix.size()) == std::string::npos;
    }
  }
  return kept;
}

std::string default_stream(std::string_view path, const std::string& fallback) {
  const size_t slash = path.rfind('/');
  if (!is_pattern(path)) {
    const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    return std::string(name.substr(0, name.find('.', 1)));
  }
  std::string folder = fallback;
  for (size_t begin = 0; slash != std::string_view::npos && begin <= slash;) {
    const size_t end = path.find('/', begin);
    const std::string_view part = path.substr(begin, end - begin);
    if (!part.empty() && part != "." && !is_pattern(part)) folder = part;
    begin = end + 1;
  }
  return folder;
}

}  // namespace patchbay
