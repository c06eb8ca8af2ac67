// Folders by their descriptors: what is below one is reached without following links, and what is
// made there is durable.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace patchbay {

class Folder {
 public:
  // A path that the user wrote: links on it are followed. Empty = the working directory. Throws as
  // posix_error.
  static Folder open(const std::string& path);
  // As open; nothing if no folder is there.
  static std::optional<Folder> find(const std::string& path);
  // As open, and makes it and the folders above it if they are not there.
  static Folder make(const std::string& path);

  Folder(Folder&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  Folder& operator=(Folder&& other) noexcept {
    std::swap(fd_, other.fd_);
    path_.swap(other.path_);
    return *this;
  }
  ~Folder();

  // `relative` comes from data: it has no `..`, and a link on it is Error kConfig. Nothing if it is
  // not there.
  std::optional<Folder> find_below(const std::string& relative) const;
  Folder make_below(const std::string& relative) const;  // with the folders above it
  Folder open_below(const std::string& relative) const;  // kNotFound if it is not there

  // The entry itself, also if it is a link; nothing if it is not there.
  std::optional<struct stat> look(const std::string& name) const;
  std::string link_target(const std::string& name) const;
  void remove(const std::string& name) const;  // a file; gone already = fine
  void sync() const;                           // entries that were made, renamed or removed

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const;

 private:
  Folder(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  std::optional<Folder> walk(const std::string& relative, bool make) const;
  std::optional<Folder> child(const std::string& name) const;
  Folder make_child(const std::string& name) const;

  int fd_;
  std::string path_;
};

// A path as its folder, with the last slash, and the name in it.
std::pair<std::string, std::string> split_path(const std::string& path);

// "a folder", "a FIFO", "a link", ..
std::string kind_of(const struct stat& status);

// One entry of a folder, valid during the call.
struct FolderEntry {
  int folder;               // its descriptor
  const std::string& path;  // of the folder, as the caller began it, with a slash at its end
  const char* name;
  unsigned char type;  // DT_*, DT_UNKNOWN on some file systems
};
// Returns false once no more entries are needed.
using VisitEntry = std::function<bool(const FolderEntry&)>;

struct Walk {
  bool deep = false;          // also what is below folders; links are not followed
  bool skip_closed = false;   // leave out folders that may not be read; otherwise they are an error
  std::string_view prefix{};  // of the names in the first folder
};
// Calls `visit` with each entry but `.` and `..`. Folders that vanish meanwhile are left out.
// `path` is the folder's, for FolderEntry. Returns false if `visit` did.
bool visit_entries(int folder, const std::string& path, Walk walk, const VisitEntry& visit);

}  // namespace patchbay
