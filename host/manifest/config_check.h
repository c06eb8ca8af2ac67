// Configurations against the JSON Schema of a manifest: every fault at once, each saying what to
// write instead.
#pragma once

#include <json/value.h>

#include <string>
#include <vector>

namespace patchbay::host {

struct ConfigFault {
  std::string
      path;  // JSON pointer to the value, "/tables/responses"; of the parent where it is missing
  std::string message;  // "page_size: must be between 1 and 10000, not 0"
};

// `who` names the plugin in messages about unknown options. Fills in defaults.
// Values of options marked "secret" must be {"secret": NAME}; a literal is never repeated in the
// message.
std::vector<ConfigFault> check_config(const Json::Value& schema, const std::string& who,
                                      Json::Value& config);

// The names of the secrets that a checked configuration refers to.
std::vector<std::string> secrets_in(const Json::Value& schema, const Json::Value& config);

// A secret that a checked configuration refers to, and the option that takes it: "tables.a.key".
struct SecretUse {
  std::string option, name;
};
std::vector<SecretUse> secret_uses_in(const Json::Value& schema, const Json::Value& config);

// Values that hold a password: a URL with one, or with "format": "connection" any other form of a
// connection. The message says what to write instead, never what was given; `passwords` gets it.
// `use` names the component in the messages.
std::vector<ConfigFault> find_passwords(const Json::Value& schema, const std::string& use,
                                        const Json::Value& config,
                                        std::vector<std::string>& passwords);

// Draft 7 in full, by the book but without good words: "" where `value` conforms.
std::string validate_json_schema(const Json::Value& schema, const Json::Value& value);

}  // namespace patchbay::host
