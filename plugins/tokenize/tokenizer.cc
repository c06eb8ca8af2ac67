#include "tokenizer.h"

#include <algorithm>
#include <array>

#include "patchbay/config.h"

namespace patchbay {
namespace {

constexpr auto kWordBytes = [] {
  std::array<bool, 256> word{};
  for (int c = '0'; c <= '9'; ++c) word[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) word[static_cast<size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) word[static_cast<size_t>(c)] = true;
  word['_'] = true;
  return word;
}();

bool is_word(char c) { return kWordBytes[static_cast<unsigned char>(c)]; }

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<signed char>(c) >= 0; });
}

// In UTF-16: a code point beyond U+FFFF, four bytes here, is two units there.
size_t utf16_length(std::string_view text) {
  size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xC0) != 0x80;
    units += byte >= 0xF0;
  }
  return units;
}

re2::RE2::Options quiet() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}

}  // namespace

Tokenizer::Tokenizer(TokenizerConfig config)
    : config_(std::move(config)),
      pattern_(config_.pattern, quiet()),
      plain_(config_.gaps && config_.min_length > 0 &&
             (config_.pattern == "\\W" || config_.pattern == "\\W+")) {
  if (!pattern_.ok()) config_error("pattern", pattern_.error());
  for (const auto& word : config_.stop_words) {
    std::string lower;
    append_lower(lower, word);
    stop_words_.insert(std::move(lower));
  }
}

const std::vector<std::string_view>& Tokenizer::tokens(std::string_view text) {
  tokens_.clear();
  if (config_.lowercase) {
    lowered_.clear();
    append_lower(lowered_, text);
    text = lowered_;
  }
  if (plain_) {
    split_words(text);
  } else if (config_.gaps) {
    split(text);
  } else {
    find(text);
  }
  return tokens_;
}

bool Tokenizer::can_yield(std::string_view word) {
  const std::string whole(word);
  const auto& found = tokens(whole);
  return found.size() == 1 && found[0] == word;
}

void Tokenizer::split_words(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    while (at < text.size() && !is_word(text[at])) ++at;
    const size_t begin = at;
    while (at < text.size() && is_word(text[at])) ++at;
    if (at > begin) add(text.substr(begin, at - begin));
  }
}

// Java's split: empty parts at the end are dropped, one at the beginning only where an empty match
// made it.
void Tokenizer::split(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t begin = 0, at = 0;
  re2::StringPiece match;
  while (at <= text.size() && pattern_.Match({text.data(), text.size()}, at, text.size(),
                                             re2::RE2::UNANCHORED, &match, 1)) {
    const auto from = static_cast<size_t>(match.data() - text.data());
    const size_t to = from + match.size();
    if (to > 0 && (from > begin || to > from)) {
      parts.push_back(text.substr(begin, from - begin));
      begin = to;
    }
    at = to;
    if (match.empty()) {  // on to the next code point
      ++at;
      while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    }
  }
  parts.push_back(text.substr(begin));
  while (parts.size() > 1 && parts.back().empty()) parts.pop_back();
  for (const auto part : parts) add(part);
}

void Tokenizer::find(std::string_view text) {
  re2::StringPiece rest(text.data(), text.size()), match;
  size_t at = 0;
  while (at <= text.size() &&
         pattern_.Match(rest, at, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
    add({match.data(), match.size()});
    at = static_cast<size_t>(match.data() - text.data()) + std::max<size_t>(match.size(), 1);
  }
}

void Tokenizer::add(std::string_view token) {
  if (token.size() < config_.min_length) return;  // no text has more units than bytes
  if (!is_ascii(token) && utf16_length(token) < config_.min_length) return;
  if (!stop_words_.empty()) {
    word_.clear();
    append_lower(word_, token);
    if (stop_words_.contains(word_)) return;
  }
  tokens_.push_back(token);
}

}  // namespace patchbay
