// JSON values as text, with the settings that the host uses throughout.
#pragma once

#include <json/value.h>

#include <string>
#include <string_view>

namespace patchbay::host {

std::string compact_json(const Json::Value& value);  // numbers to the last digit
std::string pretty_json(
    const Json::Value& value);  // for people: two spaces, 15 digits, ends with a newline
// Throws Error kConfig, "is no JSON: line 1, column 2: ..".
Json::Value parse_json_text(std::string_view text);
// Of what jsoncpp's reader says, the first fault on one line: "line 1, column 2: ..".
std::string first_json_fault(const std::string& errors);
// The text itself, as a string, where the value would say something else: a member stands twice,
// or an escape is half a character.
Json::Value json_or_text(std::string_view text);

std::string to_hex(std::string_view bytes);
std::string from_hex(std::string_view hex);

}  // namespace patchbay::host
