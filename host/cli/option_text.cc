#include "cli/option_text.h"

#include "report/json_text.h"

namespace patchbay::host {
namespace {

std::string joined(const std::string& text, const std::string& separator, const std::string& more) {
  return text.empty() ? more : text + separator + more;
}

std::string type_of(const Json::Value& schema) {
  std::string text;
  if (schema["secret"].asBool()) return "secret";
  for (const auto& one : schema["enum"]) text = joined(text, "|", one.asString());
  if (!text.empty()) return text;
  if (schema["type"].isArray()) {
    for (const auto& one : schema["type"]) text = joined(text, " or ", one.asString());
    return text;
  }
  for (const char* keyword : {"oneOf", "anyOf"}) {
    for (const auto& one : schema[keyword]) text = joined(text, " or ", type_of(one));
    if (!text.empty()) return text;
  }
  return schema["type"].asString();
}

bool is_required(const Json::Value& config, const std::string& option) {
  for (const auto& one : config["required"]) {
    if (one.asString() == option) return true;
  }
  return false;
}

}  // namespace

std::vector<OptionText> options_of(const ComponentManifest& component) {
  std::vector<OptionText> options;
  const Json::Value& properties = component.config["properties"];
  for (const auto& name : properties.getMemberNames()) {
    const Json::Value& schema = properties[name];
    std::string fallback;
    if (is_required(component.config, name)) {
      fallback = "required";
    } else if (schema.isMember("default")) {
      fallback = compact_json(schema["default"]);
    }
    options.push_back(
        {name, type_of(schema), fallback, schema.get("description", schema["title"]).asString()});
  }
  return options;
}

}  // namespace patchbay::host
