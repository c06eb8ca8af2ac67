#include "report/json_text.h"

#include <json/reader.h>
#include <json/writer.h>

#include <memory>

#include "patchbay/error.h"

namespace patchbay::host {
namespace {

std::string write(const Json::Value& value, const char* indentation, int precision) {
  Json::StreamWriterBuilder builder;
  builder["indentation"] = indentation;
  builder["emitUTF8"] = true;
  // Without it a space stands before each colon; with it one stands behind, also in compact text.
  builder["enableYAMLCompatibility"] = *indentation != '\0';
  builder["precision"] = precision;
  return Json::writeString(builder, value);
}

Json::Value parse(std::string_view text, bool members_once) {
  Json::CharReaderBuilder builder;
  builder["stackLimit"] = 200;
  builder["failIfExtra"] = true;
  builder["rejectDupKeys"] = members_once;
  const std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
  Json::Value value;
  std::string errors;
  try {
    if (reader->parse(text.data(), text.data() + text.size(), &value, &errors)) return value;
  } catch (const Json::Exception& error) {
    errors = error.what();
  }
  throw Error(Code::kConfig, "is no JSON: " + first_json_fault(errors));
}

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

}  // namespace

std::string compact_json(const Json::Value& value) { return write(value, "", 17); }
std::string pretty_json(const Json::Value& value) { return write(value, "  ", 15) + "\n"; }

Json::Value parse_json_text(std::string_view text) { return parse(text, false); }

Json::Value json_or_text(std::string_view text) {
  try {
    return parse(text, true);
  } catch (const Error&) {
    return std::string(text);
  }
}

// From "* Line 2, Column 14\n  Missing ..\n".
std::string first_json_fault(const std::string& errors) {
  const size_t line = errors.find("Line "), column = errors.find(", Column ");
  const size_t end = errors.find('\n');
  if (line == std::string::npos || column == std::string::npos || end == std::string::npos)
    return errors.empty() ? "it cannot be read" : errors;
  const size_t begin = errors.find_first_not_of(' ', end + 1);
  const std::string why = errors.substr(begin, errors.find('\n', begin) - begin);
  return "line " + errors.substr(line + 5, column - line - 5) + ", column " +
         errors.substr(column + 9, end - column - 9) + ": " + why;
}

std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  }
  return bytes;
}

}  // namespace patchbay::host
