// What is installed: the manifests of some directories, broken ones included.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <ranges>
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

// A manifest is read when it is asked for: a run needs few of those that are installed.
// Thread-safe; what it returns stays where it is.
class Catalog {
 public:
  // The first directory that has an id wins. A directory that is not there is empty. A plugin
  // without a manifest, and one of files that others may change, the libraries on its run path
  // included, is an unusable entry.
  explicit Catalog(PluginDirs dirs);

  // By id. Reads all.
  auto entries() const {
    complete();
    return std::views::values(entries_);
  }
  const CatalogEntry* find(const std::string& id) const;
  std::vector<std::string> ids() const;

 private:
  void list_manifests();
  void complete() const;
  void add_lone_libraries() const;
  // With mutex_.
  const CatalogEntry* read(CatalogEntry& entry) const;

  const PluginDirs dirs_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, CatalogEntry> entries_;
  mutable bool is_complete_ = false;
};

}  // namespace patchbay::host
