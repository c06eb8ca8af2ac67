#include "manifest/catalog.h"

#include <algorithm>
#include <set>

#include "files/local_files.h"
#include "loader/elf_libraries.h"
#include "loader/elf_note.h"
#include "patchbay/abi.h"
#include "patchbay/error.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

void read_entry(CatalogEntry& entry, const PluginDirs& dirs) {
  try {
    check_trusted(entry.file, dirs.trust);
    auto manifest = std::make_shared<Manifest>(read_manifest(entry.file, dirs.libraries));
    check_trusted(manifest->library, dirs.trust);
    for (const auto& library : libraries_behind(manifest->library))
      check_trusted(library, dirs.trust);
    if (manifest->abi_major != BAY_ABI_MAJOR || manifest->abi_minor > BAY_ABI_MINOR) {
      entry.problem = "abi: needs " + std::to_string(manifest->abi_major) + "." +
                      std::to_string(manifest->abi_minor) + ", this host has " +
                      std::to_string(BAY_ABI_MAJOR) + "." + std::to_string(BAY_ABI_MINOR) +
                      "; install a " + plugin_package(entry.id) + " that fits";
      return;
    }
    entry.manifest = std::move(manifest);
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable) throw;  // a limit is no fault of the plugin
    entry.problem = error.what();
  }
}

bool has_note(const fs::path& library) {
  try {
    read_plugin_note(library);
    return true;
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable) throw;
    return false;  // no plugin: the library of one
  }
}

}  // namespace

Catalog::Catalog(PluginDirs dirs) : dirs_(std::move(dirs)) { list_manifests(); }

void Catalog::list_manifests() {
  for (const auto& dir : dirs_.manifests) {
    for (const auto& file : entries_of(dir)) {
      if (file.extension() != ".json") continue;
      const std::string id = file.stem().string();
      const auto [same, is_new] = entries_.try_emplace(id, CatalogEntry{id, file, nullptr, "", {}});
      std::error_code gone;
      if (!is_new && !fs::equivalent(same->second.file, file, gone))
        same->second.hidden.push_back(file);
    }
  }
}

const CatalogEntry* Catalog::read(CatalogEntry& entry) const {
  if (!entry.manifest && entry.problem.empty()) read_entry(entry, dirs_);
  return &entry;
}

void Catalog::complete() const {
  const std::lock_guard lock(mutex_);
  if (is_complete_) return;
  for (auto& [id, entry] : entries_) read(entry);
  add_lone_libraries();
  is_complete_ = true;
}

void Catalog::add_lone_libraries() const {
  std::set<fs::path> known;
  for (const auto& [id, entry] : entries_) {
    if (entry.manifest) known.insert(entry.manifest->library);
  }
  for (const auto& dir : dirs_.libraries) {
    for (const auto& file : entries_of(dir)) {
      const std::string id = file.stem().string();
      if (file.extension() != ".so" || entries_.contains(id) || known.contains(whole_path(file)) ||
          !has_note(file))
        continue;
      const std::string problem = file.string() + ": has no manifest " + id +
                                  ".json; run `apt install --reinstall " + plugin_package(id) +
                                  "`, or put the manifest beside it";
      entries_.emplace(id, CatalogEntry{id, file, nullptr, problem, {}});
    }
  }
}

const CatalogEntry* Catalog::find(const std::string& id) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found != entries_.end()) return read(found->second);
  }
  complete();
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::string> Catalog::ids() const {
  std::vector<std::string> ids;
  for (const auto& entry : entries()) ids.push_back(entry.id);
  return ids;
}

}  // namespace patchbay::host
