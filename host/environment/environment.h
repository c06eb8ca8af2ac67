// What is enabled and configured in dev, prod, ...: <config-dir>/environments/<name>/.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "environment/origin.h"
#include "environment/secret_store.h"
#include "manifest/catalog.h"
#include "pipeline/variables.h"

namespace patchbay::host {

// Where things are unless the environment's file says otherwise: from the command line, PATCHBAY_
// variables, defaults.
struct Places {
  std::optional<std::string> environment;  // none = local
  std::filesystem::path config_dir;
  std::optional<std::filesystem::path> state_dir;
  PluginDirs plugins;
};

struct Environment {
  std::string name;
  bool local = false;               // the built-in one: every plugin found is enabled
  std::filesystem::path dir;        // empty for local
  std::filesystem::path state_dir;  // empty where there is none
  std::string no_state_dir;         // then: why, and what to do
  Variables variables;
  std::vector<SecretProvider> secrets;
  std::string timezone = "UTC";
  std::optional<unsigned> concurrency;
  int64_t edge_bytes = 1 << 20;
  // What is older is deleted when a run ends; nothing = never.
  std::optional<std::chrono::milliseconds> keep_rejects, keep_runs;
  std::vector<NamedValue> values;  // what is above, and where each comes from

  // Throws Error kConfig where there is none.
  const std::filesystem::path& state_folder() const;
  bool enabled(const std::string& plugin) const;
  // The entry of plugins.d that does it; empty where none does, and in local.
  std::filesystem::path enabled_by(const std::string& plugin) const;
  std::vector<std::string> enabled_plugins() const;  // installed or not; of plugins.d
  // Why plugins.d excludes this version of an enabled plugin; empty where it does not.
  std::string refusal(const Manifest& plugin) const;
  std::filesystem::path pipelines() const { return dir / "pipelines"; }
};

// Throws Faults for a broken environment.yaml, Error kConfig for an environment that is not there,
// naming those that are, or that others may change.
Environment load_environment(const Places& places);

// Links the manifest into plugins.d, or takes it out; doing so twice is no error. Throws Error
// kConfig for `local`.
void enable_plugin(const Environment& environment, const CatalogEntry& plugin);
void disable_plugin(const Environment& environment, const std::string& id);

}  // namespace patchbay::host
