// Patterns that name objects, as in `in/**/orders-{eu,us}*.csv`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

class Pattern;

// What to list so that every match is among it.
struct ListedPrefix {
  std::string prefix;             // what the names begin with
  bool flat = false;              // nothing below a further slash is wanted
  const Pattern* only = nullptr;  // names that it does not find may be left out; null = none may
};

// A path as a user writes it. `*` and `?` stop at a slash, `**` does not; `**/` also stands for
// nothing; `?` is one UTF-8 character; {a,b} are alternatives, also within each other. A path
// without any of these names itself alone. Matching takes time that grows with the product of both
// lengths at most, whatever the pattern.
class Pattern {
 public:
  explicit Pattern(const std::string& path);

  const std::string& text() const { return text_; }
  // Whether the path has a wildcard or an alternative. An object may have such a name itself.
  bool is_pattern() const;

  bool matches(std::string_view name) const;
  // As matches, without names that begin with a dot below the pattern's fixed part, unless the
  // pattern names the dot, and without the empty objects that stand for folders ("a/").
  bool finds(std::string_view name) const;

  // The text before the first wildcard of each alternative, less what another one covers: each
  // match is below exactly one of them. They refer to this pattern.
  std::vector<ListedPrefix> prefixes() const;

 private:
  struct Alternative {
    std::string text;
    size_t fixed;    // length of the text before the first wildcard
    size_t folder;   // length of that up to its last slash
    bool names_dot;  // a part after `folder` begins with a dot
    bool deep;       // it has `**`
  };
  static bool matches(const Alternative& alternative, std::string_view name);

  std::string text_;
  std::vector<Alternative> alternatives_;
};

bool is_pattern(std::string_view path);

// What a stream is called if the pipeline does not say: a single object's name up to its first
// dot; of a pattern the innermost folder without wildcards, or `fallback`.
std::string default_stream(std::string_view path, const std::string& fallback);

}  // namespace patchbay
