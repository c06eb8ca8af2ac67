// A folder for what does not fit into memory: made for one run, gone with it.
#pragma once

#include <string>

namespace patchbay {

class SpillFolder {
 public:
  // A new folder below `parent`, which must be there; its path is absolute. Removes those that
  // killed runs left.
  explicit SpillFolder(const std::string& parent);
  ~SpillFolder();
  SpillFolder(const SpillFolder&) = delete;
  SpillFolder& operator=(const SpillFolder&) = delete;

  std::string path() const { return path_ + "/data"; }    // the engine makes and removes it
  std::string files() const { return path_ + "/files"; }  // there, for files that come in
  bool is_full() const;                                   // its disk

 private:
  std::string path_;
  int lock_ = -1;  // held while the run lives: what nobody holds may be removed
};

// Throws kConfig where `parent` is no folder that can be written.
void check_spill_parent(const std::string& parent);

}  // namespace patchbay
