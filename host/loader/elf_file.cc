#include "loader/elf_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "files/local_files.h"

// The header of this program in memory: the linker defines it, see ld(1).
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" __attribute__((visibility("hidden"))) const Elf64_Ehdr __ehdr_start;

namespace patchbay::host {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw Error(Code::kConfig, file.string() + ": " + why);
}

}  // namespace

ElfFile::ElfFile(std::filesystem::path path)
    : path_(std::move(path)),
      fd_(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (fd_ < 0) throw local_error(path_, errno, "opened");
  try {
    struct stat status{};
    if (fstat(fd_, &status) == 0 && S_ISREG(status.st_mode))
      size_ = static_cast<uint64_t>(status.st_size);
    if (size_ == 0) refuse(path_, "is empty or not a regular file");
    read_segments();
  } catch (...) {
    close(fd_);
    throw;
  }
}

ElfFile::~ElfFile() { close(fd_); }

void ElfFile::read_segments() {
  const auto header = read_at<Elf64_Ehdr>(read(0, sizeof(Elf64_Ehdr)), 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_type != ET_DYN) {
    refuse(path_, "is no 64-bit shared object");
  }
  if (header->e_machine != __ehdr_start.e_machine) refuse(path_, "is built for another processor");
  if (header->e_phentsize != sizeof(Elf64_Phdr)) return;
  const std::string table = read(header->e_phoff, uint64_t{header->e_phnum} * sizeof(Elf64_Phdr));
  while (const auto segment = read_at<Elf64_Phdr>(table, segments_.size() * sizeof(Elf64_Phdr)))
    segments_.push_back(*segment);
}

std::string ElfFile::read(uint64_t offset, uint64_t size) const {
  if (offset >= size_) return "";
  std::string bytes(std::min(size, size_ - offset), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw local_error(path_, errno, "read");
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace patchbay::host
