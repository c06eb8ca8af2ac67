#include "files_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "files_transfer.h"
#include "files_version.h"
#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

namespace fs = std::filesystem;

void describe(FoundObject& file, const struct stat& status, bool inodes_last) {
  file.version.clear();
  append_version(file.version, status, inodes_last);
  file.size = status.st_size;
  file.modified = modified_micros(status);
}

// The folder that a source's path, or a sink's template, always leads into.
std::string fixed_folder(const std::string& path, bool is_sink) {
  if (is_sink) return ObjectPath("path", path).fixed();
  return split_path(path.substr(0, path.find_first_of("*?{"))).first;
}

// The path as an absolute one, without links as far as it exists.
std::string resolve(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path.empty() ? "." : path);
  const fs::path real = fs::weakly_canonical(absolute, error);
  return (error ? absolute.lexically_normal() : real).string();
}

// Without empty parts and dots, so that one file has one name.
std::string plain(std::string path, size_t from) {
  for (size_t at = from; at < path.size(); ++at) {
    const bool begins = at == from || path[at - 1] == '/';
    if (begins && (path[at] == '/' || path[at] == '.')) {
      const std::string rest = fs::path(path.substr(from)).lexically_normal().string();
      return path.substr(0, from) + rest;
    }
  }
  return path;
}

void require_file(const std::string& path, const struct stat& status) {
  if (S_ISREG(status.st_mode)) return;
  const std::string what = "path: " + path + " is " + kind_of(status);
  if (S_ISDIR(status.st_mode)) {
    const std::string folder = path.ends_with('/') ? path : path + "/";
    throw Error(Code::kConfig,
                what + "; write " + folder + "*.csv, or another pattern, for files in it");
  }
  throw Error(Code::kConfig, what + ", and only files are read; write it into a file first");
}

}  // namespace

std::string FileStore::default_stream(const Config& config) {
  return patchbay::default_stream(config.get<std::string>("path"), "files");
}

FileStore::FileStore(const Config& config)
    : is_sink_(config.has("if_exists")),
      create_(config.get_or<bool>("create", true)),
      path_(config.get<std::string>("path")),
      fixed_(fixed_folder(path_, is_sink_)) {}

const std::string& FileStore::real_folder() const {
  std::call_once(once_, [&] {
    real_ = resolve(fixed_);
    if (!real_.ends_with('/')) real_ += '/';
  });
  return real_;
}

std::string FileStore::uri(const std::string& key) const {
  const bool is_below = fixed_.empty() ? !key.starts_with('/') : key.starts_with(fixed_);
  if (is_below) {
    const std::string& front = real_folder();
    std::string path;
    path.reserve(front.size() + key.size() + 64);  // for a version behind it
    path.append(front).append(key, fixed_.size());
    return plain(std::move(path), front.size());
  }
  const auto [folder, name] = split_path(key);
  return (fs::path(resolve(folder)) / name).string();
}

// With the path as it was written and microseconds.
std::string FileStore::earlier_id(const FoundObject& object) const {
  return object.key + "#" + std::to_string(object.size) + "-" + std::to_string(object.modified);
}

std::optional<FoundObject> FileStore::find(Call&, const std::string& key) {
  struct stat status{};
  if (stat(key.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw posix_error("path: " + key, errno, "read");
  }
  require_file(key, status);
  FoundObject file{key, {}, 0, 0, {}};
  describe(file, status, inodes_last(key));
  return file;
}

void FileStore::list(Call& call, const ListedPrefix& below, const TakeObject& take) {
  const auto [front, begins] = split_path(below.prefix);
  const auto folder = Folder::find(front);
  if (!folder) return;
  const bool last = inodes_last(folder->fd());
  FoundObject file;
  size_t seen = 0;
  const auto visit = [&](const FolderEntry& entry) {
    if (++seen % 1024 == 0) call.throw_if_cancelled();
    if (entry.type != DT_REG && entry.type != DT_LNK && entry.type != DT_UNKNOWN) return true;
    file.key.assign(entry.path).append(entry.name);
    if (below.only && !below.only->finds(file.key)) return true;
    struct stat status{};
    if (fstatat(entry.folder, entry.name, &status,
                entry.type == DT_REG ? AT_SYMLINK_NOFOLLOW : 0) != 0) {
      if (errno == ENOENT || errno == ELOOP) return true;  // it vanished, or leads nowhere
      throw posix_error(file.key, errno, "looked at");
    }
    if (!S_ISREG(status.st_mode)) return true;
    describe(file, status, last);
    return take(file);
  };
  visit_entries(folder->fd(), front, {.deep = !below.flat, .prefix = begins}, visit);
}

std::unique_ptr<Download> FileStore::open(Call&, const FoundObject& object) {
  return std::make_unique<FileDownload>(object.key, object.version);
}

// Only a sink has something to look at that reading does not look at anyhow.
void FileStore::check(Call&) {
  if (!is_sink_) return;
  fs::path folder = fixed_.empty() ? "." : fixed_;
  while (create_ && !fs::exists(folder) && folder.has_parent_path()) folder = folder.parent_path();
  if (folder.empty()) folder = ".";
  if (access(folder.c_str(), W_OK) != 0) throw posix_error(folder.string(), errno, "written to");
  if (ObjectPath("path", path_).is_fixed()) {
    if (const auto target = Folder::find(fixed_))
      is_file_there(*target, split_path(path_).second, Code::kConfig);
  }
}

}  // namespace patchbay
