#include "environment/environment.h"

#include <cstdlib>

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

void apply_file(const fs::path& file, Environment& environment) {
  Document document = parse_document(file.string(), read_document_text(file.string()));
  if (document.root.isNull()) document.root = Json::objectValue;
  std::vector<Fault> faults;
  for (const auto& fault : check_config(environment_schema(), "an environment", document.root)) {
    faults.push_back({file.string(), document.at(fault.path), fault.message});
  }
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

}  // namespace

bool Environment::enabled(const std::string& plugin) const {
  if (local) return true;
  for (const char* suffix : {".json", ".yaml"}) {
    std::error_code gone;
    if (fs::exists(dir / "plugins.d" / (plugin + suffix), gone)) return true;
  }
  return false;
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
  if (environment.name.find('/') != std::string::npos || !fs::is_directory(environment.dir)) {
    throw Error(Code::kConfig,
                "environment " + environment.name + ": is not there; " + known_environments(all));
  }
  environment.state_dir = fs::path("/var/lib/patchbay") / environment.name;
  const fs::path file = environment.dir / "environment.yaml";
  if (fs::exists(file)) apply_file(file, environment);
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
  for (const char* suffix : {".json", ".yaml"}) {
    const fs::path link = environment.dir / "plugins.d" / (id + suffix);
    std::error_code error;
    fs::remove(link, error);
    if (error)
      throw Error(Code::kConfig, link.string() + ": cannot be removed: " + error.message());
  }
}

}  // namespace patchbay::host
