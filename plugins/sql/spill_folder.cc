#include "spill_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "patchbay/config.h"
#include "patchbay/posix_error.h"
#include "patchbay/trust.h"

namespace patchbay {
namespace {

namespace fs = std::filesystem;
constexpr const char* kPrefix = "patchbay-sql-";
constexpr uint64_t kFull = 4 << 20;  // bytes: the engine spills blocks of 256 KiB, a few at a time

// In a folder like /tmp anybody may make one of that name.
bool is_own_folder(const fs::path& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

// A folder whose lock can be had belongs to nobody. One without a lock file is being made.
void remove_abandoned(const std::string& parent) {
  std::error_code error;
  for (auto it = fs::directory_iterator(parent, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    if (!it->path().filename().string().starts_with(kPrefix)) continue;
    if (!is_own_folder(it->path())) continue;
    const int fd =
        open((it->path() / "lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) continue;
    std::error_code ignored;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) fs::remove_all(it->path(), ignored);
    close(fd);
  }
}

[[noreturn]] void refuse(const std::string& parent, int error) {
  const Error found = posix_error("spill_directory: " + parent, error, "used");
  throw Error(found.code() == Code::kNotFound ? Code::kConfig : found.code(), found.what());
}

}  // namespace

void check_spill_parent(const std::string& parent) {
  struct stat status{};
  if (stat(parent.c_str(), &status) != 0) refuse(parent, errno);
  if (!S_ISDIR(status.st_mode)) refuse(parent, ENOTDIR);
  if (access(parent.c_str(), W_OK | X_OK) != 0) refuse(parent, errno);
  if (const auto fault = find_distrust(parent, Trust::kRootAndOwn, UsedAs::kScratch))
    config_error("spill_directory", fault->why + "; run `" + fault->command + "`, or name another");
}

SpillFolder::SpillFolder(const std::string& parent) {
  check_spill_parent(parent);
  remove_abandoned(parent);
  path_ = fs::absolute(parent).string() + "/" + kPrefix + "XXXXXX";
  if (!mkdtemp(path_.data())) refuse(parent, errno);
  lock_ = open((path_ + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0 || flock(lock_, LOCK_EX | LOCK_NB) != 0 || mkdir(files().c_str(), 0700) != 0) {
    const int error = errno;
    if (lock_ >= 0) close(lock_);
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    refuse(parent, error);
  }
}

SpillFolder::~SpillFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  close(lock_);
}

bool SpillFolder::is_full() const {
  struct statvfs room{};
  return statvfs(path_.c_str(), &room) == 0 && uint64_t{room.f_bavail} * room.f_frsize < kFull;
}

}  // namespace patchbay
