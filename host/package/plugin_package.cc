#include "package/plugin_package.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "files/local_files.h"
#include "package/tar_reader.h"
#include "patchbay/file.h"
#include "patchbay/posix_error.h"
#include "patchbay/trust.h"
#include "process/run_program.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDpkgDeb = "/usr/bin/dpkg-deb";
constexpr std::chrono::seconds kPatience{60};
constexpr uint64_t kLargestControl = 1 << 20;
constexpr uint64_t kLargestManifest = 16 << 20;
constexpr uint64_t kLargestLibrary = 512 << 20;
constexpr uint64_t kLargestOfAll = 1 << 30;
constexpr size_t kMostFiles = 100;
constexpr size_t kMostEntries = 100'000;

[[noreturn]] void refuse(const std::string& what, const std::string& why) {
  throw Error(Code::kConfig, what + ": " + why + "; do not install this package");
}

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

std::string kind_words(TarKind kind) {
  switch (kind) {
    case TarKind::kFile:
      return "a file";
    case TarKind::kHardLink:
      return "a hard link";
    case TarKind::kSymbolicLink:
      return "a symbolic link";
    case TarKind::kDevice:
      return "a device";
    case TarKind::kFolder:
      return "a folder";
    case TarKind::kPipe:
      return "a named pipe";
    default:
      return "of an unknown kind";
  }
}

using Parts = std::vector<std::string>;

// Without the "." in front; refuses what dpkg would unpack elsewhere.
Parts parts_of(const std::string& name) {
  Parts parts;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('/', at), name.size());
    const std::string part = name.substr(at, end - at);
    if (part == ".." || part.find('\0') != std::string::npos || name.starts_with('/'))
      refuse(name, "leads out of the package");
    if (!part.empty() && part != ".") parts.push_back(part);
    at = end + 1;
  }
  return parts;
}

std::string joined(const Parts& parts) {
  std::string path;
  for (const auto& part : parts) path += (path.empty() ? "" : "/") + part;
  return path;
}

// The one file of the package's own description.
class ControlText final : public TarVisitor {
 public:
  bool begin(const TarEntry& entry) override {
    if (parts_of(entry.name) != Parts{"control"}) return false;
    if (found_) refuse("control", "is there twice");
    if (entry.kind != TarKind::kFile) refuse("control", "is " + kind_words(entry.kind));
    if (entry.size > kLargestControl)
      refuse("control", "is larger than " + mebibytes(kLargestControl));
    return found_ = true;
  }
  void content(std::string_view bytes) override { text_ += bytes; }
  void end() override {}

  // Empty where there is none, or where it is not one line of `allowed` characters.
  std::string field(const std::string& name, std::string_view allowed) const {
    for (size_t at = 0; at < text_.size();) {
      const size_t end = std::min(text_.find('\n', at), text_.size());
      std::string line = text_.substr(at, end - at);
      at = end + 1;
      if (!line.starts_with(name + ":")) continue;
      line.erase(0, std::min(line.find_first_not_of(" \t", name.size() + 1), line.size()));
      line.erase(line.find_last_not_of(" \t\r") + 1);
      return line.find_first_not_of(allowed) == std::string::npos ? line : "";
    }
    return "";
  }

 private:
  bool found_ = false;
  std::string text_;
};

// Writes what is wanted below a folder: manifests/NAME.json, libraries/TRIPLET/NAME.so.
class WantedFiles final : public TarVisitor {
 public:
  explicit WantedFiles(const fs::path& folder) : folder_(folder) {}
  ~WantedFiles() override {
    if (fd_ >= 0) close(fd_);
  }
  WantedFiles(const WantedFiles&) = delete;
  WantedFiles& operator=(const WantedFiles&) = delete;

  bool begin(const TarEntry& entry) override {
    if (++entries_ > kMostEntries) refuse("data", "has more than 100000 entries");
    const Parts parts = parts_of(entry.name);
    const std::string path = joined(parts);
    if (!is_wanted(parts)) {
      note(path, entry.kind);
      return false;
    }
    judge(parts, path, entry);
    open_file(parts);
    return true;
  }
  void content(std::string_view bytes) override {
    if (const int error = write_all(fd_, bytes)) throw posix_error(written_, error, "written");
  }
  void end() override { close(std::exchange(fd_, -1)); }

  PluginDirs dirs() const {
    PluginDirs dirs{{folder_ / "manifests"}, {}, Trust::kRootAndOwn};
    for (const auto& folder : entries_of(folder_ / "libraries")) dirs.libraries.push_back(folder);
    return dirs;
  }

 private:
  static bool is_manifest(const Parts& parts) {
    return parts.size() == 5 && parts[0] == "usr" && parts[1] == "share" &&
           parts[2] == "patchbay" && parts[3] == "manifests" && parts[4].ends_with(".json");
  }
  static bool is_wanted(const Parts& parts) {
    return is_manifest(parts) ||
           (parts.size() == 6 && parts[0] == "usr" && parts[1] == "lib" && parts[3] == "patchbay" &&
            parts[4] == "plugins" && parts[5].ends_with(".so"));
  }

  // dpkg would follow a link that stands where a wanted file's folder must be.
  void note(const std::string& path, TarKind kind) {
    if (kind == TarKind::kFolder) return;
    if (ways_.contains(path)) refuse_way(path, kind);
    if (path.starts_with("usr")) not_folders_[path] = kind;
  }
  [[noreturn]] static void refuse_way(const std::string& path, TarKind kind) {
    refuse(path, "is " + kind_words(kind) + ", where a folder must be");
  }

  void judge(const Parts& parts, const std::string& path, const TarEntry& entry) {
    if (entry.kind != TarKind::kFile)
      refuse(path, "is " + kind_words(entry.kind) + ", where a regular file must be");
    if (!names_.insert(path).second) refuse(path, "is there twice");
    if (names_.size() > kMostFiles)
      refuse(path,
             "it brings more than " + std::to_string(kMostFiles) + " manifests and libraries");
    const uint64_t largest = is_manifest(parts) ? kLargestManifest : kLargestLibrary;
    if (entry.size > largest) refuse(path, "is larger than " + mebibytes(largest));
    total_ += entry.size;
    if (total_ > kLargestOfAll)
      refuse(path, "its manifests and libraries are larger than " + mebibytes(kLargestOfAll));
    Parts way = parts;
    for (way.pop_back(); !way.empty(); way.pop_back()) {
      const auto found = not_folders_.find(joined(way));
      if (found != not_folders_.end()) refuse_way(found->first, found->second);
      ways_.insert(joined(way));
    }
  }

  void open_file(const Parts& parts) {
    const fs::path folder =
        is_manifest(parts) ? folder_ / "manifests" : folder_ / "libraries" / parts[2];
    make_folders(folder, 0700);
    written_ = (folder / parts.back()).string();
    fd_ = open(written_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd_ < 0) throw local_error(written_, errno, "made");
  }

  const fs::path folder_;
  std::set<std::string> names_, ways_;  // of wanted files, and of the folders on their way
  std::map<std::string, TarKind> not_folders_;
  size_t entries_ = 0;
  uint64_t total_ = 0;
  std::string written_;
  int fd_ = -1;
};

[[noreturn]] void refuse_file(const std::string& file) {
  throw Error(Code::kConfig,
              file + ": is no Debian package that " + kDpkgDeb + " can read; download it again");
}

// One of the two archives in the package, as dpkg-deb writes it.
void read_archive(const std::string& file, const char* which, TarVisitor& visitor) {
  using Outcome = ProgramResult::Outcome;
  TarReader reader(visitor);
  ProgramResult result;
  try {
    result = run_program({kDpkgDeb, which, whole_path(file).string()}, kPatience,
                         [&](std::string_view bytes) {
                           reader.feed(bytes);
                           return true;
                         });
    if (result.ok()) reader.finish();
  } catch (const Error& error) {
    throw Error(error.code(), file + ": " + error.what());
  }
  if (result.outcome == Outcome::kNotStarted) throw local_error(kDpkgDeb, result.code, "started");
  if (result.outcome == Outcome::kCancelled) throw Error(Code::kCancelled, "cancelled");
  if (result.outcome == Outcome::kLate)
    throw Error(Code::kConfig, file + ": is not read within 60 s; do not install this package");
  if (!result.ok()) refuse_file(file);
}

}  // namespace

ScratchFolder::ScratchFolder() {
  const char* given = std::getenv("TMPDIR");
  const fs::path parent = given && *given ? whole_path(given) : fs::path("/tmp");
  if (const auto fault = find_distrust(parent, Trust::kRootAndOwn, UsedAs::kScratch)) {
    throw Error(Code::kConfig, fault->why + ", so nothing is unpacked there; run `" +
                                   fault->command + "`, or set TMPDIR to another folder");
  }
  std::string name = (parent / "patchbay-verify-XXXXXX").string();
  if (!mkdtemp(name.data())) {
    const Error found = local_error(parent, errno, "written to");
    throw Error(found.code(), std::string(found.what()) + ", or set TMPDIR to another folder");
  }
  path_ = name;
}

void ScratchFolder::remove() const {
  std::error_code gone;
  fs::remove_all(path_, gone);
}

PluginPackage::PluginPackage(const fs::path& file, const ScratchFolder& folder)
    : file_(file.string()) {
  struct stat status{};
  if (stat(file.c_str(), &status) != 0) {
    if (errno != ENOENT) throw local_error(file, errno, "read");
    throw Error(Code::kConfig, file_ + ": is not there; download it with `apt download PACKAGE`");
  }
  if (!S_ISREG(status.st_mode))
    throw Error(Code::kConfig, file_ + ": is not a regular file; name a package's file");
  read_control();
  WantedFiles files(folder.path());
  read_archive(file_, "--fsys-tarfile", files);
  dirs_ = files.dirs();
}

// What dpkg-deb --field does would unpack this archive, too.
void PluginPackage::read_control() {
  constexpr const char* kSmall = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
  ControlText control;
  read_archive(file_, "--ctrl-tarfile", control);
  name_ = control.field("Package", kSmall);
  version_ = control.field("Version",
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.~:");
  architecture_ = control.field("Architecture", kSmall);
  if (name_.empty() || version_.empty() || architecture_.empty()) refuse_file(file_);
}

}  // namespace patchbay::host
