// Single values as JSON text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "patchbay/text_buffer.h"

namespace patchbay {

// Quotes and escapes (RFC 8259). Bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
void put_json_string(TextBuffer& out, std::string_view text);
void append_json_int(std::string& out, int64_t value);
// Shortest text that reads back as the same number; NaN and infinities as the strings "NaN",
// "Infinity", "-Infinity".
void append_json_double(std::string& out, double value);
void append_json_double(std::string& out, float value);
std::string base64(std::string_view bytes);                     // RFC 4648, with padding
std::optional<std::string> from_base64(std::string_view text);  // nothing where it is none

}  // namespace patchbay
