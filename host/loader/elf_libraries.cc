#include "loader/elf_libraries.h"

#include <algorithm>
#include <string>

#include "files/local_files.h"
#include "loader/elf_file.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLargestTable = 16 << 20;  // bytes of names
constexpr size_t kMostLibraries = 1000;

// What the dynamic section says.
struct Dynamic {
  std::vector<std::string> needed;
  std::string run_path;
};

uint64_t offset_of(const ElfFile& file, uint64_t address) {
  for (const auto& segment : file.segments()) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return segment.p_offset + (address - segment.p_vaddr);
  }
  return UINT64_MAX;  // outside of the file
}

std::string text_at(const std::string& table, uint64_t offset) {
  if (offset >= table.size()) return "";
  return table.substr(offset, table.find('\0', offset) - offset);
}

Dynamic read_dynamic(const ElfFile& file) {
  std::string section;
  for (const auto& segment : file.segments()) {
    if (segment.p_type == PT_DYNAMIC)
      section = file.read(segment.p_offset, std::min(segment.p_filesz, kLargestTable));
  }
  uint64_t table = UINT64_MAX, size = 0;
  std::vector<Elf64_Dyn> entries;
  for (uint64_t at = 0; const auto entry = read_at<Elf64_Dyn>(section, at); at += sizeof *entry) {
    if (entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_STRTAB) table = offset_of(file, entry->d_un.d_ptr);
    if (entry->d_tag == DT_STRSZ) size = entry->d_un.d_val;
    entries.push_back(*entry);
  }
  const std::string names = file.read(table, std::min(size, kLargestTable));
  Dynamic dynamic;
  for (const auto& entry : entries) {
    const std::string text = text_at(names, entry.d_un.d_val);
    if (entry.d_tag == DT_NEEDED) dynamic.needed.push_back(text);
    if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH) dynamic.run_path = text;
  }
  return dynamic;
}

// A file that is not a shared object brings nothing along.
Dynamic dynamic_of(const fs::path& file) {
  try {
    return read_dynamic(ElfFile(file));
  } catch (const Error& error) {
    if (error.code() != Code::kConfig) throw;
    return {};
  }
}

// The folders of a run path; an empty one is the working folder.
std::vector<fs::path> folders_of(const std::string& run_path, const fs::path& library) {
  std::vector<fs::path> folders;
  for (size_t at = 0; !run_path.empty() && at <= run_path.size();) {
    const size_t end = std::min(run_path.find(':', at), run_path.size());
    std::string folder = run_path.substr(at, end - at);
    for (const char* origin : {"${ORIGIN}", "$ORIGIN"}) {
      if (folder.starts_with(origin))
        folder.replace(0, std::string_view(origin).size(), library.parent_path().string());
    }
    folders.emplace_back(folder.empty() ? "." : folder);
    at = end + 1;
  }
  return folders;
}

}  // namespace

std::vector<fs::path> libraries_behind(const fs::path& library) {
  std::vector<fs::path> found, left{library};
  while (!left.empty() && found.size() < kMostLibraries) {
    const fs::path file = left.back();
    left.pop_back();
    const Dynamic dynamic = dynamic_of(file);
    const std::vector<fs::path> folders = folders_of(dynamic.run_path, whole_path(file));
    for (const auto& name : dynamic.needed) {
      const auto has = [&](const fs::path& folder) { return is_there(folder / name); };
      const auto folder = std::find_if(folders.begin(), folders.end(), has);
      if (name.empty() || folder == folders.end()) continue;
      const fs::path behind = *folder / name;
      if (std::find(found.begin(), found.end(), behind) != found.end()) continue;
      found.push_back(behind);
      left.push_back(behind);
    }
  }
  return found;
}

}  // namespace patchbay::host
