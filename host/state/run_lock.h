// A pipeline runs once at a time.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace patchbay::host {

// Exit code 75.
class AlreadyRunning : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Held until destruction, or until the process ends in whatever way: the kernel drops it.
class RunLock {
 public:
  // Throws AlreadyRunning with the other process's number, Error kConfig where the lock file can't
  // be made.
  RunLock(const std::filesystem::path& state_dir, const std::string& pipeline);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int fd_;
};

}  // namespace patchbay::host
