// Members of JSON objects that others wrote: of whatever type, or missing.
#pragma once

#include <json/value.h>

#include <string>

namespace patchbay {

inline std::string text_of(const Json::Value& object, const char* name) {
  if (!object.isObject()) return "";
  const Json::Value& value = object[name];
  return value.isString() ? value.asString() : "";
}

}  // namespace patchbay
