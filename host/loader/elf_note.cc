#include "loader/elf_note.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "patchbay/abi.h"
#include "patchbay/error.h"

namespace patchbay::host {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw Error(Code::kConfig, file.string() + ": " + why);
}

class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) refuse(file, std::string("cannot be opened: ") + std::strerror(errno));
    struct stat status{};
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
      size_ = static_cast<size_t>(status.st_size);
    if (size_ > 0) data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (size_ == 0 || data_ == MAP_FAILED) refuse(file, "is empty or not a regular file");
  }
  ~Mapping() { munmap(data_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<const uint8_t> bytes() const { return {static_cast<const uint8_t*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

template <class T>
std::optional<T> read_at(std::span<const uint8_t> bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::optional<std::string> read_text(std::span<const uint8_t>& rest) {
  const auto* end = static_cast<const uint8_t*>(std::memchr(rest.data(), 0, rest.size()));
  if (!end) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(rest.data()),
                   static_cast<size_t>(end - rest.data()));
  rest = rest.subspan(text.size() + 1);
  return text;
}

std::optional<PluginNote> parse_description(std::span<const uint8_t> description) {
  const auto major = read_at<uint32_t>(description, 0);
  const auto minor = read_at<uint32_t>(description, 4);
  if (!major || !minor) return std::nullopt;
  auto rest = description.subspan(8);
  const auto id = read_text(rest);
  if (!id) return std::nullopt;
  const auto version = read_text(rest);
  if (!version) return std::nullopt;
  return PluginNote{*major, *minor, *id, *version};
}

uint64_t align4(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

// Walks one PT_NOTE segment; other owners' notes (build id, GNU properties) share it.
std::optional<PluginNote> find_in_segment(std::span<const uint8_t> segment) {
  uint64_t at = 0;
  while (const auto header = read_at<Elf64_Nhdr>(segment, at)) {
    const uint64_t owner = at + sizeof *header;
    const uint64_t description = owner + align4(header->n_namesz);
    const uint64_t end = description + align4(header->n_descsz);
    if (end > align4(segment.size())) return std::nullopt;
    if (header->n_type == BAY_NOTE_TYPE && header->n_namesz == sizeof BAY_NOTE_OWNER &&
        description + header->n_descsz <= segment.size() &&
        std::memcmp(segment.data() + owner, BAY_NOTE_OWNER, sizeof BAY_NOTE_OWNER) == 0) {
      return parse_description(segment.subspan(description, header->n_descsz));
    }
    at = end;
  }
  return std::nullopt;
}

Elf64_Ehdr read_header(const std::filesystem::path& file, std::span<const uint8_t> bytes) {
  const auto header = read_at<Elf64_Ehdr>(bytes, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_type != ET_DYN) {
    refuse(file, "is no 64-bit shared object");
  }
  const auto own = read_at<Elf64_Ehdr>(Mapping("/proc/self/exe").bytes(), 0);
  if (own && own->e_machine != header->e_machine) refuse(file, "is built for another processor");
  return *header;
}

}  // namespace

PluginNote read_plugin_note(const std::filesystem::path& file) {
  const Mapping mapping(file);
  const auto bytes = mapping.bytes();
  const Elf64_Ehdr header = read_header(file, bytes);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment =
        read_at<Elf64_Phdr>(bytes, header.e_phoff + uint64_t{i} * header.e_phentsize);
    if (!segment) break;
    if (segment->p_type != PT_NOTE || segment->p_offset > bytes.size() ||
        segment->p_filesz > bytes.size() - segment->p_offset) {
      continue;
    }
    if (auto note = find_in_segment(bytes.subspan(segment->p_offset, segment->p_filesz)))
      return *note;
  }
  refuse(
      file,
      "has no patchbay note, so it is no plugin; build it with PATCHBAY_PLUGIN or BAY_PLUGIN_NOTE");
}

}  // namespace patchbay::host
