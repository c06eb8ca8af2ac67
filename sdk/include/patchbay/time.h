// Dates, times, timestamps and decimals as text: ISO 8601 and plain digits. No locale, no
// allocation when parsing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "patchbay/type.h"

namespace patchbay {

struct ParsedTimestamp {
  int64_t micros;  // since 1970-01-01T00:00:00; UTC where the text has a zone, else as it stands
  bool has_zone;
};

// 2024-02-29T12:34:56.789012+01:30: `T` or a space, 0 to 9 digits of a fraction (past 6 they are
// cut off), Z or an offset (a space may come before it) or nothing; a date alone is its midnight.
// Years 0001 to 9999. Nothing for any other text.
std::optional<ParsedTimestamp> parse_timestamp(std::string_view text);
std::optional<int32_t> parse_date(std::string_view text);  // days since 1970-01-01
std::optional<int64_t> parse_time(std::string_view text);  // microseconds since midnight

// A year out of 0000 to 9999 has a sign: +10000-01-01.
std::string format_timestamp(int64_t micros,
                             bool utc);  // 2024-02-29T12:34:56.789012, Z after it when `utc`
std::string format_date(int32_t days);
std::string format_time(int64_t micros);
// As above, appended.
void append_timestamp(std::string& out, int64_t micros, bool utc);
void append_date(std::string& out, int32_t days);
// As above, where there is room for kLongestTimeText bytes; return where the text ends.
constexpr size_t kLongestTimeText = 48;  // the longest: +5879611-07-12T23:59:59.999999Z
char* write_timestamp(char* out, int64_t micros, bool utc);
char* write_date(char* out, int32_t days);
char* write_time(char* out, int64_t micros);

// The unscaled value. Nothing where the text is no number, has more digits than fit, or digits past
// the scale.
std::optional<Int128> parse_decimal(std::string_view text, int32_t precision, int32_t scale);
std::string format_decimal(Int128 unscaled, int32_t scale);

}  // namespace patchbay
