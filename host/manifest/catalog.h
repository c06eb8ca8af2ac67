// What is installed: the manifests of some directories, broken ones included.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loader/trust.h"
#include "manifest/manifest.h"

namespace patchbay::host {

struct CatalogEntry {
  std::string id;
  std::filesystem::path file;
  std::shared_ptr<const Manifest> manifest;   // null where it is unusable
  std::string problem;                        // then: why, and what to do
  std::vector<std::filesystem::path> hidden;  // manifests of this id in later directories
};

// Where manifests are, and where the libraries that they name are when not beside them.
struct PluginDirs {
  std::vector<std::filesystem::path> manifests;
  std::vector<std::filesystem::path> libraries;
  Trust trust = Trust::kRootAndOwn;
};

class Catalog {
 public:
  // The first directory that has an id wins. A directory that is not there is empty. A plugin
  // without a manifest, and one of files that others may change, the libraries on its run path
  // included, is an unusable entry.
  explicit Catalog(const PluginDirs& dirs);

  const std::vector<CatalogEntry>& entries() const { return entries_; }  // by id
  const CatalogEntry* find(const std::string& id) const;
  std::vector<std::string> ids() const;

 private:
  void add_manifests(const PluginDirs& dirs);
  void add_lone_libraries(const PluginDirs& dirs);

  std::vector<CatalogEntry> entries_;
};

}  // namespace patchbay::host
