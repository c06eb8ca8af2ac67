// JSON values (configuration, states, tokens; never records) as text and back.
#pragma once

#include <json/reader.h>
#include <json/writer.h>

#include <memory>
#include <string>
#include <string_view>

#include "patchbay/error.h"

namespace patchbay {

inline std::string write_json(const Json::Value& value) {
  Json::StreamWriterBuilder builder;
  builder["indentation"] = "";
  builder["emitUTF8"] = true;
  builder["precision"] = 17;
  return Json::writeString(builder, value);
}

// Throws Error kInternal: what is parsed so came from the host, or from this plugin through the
// host.
inline Json::Value parse_json(std::string_view text) {
  Json::Value value;
  std::string errors;
  Json::CharReaderBuilder builder;
  builder["stackLimit"] = 200;
  builder["failIfExtra"] = true;
  const std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
  bool ok = false;
  try {
    ok = reader->parse(text.data(), text.data() + text.size(), &value, &errors);
  } catch (const Json::Exception&) {
    ok = false;  // nested too deep
  }
  if (!ok) throw Error(Code::kInternal, "text is no JSON");
  return value;
}

}  // namespace patchbay
