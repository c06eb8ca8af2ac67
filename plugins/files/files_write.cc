// How files become visible.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "files_mark.h"
#include "files_store.h"
#include "files_transfer.h"
#include "files_version.h"
#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

// What the hidden files of a transaction begin with: a later process finds them by it.
std::string hidden_prefix(const std::string& txn) { return ".patchbay-" + txn + "-"; }

// Where a prepared file and its target are.
struct PreparedFile {
  explicit PreparedFile(const Json::Value& json)
      : detail(json), fixed(Folder::find(json["folder"].asString())) {
    const auto [below, last] = split_path(json["path"].asString());
    name = last;
    if (fixed) folder = fixed->find_below(below);
  }
  std::string hidden() const { return detail["hidden"].asString(); }
  std::string path() const { return detail["folder"].asString() + detail["path"].asString(); }
  bool is_hidden_there() const { return folder && folder->look(hidden()); }
  bool is_target_ours() const {
    if (!folder) return false;
    const auto status = folder->look(name);
    return status && S_ISREG(status->st_mode) &&
           file_version(*status, true) == detail["version"].asString();
  }
  // A rename before was the last that could have removed the hidden file; see files_mark.h.
  bool was_revealed() const {
    return is_target_ours() || (fixed && is_marked(fixed->fd(), detail["txn"].asString()));
  }

  const Json::Value& detail;
  std::optional<Folder> fixed, folder;  // nothing where they are gone
  std::string name;
};

// False if another file has the name.
bool rename_to_new(const Folder& folder, const std::string& from, const std::string& to) {
  const int fd = folder.fd();
  if (renameat2(fd, from.c_str(), fd, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS) {  // a file system without that flag
    if (linkat(fd, from.c_str(), fd, to.c_str(), 0) == 0) {
      folder.remove(from);
      return true;
    }
    // One without links as well: nothing can keep somebody else from coming between.
    if (errno == EPERM || errno == ENOTSUP) {
      if (folder.look(to)) return false;
      if (renameat(fd, from.c_str(), fd, to.c_str()) == 0) return true;
    }
  }
  if (errno == EEXIST) return false;
  throw posix_error(folder.path_of(to), errno, "written");
}

}  // namespace

bool is_file_there(const Folder& folder, const std::string& name, Code code) {
  const auto status = folder.look(name);
  if (!status) return false;
  if (S_ISREG(status->st_mode)) return true;
  const std::string path = folder.path_of(name), what = "path: " + path + " is " + kind_of(*status);
  if (S_ISDIR(status->st_mode))
    throw Error(code, what + "; write " + path + "/{key} for files in it");
  if (S_ISLNK(status->st_mode)) {
    const std::string target = folder.link_target(name);
    throw Error(code, what + " to " + target + "; write " + target);
  }
  throw Error(code, what + ", and only files are written; choose another name");
}

std::unique_ptr<Upload> FileStore::begin(Call& call, const Target& target) {
  const std::string fixed = target.name.key.substr(0, target.name.fixed);
  const std::string below = target.name.key.substr(target.name.fixed);
  const auto [between, name] = split_path(below);
  const Folder front = create_ ? Folder::make(fixed) : Folder::open(fixed);
  Folder folder = create_ ? front.make_below(between) : front.open_below(between);
  if (keeps(*this, target, is_file_there(folder, name, Code::kConfig))) return nullptr;
  Json::Value detail;
  detail["folder"] = real_folder();
  detail["path"] = below;
  detail["hidden"] = hidden_prefix(target.txn) + target.number;
  detail["txn"] = target.txn;
  call.durable_step("files.create");
  return std::make_unique<FileUpload>(std::move(folder), detail["hidden"].asString(),
                                      uri(target.name.key), detail);
}

Outcome FileStore::outcome(Call&, const Json::Value& detail) {
  const PreparedFile prepared(detail);
  if (prepared.is_hidden_there()) return Outcome::kPrepared;
  return prepared.was_revealed() ? Outcome::kCommitted : Outcome::kGone;
}

Revealed FileStore::reveal(Call& call, const Json::Value& detail, IfExists if_exists) {
  const PreparedFile prepared(detail);
  if (!prepared.is_hidden_there()) {
    if (!prepared.was_revealed()) {
      throw Error(Code::kNotFound,
                  prepared.path() + ": the prepared file " + prepared.hidden() + " is gone");
    }
    if (prepared.folder) prepared.folder->sync();
    return Revealed::kBefore;
  }
  const Folder& folder = *prepared.folder;
  is_file_there(folder, prepared.name, Code::kRemote);
  call.durable_step("files.mark");
  mark_revealing(prepared.fixed->fd(), prepared.fixed->path(), detail["txn"].asString());
  call.durable_step("files.rename");
  const std::string hidden = prepared.hidden();
  if (if_exists == IfExists::kReplace) {
    if (renameat(folder.fd(), hidden.c_str(), folder.fd(), prepared.name.c_str()) != 0)
      throw posix_error(prepared.path(), errno, "written");
  } else if (!rename_to_new(folder, hidden, prepared.name)) {
    if (if_exists == IfExists::kFail) throw already_there(prepared.path());
    folder.remove(hidden);
    return Revealed::kSkipped;
  }
  folder.sync();
  call.durable_step("files.renamed");
  return Revealed::kNow;
}

void FileStore::drop(Call&, std::span<const std::string> txns) {
  const auto front = Folder::find(fixed_);
  if (!front) return;
  const auto visit = [&](const FolderEntry& entry) {
    const std::string_view name = entry.name;
    for (const auto& txn : txns) {
      if (!name.starts_with(hidden_prefix(txn))) continue;
      if (unlinkat(entry.folder, entry.name, 0) != 0 && errno != ENOENT)
        throw posix_error(entry.path + entry.name, errno, "removed");
      if (fsync(entry.folder) != 0) throw posix_error(entry.path, errno, "made durable");
    }
    return true;
  };
  visit_entries(front->fd(), fixed_, {.deep = true, .skip_closed = true}, visit);
  for (const auto& txn : txns) remove_mark(front->fd(), txn);
}

}  // namespace patchbay
