#include "csv_marks.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace patchbay {
namespace {

constexpr size_t kWord = 64;

using MarkWords = void (*)(const char* text, size_t words, const MarkCharacters& characters,
                           uint64_t* marks);

[[maybe_unused]] void mark_words_plain(const char* text, size_t words,
                                       const MarkCharacters& characters, uint64_t* marks) {
  for (size_t word = 0; word < words; ++word) {
    uint64_t bits = 0;
    for (size_t i = 0; i < kWord; ++i) {
      bool found = false;
      for (const char c : characters) found |= text[word * kWord + i] == c;
      bits |= uint64_t{found} << i;
    }
    marks[word] = bits;
  }
}

#if defined(__x86_64__)

void mark_words_sse2(const char* text, size_t words, const MarkCharacters& characters,
                     uint64_t* marks) {
  for (size_t word = 0; word < words; ++word) {
    uint64_t bits = 0;
    for (size_t part = 0; part < 4; ++part) {
      const __m128i bytes = _mm_loadu_si128(
          reinterpret_cast<const __m128i*>(text + word * kWord + part * sizeof(__m128i)));
      __m128i found = _mm_setzero_si128();
      for (const char c : characters)
        found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
      bits |= uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(found))} << (16 * part);
    }
    marks[word] = bits;
  }
}

__attribute__((target("avx2"))) void mark_words_avx2(const char* text, size_t words,
                                                     const MarkCharacters& characters,
                                                     uint64_t* marks) {
  __m256i wanted[std::tuple_size_v<MarkCharacters>];
  for (size_t i = 0; i < characters.size(); ++i) wanted[i] = _mm256_set1_epi8(characters[i]);
  for (size_t word = 0; word < words; ++word) {
    uint64_t bits = 0;
    for (size_t part = 0; part < 2; ++part) {
      const __m256i bytes = _mm256_loadu_si256(
          reinterpret_cast<const __m256i*>(text + word * kWord + part * sizeof(__m256i)));
      __m256i found = _mm256_cmpeq_epi8(bytes, wanted[0]);
      for (size_t i = 1; i < characters.size(); ++i)
        found = _mm256_or_si256(found, _mm256_cmpeq_epi8(bytes, wanted[i]));
      bits |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(found))} << (32 * part);
    }
    marks[word] = bits;
  }
}

MarkWords best_mark_words() {
  return __builtin_cpu_supports("avx2") ? mark_words_avx2 : mark_words_sse2;
}

#else

MarkWords best_mark_words() { return mark_words_plain; }

#endif

}  // namespace

void find_marks(std::string_view text, const MarkCharacters& characters,
                std::vector<uint64_t>& marks) {
  static const MarkWords mark_words = best_mark_words();
  const size_t whole = text.size() / kWord, rest = text.size() % kWord;
  marks.resize(whole + 1);
  mark_words(text.data(), whole, characters, marks.data());
  char tail[kWord] = {};
  std::memcpy(tail, text.data() + whole * kWord, rest);
  mark_words(tail, 1, characters, &marks[whole]);
  marks[whole] &= (uint64_t{1} << rest) - 1;
}

}  // namespace patchbay
