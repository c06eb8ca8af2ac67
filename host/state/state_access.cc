#include "state/state_access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "files/local_files.h"
#include "patchbay/trust.h"
#include "state/state_dir.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kElsewhere = "name another folder with --state-dir";

[[noreturn]] void refuse(const fs::path& what, const std::string& why) {
  throw Error(Code::kConfig, what.string() + ": " + why + ", or " + kElsewhere);
}

// Such as /tmp, and what is mounted there: a folder of one's own in it will do.
bool is_sticky(const fs::path& folder) {
  struct stat status{};
  return stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         (status.st_mode & S_ISVTX) != 0;
}

void check_own(const fs::path& path) {
  const auto fault = find_distrust(whole_path(path), Trust::kRootAndOwn, UsedAs::kState);
  if (!fault) return;
  throw Error(Code::kConfig,
              fault->why + ", so no state is kept there; run " +
                  (fault->owner.empty() ? "`" + fault->command + "`" : "it as " + fault->owner) +
                  ", or " + kElsewhere + (is_sticky(path) ? ", like one in it" : ""));
}

// What is there under a name of the state directory; nobody can change that meanwhile, since the
// folder is this user's.
std::optional<struct stat> entry_at(const fs::path& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    refuse_state_file(path, errno);
  }
  if (S_ISLNK(status.st_mode)) refuse(path, "is a link; put the thing itself there");
  return status;
}

void check_file(const fs::path& file) {
  const auto status = entry_at(file);
  if (!status) return;
  if (!S_ISREG(status->st_mode))
    refuse(file, "cannot be opened: it is not a regular file; move it away");
  check_own(file);
}

void check_database(const fs::path& file) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) check_file(file.string() + suffix);
}

void check_folder(const fs::path& folder) {
  const auto status = entry_at(folder);
  if (!status) return;
  if (!S_ISDIR(status->st_mode)) refuse_state_file(folder, ENOTDIR);
  check_own(folder);
}

}  // namespace

void prepare_state_dir(const fs::path& dir) {
  check_own(dir);
  try {
    make_folders(dir, 0700);
  } catch (const Error& error) {
    if (error.code() != Code::kConfig) throw;
    throw Error(Code::kConfig, std::string(error.what()) + ", or " + kElsewhere);
  }
  check_own(dir);
}

void check_state(const fs::path& dir) {
  check_own(dir);
  for (const char* name : {"pipelines", "numbers", "locks"}) check_folder(dir / name);
  for (const auto& file : entries_of(dir / "numbers")) check_file(file);
  check_database(dir / "state.db");  // of the version before
}

void check_records(const fs::path& dir, const std::string& pipeline) {
  check_database(state_file(dir, pipeline));
}

void make_state_file(const fs::path& dir, const std::string& pipeline) {
  const fs::path file = state_file(dir, pipeline);
  prepare_state_dir(dir);
  prepare_state_dir(file.parent_path());
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
  } else if (errno != EEXIST) {
    refuse_state_file(file, errno);
  } else if (const auto status = entry_at(file); status && (status->st_mode & 077) != 0) {
    chmod(file.c_str(), 0600);
  }
}

int open_lock_file(const fs::path& dir, const std::string& name) {
  prepare_state_dir(dir);
  prepare_state_dir(dir / "locks");
  const fs::path file = dir / "locks" / (name + ".lock");
  check_file(file);
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd < 0) refuse_state_file(file, errno);
  return fd;
}

void refuse_state_file(const fs::path& what, int error) {
  const Error found = local_error(what, error, "opened or made");
  if (found.code() != Code::kConfig) throw found;
  throw Error(Code::kConfig, std::string(found.what()) + ", or " + kElsewhere);
}

}  // namespace patchbay::host
