#include "files_version.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <charconv>

namespace patchbay {

void append_version(std::string& out, const struct stat& status, bool inodes_last) {
  const auto put = [&](auto number) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  };
  put(static_cast<int64_t>(status.st_size));
  out += '-';
  put(status.st_mtim.tv_sec * int64_t{1'000'000'000} + status.st_mtim.tv_nsec);
  out += '-';
  put(inodes_last ? static_cast<uint64_t>(status.st_ino) : uint64_t{0});
}

std::string file_version(const struct stat& status, bool inodes_last) {
  std::string out;
  append_version(out, status, inodes_last);
  return out;
}

namespace {

bool inodes_last(const struct statfs& system) {
  switch (static_cast<uint32_t>(system.f_type)) {
    case FUSE_SUPER_MAGIC:
    case MSDOS_SUPER_MAGIC:
    case EXFAT_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
      return false;
    default:
      return true;
  }
}

}  // namespace

bool inodes_last(int descriptor) {
  struct statfs system{};
  return fstatfs(descriptor, &system) == 0 && inodes_last(system);
}

bool inodes_last(const std::string& path) {
  struct statfs system{};
  return statfs(path.c_str(), &system) == 0 && inodes_last(system);
}

}  // namespace patchbay
