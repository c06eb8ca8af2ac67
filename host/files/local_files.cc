#include "files/local_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "patchbay/posix_error.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

// Nothing where there is nothing.
std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) return std::nullopt;
  throw local_error(path, errno, "looked at");
}

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int fd;
};

// A power loss could else take a new folder with all that was made durable in it.
void sync_folder(const fs::path& folder) {
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool may_not = opened.fd < 0 && errno == EACCES;  // one that may be written and not read
  if (may_not || (opened.fd >= 0 && fsync(opened.fd) == 0)) return;
  // Some file systems know no such thing.
  if (errno != EINVAL && errno != ENOTSUP) throw local_error(folder, errno, "made durable");
}

}  // namespace

Error local_error(const fs::path& path, int error, const std::string& intent) {
  const Error found = posix_error(path.string(), error, intent);
  return {found.code() == Code::kNotFound ? Code::kConfig : found.code(), found.what()};
}

bool is_there(const fs::path& path) { return status_of(path).has_value(); }

bool is_folder(const fs::path& path) {
  const auto status = status_of(path);
  return status && S_ISDIR(status->st_mode);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(folder.c_str()), closedir);
  if (!opened && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (!opened) throw local_error(folder, errno, "listed");
  std::vector<fs::path> entries;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(opened.get());
    if (!entry && errno != 0) throw local_error(folder, errno, "listed");
    if (!entry) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") entries.push_back(folder / name);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

fs::path working_folder() {
  std::error_code error;
  fs::path folder = fs::current_path(error);
  if (!error) return folder;
  if (error.value() != ENOENT) throw local_error("the working folder", error.value(), "named");
  throw Error(Code::kConfig, "the working folder is gone; change to one that is there");
}

fs::path whole_path(const fs::path& path) {
  if (path.is_absolute()) return path;
  try {
    return working_folder() / path;
  } catch (const Error& error) {
    throw Error(error.code(),
                path.string() + ": is relative, and " + error.what() + ", or write the whole path");
  }
}

std::string read_regular_file(const fs::path& file, size_t most) {
  const Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (opened.fd < 0) throw local_error(file, errno, "read");
  struct stat status{};
  if (fstat(opened.fd, &status) != 0) throw local_error(file, errno, "read");
  if (!S_ISREG(status.st_mode))
    throw Error(Code::kConfig, file.string() + ": is not a regular file");
  std::string text;
  for (std::array<char, 65536> part; text.size() <= most;) {
    const ssize_t n = read(opened.fd, part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw local_error(file, errno, "read");
    if (n == 0) return text;
    text.append(part.data(), static_cast<size_t>(n));
  }
  throw Error(Code::kConfig,
              file.string() + ": is larger than " + std::to_string(most >> 20) + " MiB");
}

void make_folders(const fs::path& folder, unsigned mode) {
  fs::path whole = whole_path(folder);
  if (!whole.has_filename()) whole = whole.parent_path();  // it ends in a slash
  if (is_folder(whole)) return;
  if (whole.has_relative_path()) make_folders(whole.parent_path(), mode);
  if (mkdir(whole.c_str(), mode) == 0) return sync_folder(whole.parent_path());
  const int error = errno;
  if (error != EEXIST) throw local_error(folder, error, "made");
  if (!is_folder(whole)) throw local_error(folder, ENOTDIR, "made");
}

}  // namespace patchbay::host
