#include "loader/elf_note.h"

#include "loader/elf_file.h"
#include "patchbay/abi.h"
#include "patchbay/error.h"

namespace patchbay::host {
namespace {

constexpr uint64_t kLargestNotes = 1 << 20;  // bytes of a segment; a note has a few hundred

std::optional<std::string> read_text(std::string_view& rest) {
  const size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  return text;
}

std::optional<PluginNote> parse_description(std::string_view description) {
  const auto major = read_at<uint32_t>(description, 0);
  const auto minor = read_at<uint32_t>(description, 4);
  if (!major || !minor) return std::nullopt;
  auto rest = description.substr(8);
  const auto id = read_text(rest);
  if (!id) return std::nullopt;
  const auto version = read_text(rest);
  if (!version) return std::nullopt;
  return PluginNote{*major, *minor, *id, *version};
}

uint64_t align4(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

// Walks one PT_NOTE segment; other owners' notes (build id, GNU properties) share it.
std::optional<PluginNote> find_in_segment(std::string_view segment) {
  constexpr std::string_view kOwner(BAY_NOTE_OWNER, sizeof BAY_NOTE_OWNER);
  uint64_t at = 0;
  while (const auto header = read_at<Elf64_Nhdr>(segment, at)) {
    const uint64_t owner = at + sizeof *header;
    const uint64_t description = owner + align4(header->n_namesz);
    const uint64_t end = description + align4(header->n_descsz);
    if (end > align4(segment.size())) return std::nullopt;
    if (header->n_type == BAY_NOTE_TYPE && segment.substr(owner, header->n_namesz) == kOwner &&
        description + header->n_descsz <= segment.size()) {
      return parse_description(segment.substr(description, header->n_descsz));
    }
    at = end;
  }
  return std::nullopt;
}

}  // namespace

PluginNote read_plugin_note(const std::filesystem::path& path) {
  const ElfFile file(path);
  for (const auto& segment : file.segments()) {
    if (segment.p_type != PT_NOTE || segment.p_filesz > kLargestNotes) continue;
    const std::string notes = file.read(segment.p_offset, segment.p_filesz);
    if (auto note = find_in_segment(notes); note && notes.size() == segment.p_filesz) return *note;
  }
  throw Error(Code::kConfig, path.string() +
                                 ": has no patchbay note, so it is no plugin; build it with "
                                 "PATCHBAY_PLUGIN or BAY_PLUGIN_NOTE");
}

}  // namespace patchbay::host
