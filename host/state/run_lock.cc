#include "state/run_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "state/state_dir.h"

namespace patchbay::host {
namespace {

// Locks of one file: a split is one byte of it, the pipeline all of them.
bool lock_bytes(int fd, off_t start, off_t length) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;  // 0 = to the end, wherever that is
  return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

// FNV-1a, 62 bits: two splits of a pipeline practically never share a byte.
off_t byte_of(const std::string& split) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : split) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<off_t>(hash >> 2);
}

std::string read_owner(int fd) {
  char pid[32] = {};
  const ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
  return n > 0 ? " as process " + std::string(pid, static_cast<size_t>(n)) : "";
}

// For the message of a second run only, so that it may fail.
void write_owner(int fd, const std::string& owner) {
  if (ftruncate(fd, 0) == 0 && pwrite(fd, owner.data(), owner.size(), 0) < 0) return;
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& state_dir, const std::string& pipeline,
                 const std::vector<std::string>& splits)
    : fd_(open_lock_file(state_dir, pipeline)) {
  std::string refused;
  if (splits.empty() && !lock_bytes(fd_, 0, 0)) refused = pipeline;
  for (const auto& split : splits) {
    if (refused.empty() && !lock_bytes(fd_, byte_of(split), 1))
      refused = pipeline + ": split " + split;
  }
  if (!refused.empty()) {
    const std::string owner = read_owner(fd_);
    close(fd_);
    throw AlreadyRunning(refused + ": already runs" + owner);
  }
  write_owner(fd_, splits.empty() ? std::to_string(getpid()) : "");
}

RunLock::~RunLock() { close(fd_); }

bool RunLock::is_held(const std::filesystem::path& state_dir, const std::string& pipeline) {
  const auto file = state_dir / "locks" / (pipeline + ".lock");
  const int fd = open(file.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno != ENOENT;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool held = fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
  close(fd);
  return held;
}

}  // namespace patchbay::host
