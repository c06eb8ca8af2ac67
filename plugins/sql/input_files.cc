#include "input_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "patchbay/error.h"
#include "patchbay/file.h"
#include "patchbay/posix_error.h"

namespace patchbay {

InputFiles::InputFiles(InputFiles&& other) noexcept
    : folder_(other.folder_),
      path_(std::move(other.path_)),
      key_(std::move(other.key_)),
      fd_(std::exchange(other.fd_, -1)) {}

InputFiles::~InputFiles() {
  if (fd_ >= 0) close(fd_);
}

bool InputFiles::append(const ObjectChunk& chunk) {
  if (fd_ < 0) open_next(chunk.key);
  write(chunk.data);
  if (chunk.last) close(std::exchange(fd_, -1));
  return chunk.last;
}

void InputFiles::open_next(std::string_view key) {
  key_ = key;
  path_ = folder_ + "/XXXXXX";
  fd_ = mkostemp(path_.data(), O_CLOEXEC);
  if (fd_ < 0) fail(errno);
}

void InputFiles::write(std::string_view data) {
  if (const int error = write_all(fd_, data)) fail(error);
}

void InputFiles::fail(int error) const {
  const std::string where = "spill_directory: " + folder_;
  if (error != ENOSPC && error != EDQUOT) throw posix_error(where, error, "written");
  throw Error(Code::kUnavailable, where + ": the disk is full; " + key_ +
                                      " must lie there whole before it is read. Make room and run "
                                      "again, or name another folder");
}

}  // namespace patchbay
