#include "environment/environment.h"

#include <cstdlib>

#include "environment/version_range.h"
#include "manifest/config_check.h"
#include "patchbay/error.h"
#include "pipeline/document.h"
#include "pipeline/units.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

Json::Value object_schema_of(const char* text) { return parse_document("schema", text).root; }

const Json::Value& environment_schema() {
  static const Json::Value schema = object_schema_of(R"json({
    "type": "object", "additionalProperties": false, "properties": {
      "description": {"type": "string"},
      "variables": {"type": "object"},
      "timezone": {"type": "string"},
      "state_dir": {"type": "string", "minLength": 1},
      "secrets": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
        "variable": {"type": "string"}, "files": {"type": "string", "minLength": 1},
        "credentials": {"type": "boolean"}}}},
      "limits": {"type": "object", "additionalProperties": false, "properties": {
        "concurrency": {"type": "integer", "minimum": 1, "maximum": 256},
        "edge_bytes": {"type": ["string", "integer"]}}},
      "placement": {"enum": ["process"]}
    }})json");
  return schema;
}

std::vector<SecretProvider> parse_providers(const Json::Value& list) {
  std::vector<SecretProvider> providers;
  for (const auto& one : list) {
    if (one.isMember("variable")) {
      providers.push_back({SecretProvider::Kind::kVariable, one["variable"].asString(), {}});
    }
    if (one.isMember("files"))
      providers.push_back({SecretProvider::Kind::kFile, "", one["files"].asString()});
    if (one["credentials"].asBool())
      providers.push_back({SecretProvider::Kind::kCredentials, "", {}});
  }
  return providers;
}

fs::path user_state_dir() {
  if (const char* dir = std::getenv("XDG_STATE_HOME"); dir && *dir)
    return fs::path(dir) / "patchbay";
  const char* home = std::getenv("HOME");
  return fs::path(home && *home ? home : "/tmp") / ".local/state/patchbay";
}

std::string known_environments(const fs::path& dir) {
  std::string names;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(dir, gone)) {
    if (entry.is_directory())
      names += (names.empty() ? "" : ", ") + entry.path().filename().string();
  }
  return names.empty() ? "there are none in " + dir.string() : dir.string() + " has " + names;
}

// What the schema can't say.
void check_values(const Document& document, std::vector<Fault>& faults) {
  if (!faults.empty()) return;
  const auto guarded = [&](const std::string& at, auto&& work) {
    try {
      work();
    } catch (const Error& error) {
      faults.push_back({document.file, document.at(at), error.what()});
    }
  };
  const Json::Value& root = document.root;
  if (root.isMember("timezone"))
    guarded("/timezone", [&] { format_in_zone({"", {}, root["timezone"].asString()}, "%Y"); });
  if (root["limits"].isMember("edge_bytes")) {
    guarded("/limits/edge_bytes",
            [&] { parse_size("limits.edge_bytes", root["limits"]["edge_bytes"]); });
  }
  for (Json::ArrayIndex i = 0; i < root["secrets"].size(); ++i) {
    if (root["secrets"][i].size() == 1) continue;
    const std::string n = std::to_string(i);
    faults.push_back({document.file, document.at("/secrets/" + n),
                      "secrets[" + n + "]: must have one of variable, files and credentials"});
  }
}

void apply_file(const fs::path& file, Environment& environment) {
  Document document = parse_document(file.string(), read_document_text(file.string()));
  if (document.root.isNull()) document.root = Json::objectValue;
  if (!document.root.isObject())
    throw Faults({{file.string(), document.at(""), "must be a mapping, like variables: {..}"}});
  std::vector<Fault> faults;
  for (const auto& fault : check_config(environment_schema(), "an environment", document.root)) {
    faults.push_back({file.string(), document.at(fault.path), fault.message});
  }
  check_values(document, faults);
  if (!faults.empty()) throw Faults(faults);
  const Json::Value& root = document.root;
  for (const auto& name : root["variables"].getMemberNames())
    environment.variables[name] = root["variables"][name];
  if (root.isMember("timezone")) environment.timezone = root["timezone"].asString();
  if (root.isMember("state_dir")) environment.state_dir = root["state_dir"].asString();
  if (root.isMember("secrets")) environment.secrets = parse_providers(root["secrets"]);
  const Json::Value& limits = root["limits"];
  if (limits.isMember("concurrency")) environment.concurrency = limits["concurrency"].asUInt();
  if (limits.isMember("edge_bytes")) {
    environment.edge_bytes = parse_size("limits.edge_bytes", limits["edge_bytes"]);
  }
}

constexpr const char* kSuffixes[] = {".json", ".yaml", ".yml"};

fs::path enabling_file(const fs::path& environment, const std::string& plugin) {
  for (const char* suffix : kSuffixes) {
    const fs::path file = environment / "plugins.d" / (plugin + suffix);
    std::error_code gone;
    if (fs::exists(file, gone)) return file;
  }
  return {};
}

// What {id: csv, version: ">=1.2 <2"} says; a whole manifest says nothing about a range.
std::string version_range(const fs::path& file, const std::string& plugin) {
  const Document document = parse_document(file.string(), read_document_text(file.string()));
  const Json::Value& root = document.root;
  if (root.isObject() && root.isMember("components")) return "";
  const auto refuse = [&](const std::string& at, const std::string& why) {
    throw Faults({{file.string(), document.at(at), why}});
  };
  if (!root.isObject()) refuse("", "must be {id: NAME, version: RANGE}");
  if (!root["id"].isString() || root["id"].asString() != plugin)
    refuse("/id", "id: must be " + plugin + ", as the file's name");
  if (!root.isMember("version")) return "";
  if (!root["version"].isString() || !is_range(root["version"].asString()))
    refuse("/version", "version: must be a range like \">=1.2 <2\", in quotes");
  return root["version"].asString();
}

}  // namespace

bool Environment::enabled(const std::string& plugin) const {
  return local || !enabling_file(dir, plugin).empty();
}

std::string Environment::refusal(const Manifest& plugin) const {
  const fs::path file = local ? fs::path() : enabling_file(dir, plugin.id);
  if (file.empty() || fs::is_symlink(file)) return "";
  const std::string range = version_range(file, plugin.id);
  if (range.empty() || in_range(plugin.version, range)) return "";
  return "plugin " + plugin.id + " is installed as " + plugin.version + ", but environment " +
         name + " wants " + range + " (" + file.string() + ")";
}

Environment load_environment(const Places& places) {
  Environment environment;
  environment.secrets = default_secret_providers();
  environment.local = !places.environment || *places.environment == "local";
  environment.name = environment.local ? "local" : *places.environment;
  if (environment.local) {
    environment.state_dir = places.state_dir.value_or(user_state_dir());
    return environment;
  }
  const fs::path all = places.config_dir / "environments";
  environment.dir = all / environment.name;
  std::error_code gone;
  const bool one_name = !environment.name.empty() && environment.name != "." &&
                        environment.name != ".." && environment.name.find('/') == std::string::npos;
  if (!one_name || !fs::is_directory(environment.dir, gone)) {
    throw Error(Code::kConfig,
                "environment " + environment.name + ": is not there; " + known_environments(all));
  }
  environment.state_dir = fs::path("/var/lib/patchbay") / environment.name;
  const fs::path file = environment.dir / "environment.yaml";
  if (fs::exists(file, gone)) apply_file(file, environment);
  if (places.state_dir) environment.state_dir = *places.state_dir;
  return environment;
}

void enable_plugin(const Environment& environment, const CatalogEntry& plugin) {
  if (environment.local) {
    throw Error(Code::kConfig,
                "environment local: every plugin is enabled there; choose another with --env");
  }
  if (!plugin.manifest) throw Error(Code::kConfig, "plugin " + plugin.id + ": " + plugin.problem);
  const fs::path link = environment.dir / "plugins.d" / (plugin.id + ".json");
  std::error_code error;
  fs::create_directories(link.parent_path(), error);
  const fs::path target = fs::absolute(plugin.file);
  if (environment.enabled(plugin.id) && !fs::is_symlink(link)) return;
  if (fs::is_symlink(link) && fs::read_symlink(link, error) == target) return;
  // A new name and a rename, so that no reader ever sees the plugin gone.
  const fs::path fresh = link.string() + ".new";
  fs::remove(fresh, error);
  fs::create_symlink(target, fresh, error);
  if (!error) fs::rename(fresh, link, error);
  if (error) throw Error(Code::kConfig, link.string() + ": cannot be written: " + error.message());
}

void disable_plugin(const Environment& environment, const std::string& id) {
  if (environment.local) {
    throw Error(Code::kConfig,
                "environment local: every plugin is enabled there; choose another with --env");
  }
  for (const char* suffix : kSuffixes) {
    const fs::path link = environment.dir / "plugins.d" / (id + suffix);
    std::error_code error;
    fs::remove(link, error);
    if (error)
      throw Error(Code::kConfig, link.string() + ": cannot be removed: " + error.message());
  }
}

}  // namespace patchbay::host
