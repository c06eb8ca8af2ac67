// A shared object, read without loading it.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::host {

// Read piece by piece: a mapping of a large library can be more than the limit of memory allows.
// Nothing in the file is trusted: what leads outside of it is not there.
class ElfFile {
 public:
  // Throws Error kConfig naming the file if it is not a 64-bit shared object of this machine, as
  // local_error if it cannot be read.
  explicit ElfFile(std::filesystem::path path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  const std::vector<Elf64_Phdr>& segments() const { return segments_; }
  // Fewer bytes than asked for where the file ends.
  std::string read(uint64_t offset, uint64_t size) const;

 private:
  void read_segments();

  const std::filesystem::path path_;
  const int fd_;
  uint64_t size_ = 0;
  std::vector<Elf64_Phdr> segments_;
};

// The T at an offset of what was read; nothing where it is not whole.
template <class T>
std::optional<T> read_at(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace patchbay::host
