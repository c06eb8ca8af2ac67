#include "patchbay/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "patchbay/text_value.h"

namespace patchbay {
namespace {

// The length of the UTF-8 sequence at the front, 0 where it is none (RFC 3629: no overlong forms,
// no surrogates).
size_t utf8_length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

// Escaped, as at most kLongestEscape bytes.
constexpr size_t kLongestEscape = 6;
char* write_escaped(char* out, unsigned char c) {
  constexpr std::string_view kShort = "\"\"\\\\\nn\rr\tt";  // pairs
  for (size_t i = 0; i < kShort.size(); i += 2) {
    if (static_cast<unsigned char>(kShort[i]) != c) continue;
    *out++ = '\\';
    *out++ = kShort[i + 1];
    return out;
  }
  constexpr char kHex[] = "0123456789abcdef";
  for (const char digit : {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]}) *out++ = digit;
  return out;
}

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 &&
         c != '"' && c != '\\';
}

// Are eight bytes plain? The highest bit of each tells, as in "Bit Twiddling Hacks", hasless: a
// borrow from the byte below may only make one not plain that is.
bool are_plain(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const uint64_t quote = word ^ (kOnes * '"'), backslash = word ^ (kOnes * '\\');
  const uint64_t odd = word | (word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes);
  return (odd & kHigh) == 0;
}

// Moves `text` past what needs no look, to `out`; there is room for all of it.
char* copy_plain(char* out, std::string_view& text) {
  const char *from = text.data(), *const end = from + text.size();
  for (uint64_t word; end - from >= 8; from += 8, out += 8) {
    std::memcpy(&word, from, sizeof word);
    if (!are_plain(word)) break;
    std::memcpy(out, &word, sizeof word);
  }
  while (from != end && is_plain(*from)) *out++ = *from++;
  text.remove_prefix(static_cast<size_t>(from - text.data()));
  return out;
}

// The character at the front, which is not plain.
char* write_odd(char* out, std::string_view& text) {
  const auto c = static_cast<unsigned char>(text[0]);
  size_t taken = 1;
  if (c < 0x80) {
    out = write_escaped(out, c);
  } else {
    const size_t n = utf8_length(text);
    const std::string_view written = n > 0 ? text.substr(0, n) : "\xef\xbf\xbd";
    out = std::copy(written.begin(), written.end(), out);
    taken = std::max<size_t>(n, 1);
  }
  text.remove_prefix(taken);
  return out;
}

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 40> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), end);
}

template <class T>
void append_float(std::string& out, T value) {
  if (std::isfinite(value)) return append_number(out, value);
  out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  TextBuffer quoted;
  put_json_string(quoted, text);
  out += quoted.view();
}

void put_json_string(TextBuffer& out, std::string_view text) {
  char* at = out.room(text.size() + 2);
  *at++ = '"';
  for (at = copy_plain(at, text); !text.empty(); at = copy_plain(at, text)) {
    out.keep(at);
    at = write_odd(out.room(kLongestEscape + text.size() + 1), text);
  }
  *at++ = '"';
  out.keep(at);
}

void append_json_int(std::string& out, int64_t value) { append_number(out, value); }
void append_json_double(std::string& out, double value) { append_float(out, value); }
void append_json_double(std::string& out, float value) { append_float(out, value); }

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) out += j <= n ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    const size_t n = i + 4 == text.size() ? 4 - padding : 4;
    for (size_t j = 0; j < 4; ++j) {
      const size_t digit = j < n ? kAlphabet.find(text[i + j]) : 0;
      if (digit == std::string_view::npos) return std::nullopt;
      group = group << 6 | static_cast<uint32_t>(digit);
    }
    for (size_t j = 0; j + 1 < n; ++j) out += static_cast<char>(group >> (16 - 8 * j) & 0xff);
  }
  return out;
}

}  // namespace patchbay
