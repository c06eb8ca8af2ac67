// What happens to a file once it has been read.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "files_store.h"
#include "files_transfer.h"
#include "files_version.h"
#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

// A file that is to be copied, moved or removed, where it lies.
struct Origin {
  explicit Origin(const FoundObject& object) : path(object.key) {
    const auto [front, last] = split_path(path);
    name = last;
    folder = Folder::find(front);
    struct stat status{};
    is_there = folder && fstatat(folder->fd(), name.c_str(), &status, 0) == 0 &&
               S_ISREG(status.st_mode) &&
               file_version(status, inodes_last(folder->fd())) == object.version;
    modified = status.st_mtim;
  }
  bool is_link() const {
    const auto status = folder->look(name);
    return status && S_ISLNK(status->st_mode);
  }

  const std::string path;
  std::string name;
  std::optional<Folder> folder;
  bool is_there;  // in the version that was read
  timespec modified{};
};

struct Place {
  explicit Place(const ObjectName& to)
      : name(split_path(to.key).second),
        folder(Folder::make(to.key.substr(0, to.fixed))
                   .make_below(split_path(to.key.substr(to.fixed)).first)) {
    is_file_there(folder, name, Code::kConfig);
  }
  std::string path() const { return folder.path_of(name); }

  const std::string name;
  const Folder folder;
};

void write_copy(Call& call, const FoundObject& object, const timespec& modified,
                const Place& place) {
  const std::string hidden =
      ".patchbay-copy-" + std::to_string(std::hash<std::string>()(place.name));
  place.folder.remove(hidden);  // of a run that was killed here
  FileDownload in(object.key, object.version);
  FileUpload out(place.folder.make_below(""), hidden, place.path(), {});
  for (int64_t copied = 0; copied < object.size;) {
    call.throw_if_cancelled();
    const std::string_view data = in.read(call);
    out.append(call, data);
    copied += static_cast<int64_t>(data.size());
  }
  in.finish(call);
  out.set_modified(modified);
  out.finish(call);
  if (renameat(place.folder.fd(), hidden.c_str(), place.folder.fd(), place.name.c_str()) != 0)
    throw posix_error(place.path(), errno, "written");
  place.folder.sync();
}

}  // namespace

// With the time of the original, by which a later run knows that this was done.
void FileStore::copy(Call& call, const FoundObject& object, const ObjectName& to) {
  const Origin source(object);
  if (!source.is_there) return;
  const Place place(to);
  try {
    write_copy(call, object, source.modified, place);
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable || Origin(object).is_there) throw;  // not replaced
  }
}

void FileStore::remove(Call&, const FoundObject& object) {
  const Origin source(object);
  if (!source.is_there) return;
  source.folder->remove(source.name);
  source.folder->sync();
}

void FileStore::move(Call& call, const FoundObject& object, const ObjectName& to) {
  const Origin source(object);
  if (!source.is_there) return;
  const Place place(to);
  const bool renamed = !source.is_link() && renameat(source.folder->fd(), source.name.c_str(),
                                                     place.folder.fd(), place.name.c_str()) == 0;
  if (renamed) {
    place.folder.sync();
    source.folder->sync();
  } else if (source.is_link() || errno == EXDEV) {  // of a link, its file's bytes move
    copy(call, object, to);
    remove(call, object);
  } else if (errno != ENOENT) {  // somebody else has moved it
    throw posix_error(place.path(), errno, "written");
  }
}

}  // namespace patchbay
