#include "manifest/config_check.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

#include "patchbay/suggest.h"
#include "patchbay/text_value.h"
#include "pipeline/passwords.h"

namespace patchbay::host {
namespace {

constexpr unsigned kDeepest = 32;

// The keywords that Checker judges itself; a schema with others is also given to the full
// validator.
const std::set<std::string> kKnownKeywords{"title",
                                           "description",
                                           "default",
                                           "examples",
                                           "secret",
                                           "identity",
                                           "format",
                                           "type",
                                           "enum",
                                           "minimum",
                                           "maximum",
                                           "properties",
                                           "required",
                                           "additionalProperties",
                                           "items",
                                           "minItems",
                                           "maxItems",
                                           "uniqueItems",
                                           "minLength",
                                           "maxLength",
                                           "minProperties",
                                           "oneOf",
                                           "anyOf",
                                           "allOf",
                                           "if",
                                           "then",
                                           "not",
                                           "$schema",
                                           "const"};

std::string plain(const Json::Value& value) {
  if (value.isString()) return value.asString();
  if (value.isObject()) return "an object";
  if (value.isArray()) return "a list";
  if (value.isNull()) return "null";
  if (value.type() != Json::realValue) return value.asString();
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value.asDouble()).ptr};
}

std::string list_of(const Json::Value& values) {
  std::string text;
  for (Json::ArrayIndex i = 0; i < values.size(); ++i) {
    if (i > 0) text += i + 1 == values.size() ? " or " : ", ";
    text += plain(values[i]);
  }
  return text;
}

std::string type_words(const std::string& type) {
  if (type == "string") return "text";
  if (type == "integer") return "an integer";
  if (type == "number") return "a number";
  if (type == "boolean") return "true or false";
  if (type == "array") return "a list";
  if (type == "object") return "an object";
  return type;
}

bool has_type(const Json::Value& value, const std::string& type) {
  if (type == "string") return value.isString();
  if (type == "integer") return value.isInt64() || value.isUInt64();
  if (type == "number") return value.isNumeric();
  if (type == "boolean") return value.isBool();
  if (type == "array") return value.isArray();
  if (type == "object") return value.isObject();
  return value.isNull();
}

std::string joined(const std::string& name, const std::string& member) {
  return name.empty() ? member : name + "." + member;
}

class Checker {
 public:
  Checker(std::string who, std::vector<ConfigFault>& faults)
      : who_(std::move(who)), faults_(faults) {}

  void check(const Json::Value& schema, Json::Value& value, const std::string& path,
             const std::string& name) {
    if (++depth_ > kDeepest) {
      add(path, name, "is nested too deep");
    } else {
      check_one(schema, value, path, name);
    }
    --depth_;
  }

 private:
  void add(const std::string& path, const std::string& name, const std::string& why) {
    faults_.push_back({path, (name.empty() ? "with" : name) + ": " + why});
  }

  void check_one(const Json::Value& schema, Json::Value& value, const std::string& path,
                 const std::string& name) {
    if (schema["secret"].asBool()) return check_secret(value, path, name);
    if (!check_type(schema, value, path, name)) return;
    if (schema.isMember("enum")) check_enum(schema["enum"], value, path, name);
    if (schema.isMember("const") && schema["const"] != value)
      add(path, name, "must be " + plain(schema["const"]));
    check_range(schema, value, path, name);
    check_length(schema, value, path, name);
    if (value.isObject()) check_object(schema, value, path, name);
    if (value.isArray() && schema.isMember("items")) {
      for (Json::ArrayIndex i = 0; i < value.size(); ++i) {
        const std::string at = std::to_string(i);
        check(schema["items"], value[i], path + "/" + at, name + "[" + at + "]");
      }
    }
    check_choices(schema, value, path, name);
    if (schema.isMember("not")) check_excluded(schema["not"]["required"], value, path, name);
    check_condition(schema, value, path, name);
    for (const auto& all : schema["allOf"]) check(all, value, path, name);
  }

  void check_secret(const Json::Value& value, const std::string& path, const std::string& name) {
    const bool reference = value.isObject() && value.size() == 1 && value["secret"].isString() &&
                           !value["secret"].asString().empty();
    if (!reference) add(path, name, "must be a reference {secret: NAME}, never the value itself");
  }

  bool check_type(const Json::Value& schema, const Json::Value& value, const std::string& path,
                  const std::string& name) {
    const Json::Value& type = schema["type"];
    if (type.isNull()) return true;
    std::string words;
    const auto fits = [&](const Json::Value& one) {
      words += (words.empty() ? "" : " or ") + type_words(one.asString());
      return has_type(value, one.asString());
    };
    if (type.isString() ? fits(type) : std::any_of(type.begin(), type.end(), fits)) return true;
    const bool reference = value.isObject() && value.isMember("secret");
    const bool bare = type == "string" && (value.isNumeric() || value.isBool());
    add(path, name,
        "must be " + words +
            (reference ? ", not a secret: it is not an option for secrets"
                       : ", not " + plain_type(value)) +
            (bare ? "; put it in quotes" : ""));
    return false;
  }

  static std::string plain_type(const Json::Value& value) {
    constexpr size_t kMost = 200;
    if (!value.isString()) return plain(value);
    const std::string text = value.asString();
    if (text.size() > kMost) return "a text of " + std::to_string(text.size()) + " bytes";
    return "the text \"" + text + "\"";
  }

  void check_enum(const Json::Value& allowed, const Json::Value& value, const std::string& path,
                  const std::string& name) {
    std::vector<std::string> words;
    for (const auto& one : allowed) {
      if (one == value) return;
      words.push_back(plain(one));
    }
    add(path, name,
        "must be " + list_of(allowed) + ", not " + plain(value) +
            (value.isString() ? did_you_mean(value.asString(), words) : ""));
  }

  void check_range(const Json::Value& schema, const Json::Value& value, const std::string& path,
                   const std::string& name) {
    if (!value.isNumeric()) return;
    const Json::Value &low = schema["minimum"], &high = schema["maximum"];
    const bool too_low = low.isNumeric() && value.asDouble() < low.asDouble();
    const bool too_high = high.isNumeric() && value.asDouble() > high.asDouble();
    if (!too_low && !too_high) return;
    std::string bounds = "at least " + plain(low);
    if (high.isNumeric()) bounds = "at most " + plain(high);
    if (low.isNumeric() && high.isNumeric())
      bounds = "between " + plain(low) + " and " + plain(high);
    add(path, name, "must be " + bounds + ", not " + plain(value));
  }

  void check_length(const Json::Value& schema, const Json::Value& value, const std::string& path,
                    const std::string& name) {
    if (value.isString() && schema["minLength"].isInt() &&
        value.asString().size() < schema["minLength"].asUInt()) {
      add(path, name, "must not be empty");
    }
    if (value.isString() && schema["maxLength"].isInt() &&
        value.asString().size() > schema["maxLength"].asUInt()) {
      add(path, name, "must have at most " + plain(schema["maxLength"]) + " characters");
    }
    if (value.isArray() && schema["minItems"].isInt() &&
        value.size() < schema["minItems"].asUInt()) {
      add(path, name, "needs at least " + plain(schema["minItems"]) + " entries");
    }
    if (value.isObject() && schema["minProperties"].isInt() &&
        value.size() < schema["minProperties"].asUInt()) {
      add(path, name, "needs at least " + plain(schema["minProperties"]) + " entries");
    }
  }

  void check_object(const Json::Value& schema, Json::Value& value, const std::string& path,
                    const std::string& name) {
    const Json::Value& properties = schema["properties"];
    for (const auto& member : value.getMemberNames()) {
      const std::string at = path + "/" + member;
      if (properties.isMember(member)) {
        check(properties[member], value[member], at, joined(name, member));
      } else if (schema["additionalProperties"].isObject()) {
        check(schema["additionalProperties"], value[member], at, joined(name, member));
      } else if (schema.isMember("additionalProperties") &&
                 !schema["additionalProperties"].asBool()) {
        add(at, joined(name, member),
            "unknown option of " + who_ + did_you_mean(member, properties.getMemberNames()));
      }
    }
    for (const auto& needed : schema["required"]) {
      if (!value.isMember(needed.asString())) add(path, joined(name, needed.asString()), "missing");
    }
    if (!properties.isObject()) return;
    for (const auto& member : properties.getMemberNames()) {
      if (!value.isMember(member) && properties[member].isMember("default")) {
        value[member] = properties[member]["default"];
      }
    }
  }

  // oneOf and anyOf as "one of these shapes": the faults of the shape that comes closest are the
  // ones to show.
  void check_choices(const Json::Value& schema, Json::Value& value, const std::string& path,
                     const std::string& name) {
    const Json::Value& choices = schema.isMember("oneOf") ? schema["oneOf"] : schema["anyOf"];
    if (!choices.isArray()) return;
    if (schema.isMember("oneOf") && has_rivals(choices, value, path, name)) return;
    std::vector<ConfigFault> best;
    std::string titles;
    bool shape_fits = false, only_required = true;
    for (const auto& choice : choices) {
      std::vector<ConfigFault> faults;
      Json::Value copy = value;
      Checker(who_, faults).check(choice, copy, path, name);
      if (faults.empty()) {
        value = copy;
        return;
      }
      const bool fits = choice["type"].isString() && has_type(value, choice["type"].asString());
      if (fits && (!shape_fits || faults.size() < best.size())) best = faults;
      shape_fits |= fits;
      only_required &= !choice.isMember("type") && choice.isMember("required");
      titles += (titles.empty() ? "" : " or ") +
                choice.get("title", type_words(choice["type"].asString())).asString();
    }
    if (only_required) {
      add(path, name, "needs " + titles);
    } else if (shape_fits) {
      faults_.insert(faults_.end(), best.begin(), best.end());
    } else {
      // What is given in the place of a secret is not repeated.
      const bool secret = std::any_of(choices.begin(), choices.end(), [](const Json::Value& one) {
        return one["secret"].asBool();
      });
      add(path, name, "must be " + titles + (secret ? "" : ", not " + plain(value)));
    }
  }

  // Options of which only one may be given: {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}.
  bool has_rivals(const Json::Value& choices, const Json::Value& value, const std::string& path,
                  const std::string& name) {
    std::vector<std::string> given;
    for (const auto& choice : choices) {
      if (!choice.isMember("required") || choice.isMember("type")) return false;
      const Json::Value& needed = choice["required"];
      if (std::all_of(needed.begin(), needed.end(),
                      [&](const Json::Value& one) { return value.isMember(one.asString()); })) {
        given.push_back(needed[0].asString());
      }
    }
    for (size_t i = 1; i < given.size(); ++i) {
      add(path + "/" + given[i], joined(name, given[i]), "not together with " + given[0]);
    }
    return given.size() > 1;
  }

  // Options that can't stand together: {"not": {"required": ["a", "b"]}}.
  void check_excluded(const Json::Value& options, const Json::Value& value, const std::string& path,
                      const std::string& name) {
    std::string last;
    for (const auto& option : options) {
      last = option.asString();
      if (!value.isObject() || !value.isMember(last)) return;
    }
    if (options.size() > 1)
      add(path + "/" + last, joined(name, last), "not together with " + options[0].asString());
  }

  void check_condition(const Json::Value& schema, Json::Value& value, const std::string& path,
                       const std::string& name) {
    if (!schema.isMember("if")) return;
    std::vector<ConfigFault> ignored;
    Json::Value copy = value;
    Checker condition(who_, ignored);
    condition.check(schema["if"], copy, path, name);
    if (!ignored.empty()) return;
    const size_t before = faults_.size();
    check(schema["then"], value, path, name);
    const std::string why = schema["then"]["description"].asString();
    for (size_t i = before; i < faults_.size() && !why.empty(); ++i)
      faults_[i].message += ", " + why;
  }

  std::string who_;
  std::vector<ConfigFault>& faults_;
  unsigned depth_ = 0;
};

bool only_known_keywords(const Json::Value& schema) {
  if (!schema.isObject()) return true;
  for (const auto& keyword : schema.getMemberNames()) {
    if (!kKnownKeywords.contains(keyword)) return false;
    if (keyword == "not" && schema["not"].getMemberNames() != Json::Value::Members{"required"})
      return false;
  }
  for (const auto& property : schema["properties"]) {
    if (!only_known_keywords(property)) return false;
  }
  return only_known_keywords(schema["items"]) &&
         only_known_keywords(schema["additionalProperties"]);
}

// Where a text is no UTF-8, which none that measures texts may see.
void find_broken_text(const Json::Value& value, const std::string& path,
                      std::vector<ConfigFault>& faults) {
  if (value.isString() && !is_utf8(value.asString())) {
    std::string name = path.substr(std::min<size_t>(1, path.size()));
    std::replace(name.begin(), name.end(), '/', '.');
    faults.push_back({path, name + ": is no UTF-8 text"});
  }
  if (value.isArray()) {
    for (Json::ArrayIndex i = 0; i < value.size(); ++i)
      find_broken_text(value[i], path + "/" + std::to_string(i), faults);
  }
  if (!value.isObject()) return;
  for (const auto& member : value.getMemberNames()) {
    const std::string below = is_utf8(member) ? member : "?";
    if (below == "?") faults.push_back({path, "a name is no UTF-8 text"});
    find_broken_text(value[member], path + "/" + below, faults);
  }
}

void collect_secrets(const Json::Value& schema, const Json::Value& value, const std::string& name,
                     std::vector<SecretUse>& out) {
  if (schema["secret"].asBool() && value.isObject())
    return out.push_back({name, value["secret"].asString()});
  for (const char* choices : {"oneOf", "anyOf", "allOf"}) {
    for (const auto& choice : schema[choices]) collect_secrets(choice, value, name, out);
  }
  if (value.isArray() && schema["items"].isObject()) {
    for (Json::ArrayIndex i = 0; i < value.size(); ++i)
      collect_secrets(schema["items"], value[i], name + "[" + std::to_string(i) + "]", out);
  }
  if (!value.isObject()) return;
  for (const auto& member : value.getMemberNames()) {
    const std::string below = joined(name, member);
    if (schema["properties"].isMember(member)) {
      collect_secrets(schema["properties"][member], value[member], below, out);
    } else if (schema["additionalProperties"].isObject()) {
      collect_secrets(schema["additionalProperties"], value[member], below, out);
    }
  }
}

// Where a password belongs: the option called so, with what its description says of a default; or
// wherever the component takes a secret.
std::string place_of_passwords(const Json::Value& schema, const std::string& use) {
  const Json::Value& password = schema["properties"]["password"];
  if (!password["secret"].asBool()) {
    return "take it out: what is secret goes into an option that takes {secret: NAME}, see "
           "`patchbay plugins show " +
           use.substr(0, use.find('.')) + "`, or into this program's environment";
  }
  const std::string words = password["description"].asString();
  return "take it out and write password: {secret: NAME}" +
         (words.starts_with("default: ") ? " (" + words + ")" : "");
}

class PasswordSearch {
 public:
  PasswordSearch(std::string advice, std::vector<ConfigFault>& faults,
                 std::vector<std::string>& passwords)
      : advice_(std::move(advice)), faults_(faults), passwords_(passwords) {}

  void look(const Json::Value& schema, const Json::Value& value, const std::string& path,
            const std::string& name) {
    if (value.isString()) return look_at(schema, value.asString(), path, name);
    if (value.isArray()) {
      for (Json::ArrayIndex i = 0; i < value.size(); ++i) {
        const std::string n = std::to_string(i);
        look(or_none(schema["items"]), value[i], path + "/" + n, name + "[" + n + "]");
      }
    }
    if (!value.isObject()) return;
    for (const auto& member : value.getMemberNames()) {
      const Json::Value& properties = schema["properties"];
      const Json::Value& below =
          properties.isMember(member) ? properties[member] : schema["additionalProperties"];
      look(or_none(below), value[member], path + "/" + member, joined(name, member));
    }
  }

 private:
  static const Json::Value& or_none(const Json::Value& schema) {
    return schema.isObject() ? schema : Json::Value::nullSingleton();
  }

  void look_at(const Json::Value& schema, const std::string& text, const std::string& path,
               const std::string& name) {
    const bool connection = schema["format"] == "connection";
    auto found = connection ? passwords_in_connection(text) : passwords_in_urls(text);
    if (found.empty()) return;
    passwords_.insert(passwords_.end(), std::make_move_iterator(found.begin()),
                      std::make_move_iterator(found.end()));
    faults_.push_back({path, name + ": holds a password; " + advice_});
  }

  const std::string advice_;
  std::vector<ConfigFault>& faults_;
  std::vector<std::string>& passwords_;
};

}  // namespace

std::vector<ConfigFault> check_config(const Json::Value& schema, const std::string& who,
                                      Json::Value& config) {
  std::vector<ConfigFault> faults;
  find_broken_text(config, "", faults);
  if (faults.empty()) Checker(who, faults).check(schema, config, "", "");
  if (faults.empty() && !only_known_keywords(schema)) {
    const std::string fault = validate_json_schema(schema, config);
    if (!fault.empty()) faults.push_back({"", "with: " + fault});
  }
  return faults;
}

std::vector<std::string> secrets_in(const Json::Value& schema, const Json::Value& config) {
  std::vector<std::string> names;
  for (auto& use : secret_uses_in(schema, config)) names.push_back(std::move(use.name));
  return names;
}

std::vector<SecretUse> secret_uses_in(const Json::Value& schema, const Json::Value& config) {
  std::vector<SecretUse> uses;
  collect_secrets(schema, config, "", uses);
  return uses;
}

std::vector<ConfigFault> find_passwords(const Json::Value& schema, const std::string& use,
                                        const Json::Value& config,
                                        std::vector<std::string>& passwords) {
  std::vector<ConfigFault> faults;
  PasswordSearch(place_of_passwords(schema, use), faults, passwords).look(schema, config, "", "");
  return faults;
}

}  // namespace patchbay::host
