// Whether a column keeps what a text says. The server rounds and cuts what a column can't hold
// whole, without a word.
#pragma once

#include <string_view>

#include "pg_type.h"

namespace patchbay {

// Why the column would change the value that `text` spells, as COPY's text form takes it; null
// where it keeps it, or where the server itself refuses what does not fit.
const char* why_changed(const PgType& to, std::string_view text);

inline constexpr const char* kMoreDigits = "has more digits than the column keeps";
inline constexpr const char* kFractionOfSecond =
    "has more digits of a second than the column keeps";
inline constexpr const char* kTimeOfDay = "has a time of day, which the column would cut off";

// 10^(6 - digits): microseconds that a column with this many digits of a second can't tell apart.
int64_t unit_of_fraction(int32_t digits);

}  // namespace patchbay
