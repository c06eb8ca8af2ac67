// numeric's binary form:
// https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c
// (numeric_send)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "patchbay/type.h"
#include "wire.h"

namespace patchbay {

// Appends the field, length in front, of `unscaled` / 10^scale for a column numeric(to_precision,
// to_scale); to_precision 0 = any. Returns why not where the column would round or not hold it.
const char* append_numeric(WireBuffer& out, Int128 unscaled, int32_t scale, int32_t to_precision,
                           int32_t to_scale);

// The unscaled value of a field at `scale`; nothing for NaN, an infinity, more than `precision`
// digits, or digits past the scale.
std::optional<Int128> parse_numeric(std::string_view field, int32_t precision, int32_t scale);

}  // namespace patchbay
