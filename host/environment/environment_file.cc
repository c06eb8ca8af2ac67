#include "environment/environment_file.h"

#include "files/local_files.h"
#include "loader/trust.h"
#include "manifest/config_check.h"
#include "patchbay/error.h"
#include "pipeline/document.h"
#include "pipeline/units.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProviders = "must have one of variable, files, credentials and command";
constexpr std::chrono::seconds kCommandTimeout{10};

const Json::Value& environment_schema() {
  static const Json::Value schema = parse_document("schema", R"json({
    "type": "object", "additionalProperties": false, "properties": {
      "description": {"type": "string"},
      "extends": {"type": "string", "minLength": 1},
      "variables": {"type": "object"},
      "timezone": {"type": "string"},
      "state_dir": {"type": "string", "minLength": 1},
      "secrets": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
        "variable": {"type": "string"}, "files": {"type": "string", "minLength": 1},
        "credentials": {"type": "boolean"},
        "command": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "timeout": {"type": ["string", "integer"]}}}},
      "limits": {"type": "object", "additionalProperties": false, "properties": {
        "concurrency": {"type": "integer", "minimum": 1, "maximum": 256},
        "edge_bytes": {"type": ["string", "integer"]}}},
      "keep": {"type": "object", "additionalProperties": false, "properties": {
        "rejects": {"type": "string"}, "runs": {"type": "string"}}},
      "placement": {"enum": ["process"]}
    }})json")
                                        .root;
  return schema;
}

std::string scalar_text(const Json::Value& value) {
  return value.isObject() || value.isArray() ? compact_json(value) : value.asString();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string trusted_text(const fs::path& file) {
  check_trusted(file, Trust::kRootAndOwn, UsedAs::kCode);
  return read_document_text(file.string());
}

class EnvironmentFile {
 public:
  explicit EnvironmentFile(const fs::path& file)
      : document_(parse_document(file.string(), trusted_text(file))) {
    if (document_.root.isNull()) document_.root = Json::objectValue;
    if (!document_.root.isObject()) {
      fault("", "must be a mapping, like variables: {..}");
      throw Faults(faults_);
    }
    for (const auto& found : check_config(environment_schema(), "an environment", document_.root))
      fault(found.path, found.message);
    if (faults_.empty()) check_values();
    if (!faults_.empty()) throw Faults(faults_);
  }

  std::string extends() const { return document_.root["extends"].asString(); }

  [[noreturn]] void refuse(const std::string& pointer, const std::string& why) const {
    throw Faults({{document_.file, document_.at(pointer), why}});
  }
  bool has(const std::string& name) const { return document_.root.isMember(name); }

  void apply(Environment& environment) {
    const Json::Value& root = document_.root;
    for (const auto& name : root["variables"].getMemberNames()) {
      environment.variables[name] = root["variables"][name];
      note(environment, "variables." + name, scalar_text(root["variables"][name]),
           "/variables/" + name);
    }
    if (root.isMember("timezone")) {
      environment.timezone = root["timezone"].asString();
      note(environment, "timezone", environment.timezone, "/timezone");
    }
    if (root.isMember("state_dir")) {
      environment.state_dir = root["state_dir"].asString();
      note(environment, "state_dir", environment.state_dir.string(), "/state_dir");
    }
    apply_limits(environment);
    apply_keep(environment);
    if (!root.isMember("secrets")) return;
    environment.secrets.clear();
    forget(environment, "secrets");
    for (Json::ArrayIndex i = 0; i < root["secrets"].size(); ++i) {
      environment.secrets.push_back(provider(root["secrets"][i]));
      note(environment, "secrets[" + std::to_string(i) + "]", environment.secrets.back().text(),
           "/secrets/" + std::to_string(i));
    }
  }

 private:
  void fault(const std::string& pointer, const std::string& why) {
    faults_.push_back({document_.file, document_.at(pointer), why});
  }

  template <class Work>
  void guarded(const std::string& pointer, Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      fault(pointer, error.what());
    }
  }

  // What the schema can't say.
  void check_values() {
    const Json::Value& root = document_.root;
    if (root.isMember("timezone"))
      guarded("/timezone", [&] { format_in_zone({"", {}, root["timezone"].asString()}, "%Y"); });
    if (root.isMember("state_dir") && !root["state_dir"].asString().starts_with('/'))
      fault("/state_dir", "state_dir: must be a whole path, like /var/lib/patchbay/prod");
    if (root["limits"].isMember("edge_bytes")) {
      guarded("/limits/edge_bytes",
              [&] { parse_size("limits.edge_bytes", root["limits"]["edge_bytes"]); });
    }
    for (const auto& name : root["keep"].getMemberNames())
      guarded("/keep/" + name, [&] { parse_duration("keep." + name, root["keep"][name]); });
    for (Json::ArrayIndex i = 0; i < root["secrets"].size(); ++i)
      check_provider(root["secrets"][i], std::to_string(i));
  }

  void check_provider(const Json::Value& one, const std::string& n) {
    const std::string at = "/secrets/" + n, name = "secrets[" + n + "]";
    const bool is_command = one.isMember("command");
    if (one.size() != (is_command && one.isMember("timeout") ? 2 : 1))
      return fault(at, name + ": " + kProviders);
    if (one.isMember("timeout")) {
      if (!is_command) return fault(at, name + ": " + kProviders);
      guarded(at, [&] { parse_duration(name + ".timeout", one["timeout"]); });
    }
    if (!is_command) return;
    if (!one["command"][0].asString().starts_with('/'))
      fault(at, name + ".command: must begin with the whole path of a program, like /usr/bin/pass");
    bool names_secret = false;
    for (const auto& word : one["command"])
      names_secret |= word.asString().find("{name}") != std::string::npos;
    if (!names_secret)
      fault(at, name + ".command: must have {name} where the secret's name is to stand");
  }

  static SecretProvider provider(const Json::Value& one) {
    using Kind = SecretProvider::Kind;
    if (one.isMember("variable")) return {Kind::kVariable, one["variable"].asString(), {}};
    if (one.isMember("files")) return {Kind::kFile, "", one["files"].asString()};
    if (!one.isMember("command")) return {Kind::kCredentials, "", {}};
    SecretProvider command{Kind::kCommand, "", {}};
    for (const auto& word : one["command"]) command.command.push_back(word.asString());
    command.timeout =
        one.isMember("timeout")
            ? std::chrono::ceil<std::chrono::seconds>(parse_duration("timeout", one["timeout"]))
            : kCommandTimeout;
    return command;
  }

  void apply_limits(Environment& environment) {
    const Json::Value& limits = document_.root["limits"];
    if (limits.isMember("concurrency")) {
      environment.concurrency = limits["concurrency"].asUInt();
      note(environment, "limits.concurrency", limits["concurrency"].asString(),
           "/limits/concurrency");
    }
    if (limits.isMember("edge_bytes")) {
      environment.edge_bytes = parse_size("limits.edge_bytes", limits["edge_bytes"]);
      note(environment, "limits.edge_bytes", limits["edge_bytes"].asString(), "/limits/edge_bytes");
    }
  }

  void apply_keep(Environment& environment) {
    const Json::Value& keep = document_.root["keep"];
    for (const auto& name : keep.getMemberNames()) {
      (name == "runs" ? environment.keep_runs : environment.keep_rejects) =
          parse_duration("keep." + name, keep[name]);
      note(environment, "keep." + name, keep[name].asString(), "/keep/" + name);
    }
  }

  static void forget(Environment& environment, const std::string& prefix) {
    std::erase_if(environment.values,
                  [&](const NamedValue& value) { return value.name.starts_with(prefix); });
  }

  void note(Environment& environment, const std::string& name, const std::string& value,
            const std::string& pointer) {
    std::erase_if(environment.values, [&](const NamedValue& v) { return v.name == name; });
    environment.values.push_back(
        {name, value, document_.file + ":" + std::to_string(document_.at(pointer).line)});
  }

  Document document_;
  std::vector<Fault> faults_;
};

}  // namespace

std::string SecretProvider::text() const {
  switch (kind) {
    case Kind::kVariable:
      return "environment variables " + prefix + "*";
    case Kind::kFile:
      return "files in " + dir.string();
    case Kind::kCredentials:
      return "files in $CREDENTIALS_DIRECTORY";
    case Kind::kCommand:
      break;
  }
  return "command " + joined(command);
}

void read_environment_file(const fs::path& environments, Environment& environment) {
  const fs::path file = environment.dir / "environment.yaml";
  if (std::error_code gone; !fs::exists(fs::symlink_status(file, gone))) return;
  EnvironmentFile own(file);
  if (const std::string name = own.extends(); !name.empty()) {
    const fs::path base = environments / name / "environment.yaml";
    if (name.find('/') != std::string::npos || name.starts_with('.') || name == environment.name)
      own.refuse("/extends", "extends: must be the name of another environment, not " + name);
    if (!is_there(base)) own.refuse("/extends", "extends: " + base.string() + " is not there");
    EnvironmentFile other(base);
    if (!other.extends().empty())
      other.refuse("/extends", "extends: environment " + environment.name + " extends " + name +
                                   ", which must not extend another one");
    if (other.has("state_dir"))
      other.refuse("/state_dir", "state_dir: environment " + environment.name + " extends " + name +
                                     ", and two environments can't share their state; "
                                     "write it into each");
    other.apply(environment);
  }
  own.apply(environment);
}

}  // namespace patchbay::host
