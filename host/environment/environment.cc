#include "environment/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "environment/environment_file.h"
#include "environment/version_range.h"
#include "files/local_files.h"
#include "loader/trust.h"
#include "patchbay/error.h"
#include "pipeline/document.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

// A folder that the variable names; empty where it is not set. A relative one would be another
// folder wherever patchbay runs:
// https://specifications.freedesktop.org/basedir-spec/latest/
fs::path folder_of_variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value) return {};
  if (*value == '/') return value;
  throw Error(Code::kConfig, std::string(name) + ": must be a whole path, not " + value +
                                 "; set it, or name a folder with --state-dir");
}

// That of the user database.
fs::path registered_home() {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(65536);
  getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (found && found->pw_dir && found->pw_dir[0] == '/') return found->pw_dir;
  throw Error(Code::kConfig, "state: HOME is not set and user " + std::to_string(geteuid()) +
                                 " has no home folder; name a folder with --state-dir");
}

fs::path user_state_dir() {
  if (const fs::path dir = folder_of_variable("XDG_STATE_HOME"); !dir.empty())
    return dir / "patchbay";
  const fs::path home = folder_of_variable("HOME");
  return (home.empty() ? registered_home() : home) / ".local/state/patchbay";
}

std::string known_environments(const fs::path& dir) {
  std::string names;
  for (const auto& entry : entries_of(dir)) {
    if (is_folder(entry)) names += (names.empty() ? "" : ", ") + entry.filename().string();
  }
  return names.empty() ? "there are none in " + dir.string() : dir.string() + " has " + names;
}

constexpr const char* kStateDirGiven = "--state-dir or PATCHBAY_STATE_DIR";

constexpr const char* kSuffixes[] = {".json", ".yaml", ".yml"};

fs::path enabling_file(const fs::path& environment, const std::string& plugin) {
  for (const char* suffix : kSuffixes) {
    const fs::path file = environment / "plugins.d" / (plugin + suffix);
    // A link to a manifest that is gone enables all the same, once its package is back.
    std::error_code gone;
    if (fs::exists(fs::symlink_status(file, gone))) return file;
  }
  return {};
}

// What {id: csv, version: ">=1.2 <2"} says; a whole manifest says nothing about a range.
std::string version_range(const fs::path& file, const std::string& plugin) {
  check_trusted(file, Trust::kRootAndOwn);
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

const fs::path& Environment::state_folder() const {
  if (state_dir.empty()) throw Error(Code::kConfig, no_state_dir);
  return state_dir;
}

bool Environment::enabled(const std::string& plugin) const {
  return local || !enabled_by(plugin).empty();
}

fs::path Environment::enabled_by(const std::string& plugin) const {
  return local ? fs::path() : enabling_file(dir, plugin);
}

std::vector<std::string> Environment::enabled_plugins() const {
  std::vector<std::string> ids;
  for (const auto& entry : entries_of(dir / "plugins.d")) {
    const std::string id = entry.stem().string();
    if (enabling_file(dir, id) == entry) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string Environment::refusal(const Manifest& plugin) const {
  const fs::path file = local ? fs::path() : enabling_file(dir, plugin.id);
  if (std::error_code gone; file.empty() || fs::is_symlink(file, gone)) return "";
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
  const auto note = [&](const std::string& name, const std::string& value,
                        const std::string& from) {
    std::erase_if(environment.values, [&](const NamedValue& v) { return v.name == name; });
    environment.values.push_back({name, value, from});
  };
  note("timezone", environment.timezone, "default");
  for (size_t i = 0; i < environment.secrets.size(); ++i)
    note("secrets[" + std::to_string(i) + "]", environment.secrets[i].text(), "default");
  const auto set_state_dir = [&](const fs::path& dir, const std::string& from) {
    environment.state_dir = dir;
    note("state_dir", dir.string(), from);
  };
  if (environment.local) {
    try {
      if (!places.state_dir) set_state_dir(user_state_dir(), "default");
    } catch (const Error& error) {
      environment.no_state_dir = error.what();  // what needs no state goes on
    }
    if (places.state_dir) set_state_dir(*places.state_dir, kStateDirGiven);
    return environment;
  }
  const fs::path all = places.config_dir / "environments";
  environment.dir = all / environment.name;
  const bool one_name = !environment.name.empty() && environment.name != "." &&
                        environment.name != ".." && environment.name.find('/') == std::string::npos;
  if (!one_name || !is_folder(environment.dir)) {
    throw Error(Code::kConfig,
                "environment " + environment.name + ": is not there; " + known_environments(all));
  }
  set_state_dir(fs::path("/var/lib/patchbay") / environment.name, "default");
  check_trusted(environment.dir, Trust::kRootAndOwn, UsedAs::kCode);
  check_trusted(environment.dir / "plugins.d", Trust::kRootAndOwn, UsedAs::kCode);
  read_environment_file(all, environment);
  if (places.state_dir) set_state_dir(*places.state_dir, kStateDirGiven);
  return environment;
}

void enable_plugin(const Environment& environment, const CatalogEntry& plugin) {
  if (environment.local) {
    throw Error(Code::kConfig,
                "environment local: every plugin is enabled there; choose another with --env");
  }
  if (!plugin.manifest) throw Error(Code::kConfig, "plugin " + plugin.id + ": " + plugin.problem);
  const fs::path link = environment.dir / "plugins.d" / (plugin.id + ".json");
  make_folders(link.parent_path(), 0755);
  std::error_code error;
  const fs::path target = whole_path(plugin.file);
  const bool is_link = fs::is_symlink(link, error);
  if (environment.enabled(plugin.id) && !is_link) return;
  if (is_link && fs::read_symlink(link, error) == target) return;
  // A new name and a rename, so that no reader ever sees the plugin gone.
  const fs::path fresh = link.string() + ".new";
  fs::remove(fresh, error);
  fs::create_symlink(target, fresh, error);
  if (!error) fs::rename(fresh, link, error);
  if (error) throw local_error(link, error.value(), "written");
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
    if (error) throw local_error(link, error.value(), "removed");
  }
}

}  // namespace patchbay::host
