#include "files_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <vector>

#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

// Closes what it has.
struct Descriptor {
  explicit Descriptor(int descriptor) : fd(descriptor) {}
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int fd;
};

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path.empty() ? "." : path;
}

// The parts of a path that lead on: without empty ones and dots.
std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (!part.empty() && part != ".") out.emplace_back(part);
    begin = end + 1;
  }
  return out;
}

}  // namespace

std::optional<Folder> Folder::find(const std::string& path) {
  const std::string plain = without_slash(path);
  const int fd = ::open(plain.c_str(), kFolder);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (fd < 0) throw posix_error(plain, errno, "opened");
  return Folder(fd, plain);
}

Folder Folder::open(const std::string& path) {
  const std::string plain = without_slash(path);
  const int fd = ::open(plain.c_str(), kFolder);
  if (fd < 0) throw posix_error(plain, errno, "opened");
  return {fd, plain};
}

Folder Folder::make(const std::string& path) {
  const std::string plain = without_slash(path);
  if (auto found = find(plain)) return std::move(*found);
  const size_t slash = plain.rfind('/');
  const std::string above = slash == std::string::npos ? "." : plain.substr(0, slash + 1);
  return make(above).make_child(plain.substr(slash + 1));
}

Folder::~Folder() {
  if (fd_ >= 0) close(fd_);
}

std::string Folder::path_of(const std::string& name) const {
  return path_ == "." ? name : path_.ends_with('/') ? path_ + name : path_ + "/" + name;
}

std::optional<Folder> Folder::child(const std::string& name) const {
  const int fd = openat(fd_, name.c_str(), kFolder | O_NOFOLLOW);
  if (fd >= 0) return Folder(fd, path_of(name));
  const int error = errno;
  if (error == ENOENT) return std::nullopt;
  const auto status = look(name);
  if (status && S_ISLNK(status->st_mode)) {
    throw Error(Code::kConfig, path_of(name) + ": is a link to " + link_target(name) +
                                   ", and below the fixed part of a path no link is followed; "
                                   "replace it by a folder");
  }
  throw posix_error(path_of(name), error, "opened");
}

// Its entry is durable when this returns, also if somebody else has made it just now.
Folder Folder::make_child(const std::string& name) const {
  if (mkdirat(fd_, name.c_str(), 0777) != 0 && errno != EEXIST)
    throw posix_error(path_of(name), errno, "made");
  sync();
  if (auto made = child(name)) return std::move(*made);
  throw posix_error(path_of(name), ENOENT, "opened");
}

std::optional<Folder> Folder::walk(const std::string& relative, bool make) const {
  const int fd = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) throw posix_error(path_, errno, "opened");
  Folder at(fd, path_);
  for (const auto& part : parts_of(relative)) {
    auto next = at.child(part);
    if (!next && !make) return std::nullopt;
    at = next ? std::move(*next) : at.make_child(part);
  }
  return at;
}

std::optional<Folder> Folder::find_below(const std::string& relative) const {
  return walk(relative, false);
}

Folder Folder::make_below(const std::string& relative) const { return *walk(relative, true); }

Folder Folder::open_below(const std::string& relative) const {
  if (auto found = find_below(relative)) return std::move(*found);
  throw posix_error(path_of(relative), ENOENT, "opened");
}

std::optional<struct stat> Folder::look(const std::string& name) const {
  struct stat status{};
  if (fstatat(fd_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  throw posix_error(path_of(name), errno, "looked at");
}

std::string Folder::link_target(const std::string& name) const {
  char text[4096];
  const ssize_t size = readlinkat(fd_, name.c_str(), text, sizeof text);
  return {text, static_cast<size_t>(std::max<ssize_t>(size, 0))};
}

void Folder::remove(const std::string& name) const {
  if (unlinkat(fd_, name.c_str(), 0) != 0 && errno != ENOENT)
    throw posix_error(path_of(name), errno, "removed");
}

void Folder::sync() const {
  if (fsync(fd_) != 0) throw posix_error(path_, errno, "made durable");
}

std::pair<std::string, std::string> split_path(const std::string& path) {
  const size_t end = path.rfind('/') + 1;
  return {path.substr(0, end), path.substr(end)};
}

std::string kind_of(const struct stat& status) {
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      return "a file";
    case S_IFDIR:
      return "a folder";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFLNK:
      return "a link";
    default:
      return "a device";
  }
}

namespace {

bool is_folder(const FolderEntry& entry) {
  if (entry.type != DT_UNKNOWN) return entry.type == DT_DIR;
  struct stat status{};
  return fstatat(entry.folder, entry.name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

}  // namespace

bool visit_entries(int folder, const std::string& path, Walk walk, const VisitEntry& visit) {
  constexpr size_t kBuffer = 64 << 10;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kBuffer);
  std::vector<std::string> below;
  for (;;) {
    const ssize_t size = getdents64(folder, buffer.get(), kBuffer);
    if (size < 0 && errno != ENOENT) throw posix_error(path.empty() ? "." : path, errno, "listed");
    if (size <= 0) break;  // ENOENT: the folder was removed
    for (ssize_t at = 0; at < size;) {
      const auto* found = reinterpret_cast<const dirent64*>(buffer.get() + at);
      at += found->d_reclen;
      const std::string_view name = found->d_name;
      if (name == "." || name == ".." || !name.starts_with(walk.prefix)) continue;
      const FolderEntry entry{folder, path, found->d_name, found->d_type};
      if (!visit(entry)) return false;
      if (walk.deep && is_folder(entry)) below.emplace_back(name);
    }
  }
  walk.prefix = {};
  for (const auto& name : below) {
    const Descriptor next(openat(folder, name.c_str(), kFolder | O_NOFOLLOW));
    if (next.fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) continue;
    if (next.fd < 0 && errno == EACCES && walk.skip_closed) continue;
    if (next.fd < 0) throw posix_error(path + name, errno, "listed");
    if (!visit_entries(next.fd, path + name + "/", walk, visit)) return false;
  }
  return true;
}

}  // namespace patchbay
