// Text to tokens as Spark's RegexTokenizer and StopWordsRemover make them.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace patchbay {

struct TokenizerConfig {
  std::string pattern;  // RE2 syntax; \W is ASCII, as in Java
  bool gaps = true;     // the pattern matches what is between tokens; else the tokens
  bool lowercase = true;
  size_t min_length = 1;  // in UTF-16 units, as Java counts
  std::vector<std::string> stop_words;
};

class Tokenizer {
 public:
  explicit Tokenizer(TokenizerConfig config);  // throws kConfig for a pattern that is none

  // Valid until the next call. Not for several threads at a time.
  const std::vector<std::string_view>& tokens(std::string_view text);
  // Whether a word can come out as a token at all: "Good" can't where tokens are lower case.
  bool can_yield(std::string_view word);

 private:
  void split_words(std::string_view text);
  void split(std::string_view text);
  void find(std::string_view text);
  void add(std::string_view token);

  const TokenizerConfig config_;
  const re2::RE2 pattern_;
  const bool plain_;  // the pattern is \W or \W+: bytes tell, no matching is needed
  std::unordered_set<std::string> stop_words_;  // lower case
  std::string lowered_, word_;
  std::vector<std::string_view> tokens_;
};

// As Java's String.toLowerCase: Unicode, the final sigma and the dotted capital I included.
void append_lower(std::string& out, std::string_view text);

// The words that Spark's StopWordsRemover removes by default.
const std::vector<std::string>& english_stop_words();

}  // namespace patchbay
