#include "files_transfer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "files_version.h"
#include "patchbay/file.h"
#include "patchbay/posix_error.h"

namespace patchbay {
namespace {

Error changed(const std::string& path, const std::string& when) {
  return {Code::kUnavailable, path + ": changed " + when + "; read again"};
}

}  // namespace

// Not blocking: what is a FIFO by now must not hold up the run.
FileDownload::FileDownload(std::string path, std::string version)
    : path_(std::move(path)),
      version_(std::move(version)),
      fd_(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {
  if (fd_ < 0 && errno == ENOENT) throw changed(path_, "since it was listed");
  if (fd_ < 0) throw posix_error(path_, errno, "read");
  struct stat status{};
  inodes_last_ = inodes_last(fd_);
  if (fstat(fd_, &status) == 0 && S_ISREG(status.st_mode) &&
      file_version(status, inodes_last_) == version_) {
    posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
    return;
  }
  close(fd_);
  throw changed(path_, "since it was listed");
}

FileDownload::~FileDownload() { close(fd_); }

std::string_view FileDownload::read(Call&) {
  buffer_.resize(kObjectChunk);
  size_t size = 0;
  while (size < buffer_.size()) {
    const ssize_t n = ::read(fd_, buffer_.data() + size, buffer_.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw posix_error(path_, errno, "read");
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  if (size == 0) throw changed(path_, "while it was read");
  return {buffer_.data(), size};
}

void FileDownload::finish(Call&) {
  struct stat opened{}, named{};
  const bool same = fstat(fd_, &opened) == 0 && file_version(opened, inodes_last_) == version_ &&
                    stat(path_.c_str(), &named) == 0 && named.st_ino == opened.st_ino &&
                    named.st_dev == opened.st_dev;
  if (!same) throw changed(path_, "while it was read");
}

FileUpload::FileUpload(Folder folder, std::string name, std::string path, Json::Value detail)
    : folder_(std::move(folder)),
      name_(std::move(name)),
      path_(std::move(path)),
      detail_(std::move(detail)),
      fd_(openat(folder_.fd(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
  if (fd_ < 0) throw posix_error(path_, errno, "written");
}

FileUpload::~FileUpload() {
  if (fd_ < 0) return;
  close(fd_);
  unlinkat(folder_.fd(), name_.c_str(), 0);
}

void FileUpload::append(Call&, std::string_view bytes) {
  if (const int error = write_all(fd_, bytes)) throw posix_error(path_, error, "written");
}

void FileUpload::set_modified(const timespec& time) {
  const timespec times[] = {time, time};
  if (futimens(fd_, times) != 0) throw posix_error(path_, errno, "written");
}

Json::Value FileUpload::finish(Call&) {
  struct stat status{};
  if (fsync(fd_) != 0 || fstat(fd_, &status) != 0) throw posix_error(path_, errno, "written");
  folder_.sync();
  close(std::exchange(fd_, -1));
  detail_["version"] = file_version(status, true);
  return detail_;
}

}  // namespace patchbay
