#include "manifest/catalog.h"

#include <algorithm>

#include "patchbay/abi.h"
#include "patchbay/error.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

CatalogEntry read_entry(const fs::path& file, const std::vector<fs::path>& libraries) {
  CatalogEntry entry{file.stem().string(), file, nullptr, ""};
  try {
    auto manifest = std::make_shared<Manifest>(read_manifest(file, libraries));
    if (manifest->abi_major != BAY_ABI_MAJOR || manifest->abi_minor > BAY_ABI_MINOR) {
      entry.problem = "abi: needs " + std::to_string(manifest->abi_major) + "." +
                      std::to_string(manifest->abi_minor) + ", this host has " +
                      std::to_string(BAY_ABI_MAJOR) + "." + std::to_string(BAY_ABI_MINOR) +
                      "; install a patchbay-plugin-" + entry.id + " that fits";
      return entry;
    }
    entry.manifest = std::move(manifest);
  } catch (const Error& error) {
    entry.problem = error.what();
  }
  return entry;
}

}  // namespace

Catalog::Catalog(const PluginDirs& dirs) {
  for (const auto& dir : dirs.manifests) {
    std::error_code gone;
    for (const auto& file : fs::directory_iterator(dir, gone)) {
      if (file.path().extension() != ".json" || find(file.path().stem().string())) continue;
      entries_.push_back(read_entry(file.path(), dirs.libraries));
    }
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
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
