// A plugin's Debian package, looked at without being installed, run or trusted.
#pragma once

#include <filesystem>
#include <string>

#include "manifest/catalog.h"

namespace patchbay::host {

// A folder for this user alone in $TMPDIR, gone with the object.
class ScratchFolder {
 public:
  // Throws Error kConfig where others could put another folder in its place.
  ScratchFolder();
  ~ScratchFolder() { remove(); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void remove() const;  // any thread

 private:
  std::filesystem::path path_;
};

// Of the package's files its manifests and libraries alone are unpacked, below `folder`: as regular
// files of this user that nobody else can read, never with the modes, owners, links or devices that
// the package names.
class PluginPackage {
 public:
  // Throws Error kConfig for a file that is not a package, and for one that has something else than
  // a regular file in a wanted place, a name twice, a name that leads out of it, or more than a
  // plugin needs.
  PluginPackage(const std::filesystem::path& file, const ScratchFolder& folder);

  const std::string& file() const { return file_; }
  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }
  const std::string& architecture() const { return architecture_; }
  const PluginDirs& dirs() const { return dirs_; }

 private:
  void read_control();

  std::string file_, name_, version_, architecture_;
  PluginDirs dirs_;
};

}  // namespace patchbay::host
