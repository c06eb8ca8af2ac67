#include "patchbay/objects/pattern.h"

#include <algorithm>

#include "patchbay/config.h"

namespace patchbay {
namespace {

size_t character_size(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - at;
}

// All places in a pattern with `**` that the name read so far can have led to.
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

bool match_deep(std::string_view pattern, std::string_view name) {
  Places places(pattern);
  for (size_t at = 0; at < name.size();) {
    const size_t size = character_size(name, at);
    places.read(name.substr(at, size));
    at += size;
  }
  return places.at_end();
}

// Without `**`. A literal is taken as early as it comes, since the star after it can stand for the
// rest: so only the last star is ever tried again.
bool match_flat(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, starred = 0;
  while (n < name.size() || p < pattern.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      starred = n;
    } else if (p < pattern.size() && n < name.size() && pattern[p] == '?' && name[n] != '/') {
      ++p;
      n += character_size(name, n);
    } else if (p < pattern.size() && n < name.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos && starred < name.size() && name[starred] != '/') {
      starred += character_size(name, starred);
      n = starred;
      p = star + 1;
    } else {
      return false;
    }
  }
  return true;
}

bool is_hidden(std::string_view name, size_t folder) {
  return name.substr(folder).starts_with('.') || name.find("/.", folder) != std::string_view::npos;
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

constexpr size_t kMostAlternatives = 1000;

// {a,b} written out: each alternative a pattern of its own.
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
    if (out.size() > kMostAlternatives)
      config_error("path", "its braces stand for more than 1000 names; use * or ?");
    begin = end + 1;
  }
  return out;
}

}  // namespace

bool is_pattern(std::string_view path) {
  return path.find_first_of("*?{") != std::string_view::npos;
}

Pattern::Pattern(const std::string& path) : text_(path) {
  for (auto& text : expand_braces(path)) {
    const size_t fixed = std::min(text.find_first_of("*?"), text.size());
    const size_t folder = std::string_view(text).substr(0, fixed).rfind('/') + 1;
    const bool names_dot = is_hidden(text, folder), deep = text.find("**") != std::string::npos;
    alternatives_.push_back({std::move(text), fixed, folder, names_dot, deep});
  }
}

bool Pattern::is_pattern() const { return patchbay::is_pattern(text_); }

bool Pattern::matches(const Alternative& alternative, std::string_view name) {
  const std::string_view text = alternative.text;
  if (!name.starts_with(text.substr(0, alternative.fixed))) return false;
  const std::string_view pattern = text.substr(alternative.fixed);
  const std::string_view rest = name.substr(alternative.fixed);
  return alternative.deep ? match_deep(pattern, rest) : match_flat(pattern, rest);
}

bool Pattern::matches(std::string_view name) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const auto& one) { return matches(one, name); });
}

bool Pattern::finds(std::string_view name) const {
  if (name.empty() || name.ends_with('/')) return false;
  return std::any_of(alternatives_.begin(), alternatives_.end(), [&](const Alternative& one) {
    if (!matches(one, name)) return false;
    return one.fixed == one.text.size() || one.names_dot || !is_hidden(name, one.folder);
  });
}

std::vector<ListedPrefix> Pattern::prefixes() const {
  std::vector<ListedPrefix> all;
  for (const auto& one : alternatives_) {
    const bool slash = one.text.find('/', one.fixed) != std::string::npos;
    all.push_back({one.text.substr(0, one.fixed), !slash && !one.deep, this});
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
  std::vector<ListedPrefix> kept;
  for (const auto& next : all) {
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
