// What tells the versions of a file apart.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace patchbay {

inline int64_t modified_micros(const struct stat& status) {
  return status.st_mtim.tv_sec * int64_t{1'000'000} + status.st_mtim.tv_nsec / 1000;
}

// Size, time of change in nanoseconds, and inode, of which a file that is replaced under one name
// has another. The device is left out: it may have another number after a restart.
// `inodes_last`: see inodes_last.
std::string file_version(const struct stat& status, bool inodes_last);
void append_version(std::string& out, const struct stat& status, bool inodes_last);

// Whether the inodes of the file system outlast its being mounted. FUSE, FAT, exFAT and SMB may
// number them anew: there all files would seem to have changed.
bool inodes_last(int descriptor);
bool inodes_last(const std::string& path);

}  // namespace patchbay
