#include "manifest/option_schema.h"

#include <algorithm>

#include "patchbay/suggest.h"

namespace patchbay::host {
namespace {

// http://json-schema.org/draft-07/json-schema-validation.html, and patchbay's "secret" and
// "identity": true or "path" of an option that says what is read, or where it is written.
const std::vector<std::string> kWords{"$schema",
                                      "title",
                                      "description",
                                      "default",
                                      "examples",
                                      "secret",
                                      "identity",
                                      "format",
                                      "type",
                                      "enum",
                                      "const",
                                      "minimum",
                                      "maximum",
                                      "multipleOf",
                                      "pattern",
                                      "exclusiveMinimum",
                                      "exclusiveMaximum",
                                      "properties",
                                      "required",
                                      "additionalProperties",
                                      "minProperties",
                                      "maxProperties",
                                      "propertyNames",
                                      "dependencies",
                                      "items",
                                      "minItems",
                                      "maxItems",
                                      "uniqueItems",
                                      "contains",
                                      "minLength",
                                      "maxLength",
                                      "oneOf",
                                      "anyOf",
                                      "allOf",
                                      "not",
                                      "if",
                                      "then",
                                      "else"};
const std::vector<std::string> kTypes{"string", "integer", "number", "boolean",
                                      "array",  "object",  "null"};

class SchemaCheck {
 public:
  explicit SchemaCheck(std::vector<std::string>& faults) : faults_(faults) {}

  void check(const Json::Value& schema, const std::string& name) {
    if (!schema.isObject()) return add(name, "must be an object, not " + shown(schema));
    for (const auto& word : schema.getMemberNames())
      check_word(word, schema[word], name + "." + word);
  }

 private:
  void add(const std::string& name, const std::string& why) {
    faults_.push_back(name + ": " + why);
  }

  static std::string shown(const Json::Value& value) {
    if (value.isString()) return "the text \"" + value.asString() + "\"";
    if (value.isArray()) return "a list";
    if (value.isObject()) return "an object";
    return value.isNull() ? "null" : value.asString();
  }

  void check_word(const std::string& word, const Json::Value& value, const std::string& name) {
    if (std::find(kWords.begin(), kWords.end(), word) == kWords.end()) {
      return add(name, "unknown word of JSON Schema" + did_you_mean(word, kWords));
    }
    if (word == "type") return check_type(value, name);
    if (word == "properties") return check_members(value, name);
    if (word == "oneOf" || word == "anyOf" || word == "allOf") return check_list(value, name);
    const bool nested = word == "items" || word == "if" || word == "then" || word == "else" ||
                        word == "not" || word == "contains" || word == "propertyNames";
    if (nested || (word == "additionalProperties" && !value.isBool())) return check(value, name);
    if (word == "required" || word == "enum" || word == "examples") check_array(value, name);
    if (word == "secret" && !value.isBool()) add(name, "must be true or false");
    if (word == "identity" && value != true && value != "path")
      add(name, "must be true, or \"path\" of an option that names a local file");
    if ((word == "title" || word == "description") && !value.isString()) add(name, "must be text");
  }

  void check_type(const Json::Value& value, const std::string& name) {
    if (value.isArray()) {
      for (const auto& one : value) check_type(one, name);
      return;
    }
    const std::string type = value.isString() ? value.asString() : shown(value);
    if (std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end()) return;
    add(name, "must be string, integer, number, boolean, array, object or null, not " + type +
                  (value.isString() ? did_you_mean(type, kTypes) : ""));
  }

  void check_members(const Json::Value& value, const std::string& name) {
    if (!value.isObject()) return add(name, "must be an object, not " + shown(value));
    for (const auto& member : value.getMemberNames()) check(value[member], name + "." + member);
  }

  void check_list(const Json::Value& value, const std::string& name) {
    check_array(value, name);
    for (Json::ArrayIndex i = 0; value.isArray() && i < value.size(); ++i)
      check(value[i], name + "[" + std::to_string(i) + "]");
  }

  void check_array(const Json::Value& value, const std::string& name) {
    if (!value.isArray() || value.empty()) add(name, "must be a list with entries");
  }

  std::vector<std::string>& faults_;
};

}  // namespace

void check_option_schema(const Json::Value& schema, const std::string& name,
                         std::vector<std::string>& faults) {
  SchemaCheck(faults).check(schema, name);
}

}  // namespace patchbay::host
