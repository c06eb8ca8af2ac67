#include "csv_dialect.h"

#include <algorithm>

namespace patchbay {
namespace {

// One character, or \t, or \x01 and the like.
char parse_character(const Config& config, const char* option) {
  const std::string text = config.get<std::string>(option);
  if (text.empty()) return 0;
  if (text == "\\t") return '\t';
  const bool hex = text.size() == 4 && text.starts_with("\\x");
  const char c = hex ? static_cast<char>(std::stoi(text.substr(2), nullptr, 16)) : text[0];
  if (c == '\n' || c == '\r' || c == 0 || static_cast<unsigned char>(c) >= 0x80 ||
      (text.size() > 1 && !hex)) {
    config_error(option, "must be one ASCII character, \\t or \\xNN, and no line's end");
  }
  return c;
}

}  // namespace

bool CsvDialect::is_null(std::string_view text) const {
  return std::any_of(nulls.begin(), nulls.end(), [&](const auto& one) { return one == text; });
}

CsvDialect parse_dialect(const Config& config) {
  CsvDialect out;
  if (config.find<std::string>("delimiter")) out.delimiter = parse_character(config, "delimiter");
  out.quote = parse_character(config, "quote");
  out.escape = parse_character(config, "escape");
  if (out.delimiter == out.quote) config_error("quote", "must differ from delimiter");
  if (out.delimiter == out.escape) config_error("escape", "must differ from delimiter");
  if (out.escape == out.quote) out.escape = 0;  // quotes are doubled anyway
  const Json::Value& null = config.at("null");
  out.nulls.clear();
  if (null.isString()) out.nulls.push_back(null.asString());
  for (Json::ArrayIndex i = 0; null.isArray() && i < null.size(); ++i)
    out.nulls.push_back(null[i].asString());
  return out;
}

}  // namespace patchbay
