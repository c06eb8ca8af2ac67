#include <locale.h>
#include <wctype.h>

#include "tokenizer.h"

namespace patchbay {
namespace {

// A locale of its own: the process's belongs to the host. glibc has C.UTF-8 built in.
locale_t unicode() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

// The code point at `at`, and past it; a byte that is no UTF-8 stands for itself.
uint32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size == 1 || at + size > text.size()) return byte(at++);
  uint32_t point = lead & (0xFFu >> (size + 1));
  for (size_t i = 1; i < size; ++i) point = point << 6 | (byte(at + i) & 0x3Fu);
  at += size;
  return point;
}

void append_utf8(std::string& out, uint32_t point) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

constexpr uint32_t kDottedCapitalI = 0x130, kDotAbove = 0x307;
constexpr uint32_t kCapitalSigma = 0x3A3, kSmallSigma = 0x3C3, kFinalSigma = 0x3C2;

bool is_cased(uint32_t point) {
  return iswupper_l(static_cast<wint_t>(point), unicode()) ||
         iswlower_l(static_cast<wint_t>(point), unicode());
}

}  // namespace

void append_lower(std::string& out, std::string_view text) {
  bool after_letter = false;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<signed char>(c) >= 0) {
      const bool upper = c >= 'A' && c <= 'Z';
      after_letter = upper || (c >= 'a' && c <= 'z');
      out += upper ? static_cast<char>(c + ('a' - 'A')) : c;
      ++at;
      continue;
    }
    const size_t begin = at;
    const uint32_t point = next_code_point(text, at);
    if (at - begin == 1) {
      out += c;
    } else if (point == kDottedCapitalI) {
      out += 'i';
      append_utf8(out, kDotAbove);
    } else if (point == kCapitalSigma) {
      size_t ahead = at;
      const bool last = at == text.size() || !is_cased(next_code_point(text, ahead));
      append_utf8(out, after_letter && last ? kFinalSigma : kSmallSigma);
    } else {
      append_utf8(out, static_cast<uint32_t>(towlower_l(static_cast<wint_t>(point), unicode())));
    }
    after_letter = is_cased(point);
  }
}

}  // namespace patchbay
