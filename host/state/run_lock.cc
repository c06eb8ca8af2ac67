#include "state/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "patchbay/error.h"

namespace patchbay::host {

RunLock::RunLock(const std::filesystem::path& state_dir, const std::string& pipeline) {
  const auto dir = state_dir / "locks";
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  const auto file = dir / (pipeline + ".lock");
  fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) {
    throw Error(Code::kConfig,
                file.string() + ": cannot be opened: " + std::strerror(errno) +
                    "; check the folder's permissions, or choose another with --state-dir");
  }
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    const ssize_t n = pread(fd_, pid, sizeof pid - 1, 0);
    close(fd_);
    throw AlreadyRunning(pipeline + ": already runs" +
                         (n > 0 ? " as process " + std::string(pid, static_cast<size_t>(n)) : ""));
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(fd_, 0) != 0 || pwrite(fd_, pid.data(), pid.size(), 0) < 0) {
    // Only the message of a second run would use it.
    return;
  }
}

RunLock::~RunLock() { close(fd_); }

}  // namespace patchbay::host
