#include "suite.h"

#include <stdlib.h>

#include <algorithm>
#include <chrono>

namespace patchbay::test {
namespace {

namespace fs = std::filesystem;

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

Json::Value example_of(const Json::Value& schema);

Json::Value fill(const Json::Value& schema, Json::Value config) {
  const Json::Value& properties = schema["properties"];
  for (const auto& option : properties.getMemberNames()) {
    if (!config.isMember(option) && properties[option].isMember("default"))
      config[option] = properties[option]["default"];
  }
  for (const auto& option : schema["required"]) {
    if (!config.isMember(option.asString()))
      config[option.asString()] = example_of(properties[option.asString()]);
  }
  return config;
}

Json::Value example_list(const Json::Value& schema) {
  Json::Value list(Json::arrayValue);
  for (Json::ArrayIndex i = 0; i < schema["minItems"].asUInt(); ++i)
    list.append(example_of(schema["items"]));
  return list;
}

Json::Value example_of_type(const Json::Value& schema) {
  const std::string type = schema["type"].isString() ? schema["type"].asString() : "string";
  if (type == "boolean") return false;
  if (type == "integer" || type == "number") return schema.get("minimum", 1);
  if (type == "array") return example_list(schema);
  if (type == "object") return fill(schema, Json::objectValue);
  return std::string(std::max(1u, schema["minLength"].asUInt()), 'x');
}

Json::Value example_of(const Json::Value& schema) {
  if (schema["secret"].asBool()) {
    Json::Value reference;
    reference["secret"] = "conformance";
    return reference;
  }
  if (schema.isMember("default")) return schema["default"];
  if (schema.isMember("const")) return schema["const"];
  for (const char* word : {"examples", "enum"}) {
    if (!schema[word].empty()) return schema[word][0];
  }
  for (const char* word : {"oneOf", "anyOf"}) {
    if (!schema[word].empty()) return example_of(schema[word][0]);
  }
  return example_of_type(schema);
}

}  // namespace

Subject Subject::sibling(const std::string& transform) const {
  for (const auto& one : all_components) {
    if (one["kind"] == "transform" && one["name"] == transform && transform != name()) {
      return {plugin, &find_component(*plugin, BAY_TRANSFORM, transform), one,
              "transform " + transform, all_components};
    }
  }
  throw Error(Code::kInternal,
              "conformance.objects_from: the plugin has no other transform " + transform);
}

void Suite::check(const std::string& name, const std::function<void()>& work) {
  const size_t label = name.find(": ");
  const Rule rule = rule_of(label == std::string::npos ? name : name.substr(label + 2));
  CheckResult result{name, true, "", std::string(rule.why), std::string(rule.contract)};
  if (on_check_) on_check_(name);
  try {
    work();
  } catch (const std::exception& error) {
    result.ok = false;
    result.message = error.what();
  }
  results.push_back(std::move(result));
}

CheckFolder::CheckFolder() {
  std::string pattern = (fs::temp_directory_path() / "patchbay-conformance-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw Error(Code::kUnavailable, pattern + ": cannot be made");
  path_ = pattern;
}

CheckFolder::~CheckFolder() {
  std::error_code ignored;  // a leftover in the temporary folder is no fault of the plugin
  fs::remove_all(path_, ignored);
}

Json::Value CheckFolder::resolve(Json::Value value) const {
  if (value.isString()) {
    std::string text = value.asString();
    replace_all(text, "${tmp}", path_.string());
    return text;
  }
  if (value.isArray() || value.isObject()) {
    for (auto& item : value) item = resolve(item);
  }
  return value;
}

std::vector<std::string> CheckFolder::visible() const {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.starts_with('.'))
      out.push_back(fs::relative(entry.path(), path_).string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Json::Value complete_config(const Json::Value& component_manifest, const CheckFolder& folder) {
  Json::Value given = component_manifest["conformance"]["config"];
  if (!given.isObject()) given = Json::objectValue;
  return folder.resolve(fill(component_manifest["config"], given));
}

void require(bool truth, const std::string& message) {
  if (!truth) throw Error(Code::kInternal, message);
}

std::optional<Error> refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    return error;
  }
  return std::nullopt;
}

void require_prompt(const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  refusal_of(work);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  require(ms < std::chrono::seconds(1),
          "returned " + std::to_string(ms.count()) + " ms after it was cancelled");
}

}  // namespace patchbay::test
