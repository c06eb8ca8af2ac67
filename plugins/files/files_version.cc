#include "files_version.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <charconv>

namespace patchbay {

std::string file_version(const struct stat& status, bool inodes_last) {
  char text[80];
  char* at = text;
  const auto put = [&](auto number) { at = std::to_chars(at, text + sizeof text, number).ptr; };
  put(static_cast<int64_t>(status.st_size));
  *at++ = '-';
  put(status.st_mtim.tv_sec * int64_t{1'000'000'000} + status.st_mtim.tv_nsec);
  *at++ = '-';
  put(inodes_last ? static_cast<uint64_t>(status.st_ino) : uint64_t{0});
  return {text, at};
}

bool inodes_last(int descriptor) {
  struct statfs system{};
  if (fstatfs(descriptor, &system) != 0) return false;
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

}  // namespace patchbay
