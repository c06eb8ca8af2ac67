#include "patchbay/config.h"

#include "patchbay/json_value.h"

namespace patchbay {

void config_error(std::string_view option, std::string_view why) {
  throw Error(Code::kConfig, std::string(option) + ": " + std::string(why));
}

Config Config::parse(std::string_view json) {
  Json::Value root;
  try {
    root = parse_json(json);
  } catch (const Error&) {
    throw Error(Code::kConfig, "configuration: is no JSON");
  } catch (const Json::Exception&) {
    throw Error(Code::kConfig, "configuration: is no JSON");
  }
  if (!root.isObject()) throw Error(Code::kConfig, "configuration: must be an object");
  return Config(std::move(root));
}

const Json::Value& Config::at(std::string_view option) const {
  const Json::Value* found = root_.find(option.data(), option.data() + option.size());
  return found ? *found : Json::Value::nullSingleton();
}

bool Config::has(std::string_view option) const { return !at(option).isNull(); }

namespace {

const Json::Value& required(const Config& config, std::string_view option) {
  const Json::Value& value = config.at(option);
  if (value.isNull()) config_error(option, "missing");
  return value;
}

}  // namespace

template <>
std::string Config::get(std::string_view option) const {
  const Json::Value& value = required(*this, option);
  if (!value.isString()) config_error(option, "must be text");
  return value.asString();
}

template <>
bool Config::get(std::string_view option) const {
  const Json::Value& value = required(*this, option);
  if (!value.isBool()) config_error(option, "must be true or false");
  return value.asBool();
}

template <>
int64_t Config::get(std::string_view option) const {
  const Json::Value& value = required(*this, option);
  if (!value.isInt64()) config_error(option, "must be an integer");
  return value.asInt64();
}

template <>
double Config::get(std::string_view option) const {
  const Json::Value& value = required(*this, option);
  if (!value.isNumeric()) config_error(option, "must be a number");
  return value.asDouble();
}

template <>
std::vector<std::string> Config::get(std::string_view option) const {
  const Json::Value& value = required(*this, option);
  if (!value.isArray()) config_error(option, "must be a list of texts");
  std::vector<std::string> out;
  for (const auto& item : value) {
    if (!item.isString()) config_error(option, "must be a list of texts");
    out.push_back(item.asString());
  }
  return out;
}

template <>
Secret Config::get(std::string_view option) const {
  const Json::Value& value = required(*this, option);
  if (!value.isObject() || !value["secret"].isString()) {
    config_error(option, "must be a reference {secret: NAME}");
  }
  return {value["secret"].asString()};
}

}  // namespace patchbay
