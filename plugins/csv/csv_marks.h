// Where the characters that structure a text are, 64 bytes at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace patchbay {

// Up to five characters; fewer = one of them repeated.
using MarkCharacters = std::array<char, 5>;

// One bit for each byte, the first in the lowest bit of the first word: is it one of `characters`?
// AVX2 where the processor has it.
void find_marks(std::string_view text, const MarkCharacters& characters,
                std::vector<uint64_t>& marks);

}  // namespace patchbay
