#include "state/state_dir.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "patchbay/error.h"

namespace patchbay::host {

namespace fs = std::filesystem;

void prepare_state_dir(const fs::path& dir) {
  std::error_code error;
  if (fs::is_directory(dir, error)) return;
  fs::path whole = fs::absolute(dir);
  if (!whole.has_filename()) whole = whole.parent_path();  // it ends in a slash
  fs::create_directories(whole.parent_path(), error);
  if (error) refuse_state_file(dir, error.value());
  if (mkdir(whole.c_str(), 0700) == 0 || (errno == EEXIST && fs::is_directory(dir, error))) return;
  refuse_state_file(dir, errno == EEXIST ? ENOTDIR : errno);
}

void refuse_state_file(const fs::path& what, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    throw Error(Code::kUnavailable, what.string() + ": the disk is full; make room and run again");
  }
  throw Error(Code::kConfig,
              what.string() + ": cannot be opened or made: " + std::strerror(error) +
                  "; check the folder's permissions, or choose another with --state-dir");
}

}  // namespace patchbay::host
