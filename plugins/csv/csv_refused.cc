#include "csv_refused.h"

#include "patchbay/error.h"
#include "patchbay/json_text.h"
#include "patchbay/json_value.h"
#include "patchbay/text_value.h"

namespace patchbay {

std::string refused_record(std::string_view text, const std::string& header) {
  std::string out = "{\"line\":";
  append_json_string(out, text);
  if (!is_utf8(text)) {
    out += ",\"base64\":";
    append_json_string(out, base64(text));
  }
  if (!header.empty()) {
    out += ",\"header\":";
    append_json_string(out, header);
  }
  return out + "}";
}

std::string file_of_refused(const CsvDecodeConfig& config,
                            std::span<const std::string_view> records) {
  std::string out;
  for (const auto& text : records) {
    const Json::Value record = parse_json(text);
    if (!record.isObject() || !record["line"].isString())
      throw Error(Code::kData, "a record on record is none of csv.decode");
    if (out.empty()) {
      out.assign(static_cast<size_t>(config.skip_lines), '\n');
      if (config.header) out += record["header"].asString() + "\n";
      out = from_utf8(out, config.encoding);
    }
    if (record.isMember("base64")) {
      out +=
          from_base64(record["base64"].asString()).value_or("") + from_utf8("\n", config.encoding);
    } else {
      out += from_utf8(record["line"].asString() + "\n", config.encoding);
    }
  }
  return out;
}

}  // namespace patchbay
