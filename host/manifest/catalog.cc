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

CatalogEntry read_entry(const fs::path& file, const PluginDirs& dirs) {
  CatalogEntry entry{file.stem().string(), file, nullptr, "", {}};
  try {
    check_trusted(file, dirs.trust);
    auto manifest = std::make_shared<Manifest>(read_manifest(file, dirs.libraries));
    check_trusted(manifest->library, dirs.trust);
    for (const auto& library : libraries_behind(manifest->library))
      check_trusted(library, dirs.trust);
    if (manifest->abi_major != BAY_ABI_MAJOR || manifest->abi_minor > BAY_ABI_MINOR) {
      entry.problem = "abi: needs " + std::to_string(manifest->abi_major) + "." +
                      std::to_string(manifest->abi_minor) + ", this host has " +
                      std::to_string(BAY_ABI_MAJOR) + "." + std::to_string(BAY_ABI_MINOR) +
                      "; install a " + plugin_package(entry.id) + " that fits";
      return entry;
    }
    entry.manifest = std::move(manifest);
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable) throw;  // a limit is no fault of the plugin
    entry.problem = error.what();
  }
  return entry;
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

Catalog::Catalog(const PluginDirs& dirs) {
  add_manifests(dirs);
  add_lone_libraries(dirs);
  std::sort(entries_.begin(), entries_.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
}

void Catalog::add_manifests(const PluginDirs& dirs) {
  for (const auto& dir : dirs.manifests) {
    for (const auto& file : entries_of(dir)) {
      if (file.extension() != ".json") continue;
      const std::string id = file.stem().string();
      const auto same = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const auto& entry) { return entry.id == id; });
      if (same == entries_.end()) {
        entries_.push_back(read_entry(file, dirs));
      } else if (std::error_code gone; !fs::equivalent(same->file, file, gone)) {
        same->hidden.push_back(file);
      }
    }
  }
}

void Catalog::add_lone_libraries(const PluginDirs& dirs) {
  std::set<fs::path> known;
  for (const auto& entry : entries_) {
    if (entry.manifest) known.insert(entry.manifest->library);
  }
  for (const auto& dir : dirs.libraries) {
    for (const auto& file : entries_of(dir)) {
      const std::string id = file.stem().string();
      if (file.extension() != ".so" || find(id) || known.contains(whole_path(file)) ||
          !has_note(file))
        continue;
      entries_.push_back({id,
                          file,
                          nullptr,
                          file.string() + ": has no manifest " + id +
                              ".json; run `apt install --reinstall " + plugin_package(id) +
                              "`, or put the manifest beside it",
                          {}});
    }
  }
}

const CatalogEntry* Catalog::find(const std::string& id) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.id == id; });
  return found == entries_.end() ? nullptr : &*found;
}

std::vector<std::string> Catalog::ids() const {
  std::vector<std::string> ids;
  for (const auto& entry : entries_) ids.push_back(entry.id);
  return ids;
}

}  // namespace patchbay::host
