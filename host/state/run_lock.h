// A pipeline runs once at a time, and so does each of its splits.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace patchbay::host {

// Exit code 75.
class AlreadyRunning : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Held until destruction, or until the process ends in whatever way: the kernel drops it.
class RunLock {
 public:
  // Locks the pipeline, or just the splits of these keys: runs of other splits may go on beside.
  // Throws AlreadyRunning with the other process's number where that is known, otherwise as
  // prepare_state_dir.
  RunLock(const std::filesystem::path& state_dir, const std::string& pipeline,
          const std::vector<std::string>& splits = {});
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  // Whether a run of the pipeline, or of some of its splits, goes on; true where that can't be
  // told.
  static bool is_held(const std::filesystem::path& state_dir, const std::string& pipeline);

 private:
  int fd_;
};

}  // namespace patchbay::host
