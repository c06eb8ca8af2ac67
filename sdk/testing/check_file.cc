// The plugin's file as the linker sees it. No code of it runs.
#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "patchbay/testing/conformance.h"
#include "suite.h"

namespace patchbay::test {
namespace {

class ElfFile {
 public:
  explicit ElfFile(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    const auto head = at<Elf64_Ehdr>(0);
    require(std::memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 && head.e_ident[EI_CLASS] == ELFCLASS64,
            file.string() + ": is no 64-bit ELF file");
    for (size_t i = 0; i < head.e_phnum; ++i)
      segments.push_back(at<Elf64_Phdr>(head.e_phoff + i * sizeof(Elf64_Phdr)));
    for (size_t i = 0; i < head.e_shnum; ++i)
      sections_.push_back(at<Elf64_Shdr>(head.e_shoff + i * sizeof(Elf64_Shdr)));
    for (const auto& section : sections_) {
      if (section.sh_type == SHT_DYNSYM) symbols = table<Elf64_Sym>(section);
      if (section.sh_type == SHT_DYNAMIC) entries = table<Elf64_Dyn>(section);
      if (section.sh_type == SHT_DYNSYM || section.sh_type == SHT_DYNAMIC) names_ = section.sh_link;
    }
  }
  std::string name(uint64_t offset) const {
    require(names_ < sections_.size(), "its section headers are broken");
    const uint64_t begin = sections_[names_].sh_offset + offset;
    require(begin < bytes_.size(), "its names are cut");
    return bytes_.c_str() + begin;
  }
  uint64_t value(int64_t tag) const {
    for (const auto& entry : entries) {
      if (entry.d_tag == tag) return entry.d_un.d_val;
    }
    return 0;
  }

  std::vector<Elf64_Phdr> segments;
  std::vector<Elf64_Sym> symbols;
  std::vector<Elf64_Dyn> entries;

 private:
  template <class T>
  T at(uint64_t offset) const {
    require(offset <= bytes_.size() && bytes_.size() - offset >= sizeof(T), "the file is cut");
    T out;
    std::memcpy(&out, bytes_.data() + offset, sizeof out);
    return out;
  }
  template <class T>
  std::vector<T> table(const Elf64_Shdr& section) const {
    std::vector<T> out;
    for (uint64_t i = 0; i + sizeof(T) <= section.sh_size; i += sizeof(T))
      out.push_back(at<T>(section.sh_offset + i));
    return out;
  }

  std::string bytes_;
  std::vector<Elf64_Shdr> sections_;
  size_t names_ = SIZE_MAX;
};

void exports_one(const ElfFile& file) {
  for (const auto& symbol : file.symbols) {
    const std::string name = file.name(symbol.st_name);
    const bool local = ELF64_ST_BIND(symbol.st_info) == STB_LOCAL;
    require(symbol.st_shndx == SHN_UNDEF || local || name == BAY_PLUGIN_ENTRY,
            "exports " + name + ", too");
  }
}

void has_no_unique(const ElfFile& file) {
  for (const auto& symbol : file.symbols) {
    require(symbol.st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol.st_info) != STB_GNU_UNIQUE,
            file.name(symbol.st_name) + " is one");
  }
}

void has_plain_stack(const ElfFile& file) {
  for (const auto& segment : file.segments)
    require(segment.p_type != PT_GNU_STACK || !(segment.p_flags & PF_X), "its stack is executable");
}

void has_whole_paths(const ElfFile& file) {
  for (const auto& entry : file.entries) {
    if (entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH) continue;
    const std::string paths = file.name(entry.d_un.d_val);
    for (size_t at = 0; at < paths.size();) {
      const size_t end = std::min(paths.find(':', at), paths.size());
      require(end == at || paths[at] == '/' || paths[at] == '$', "it has the path " + paths);
      at = end + 1;
    }
  }
}

void calls_nothing_of_the_process(const ElfFile& file) {
  constexpr std::array kForeign{"setlocale",  "chdir",    "fchdir", "setenv", "unsetenv",
                                "putenv",     "clearenv", "signal", "exit",   "_exit",
                                "quick_exit", "on_exit",  "atexit", "system", "daemon"};
  for (const auto& symbol : file.symbols) {
    const std::string name = file.name(symbol.st_name);
    require(symbol.st_shndx != SHN_UNDEF ||
                std::find(kForeign.begin(), kForeign.end(), name) == kForeign.end(),
            "it calls " + name);
  }
}

}  // namespace

std::vector<CheckResult> check_file(const std::filesystem::path& library) {
  Suite suite;
  std::optional<ElfFile> file;
  suite.check("exports its entry and nothing else", [&] {
    file.emplace(library);
    exports_one(*file);
  });
  if (!file) return suite.results;
  suite.check("has no unique symbol", [&] { has_no_unique(*file); });
  suite.check("needs no executable stack", [&] { has_plain_stack(*file); });
  suite.check("needs no relocation of its text", [&] {
    for (const auto& entry : file->entries) require(entry.d_tag != DT_TEXTREL, "it has DT_TEXTREL");
    require(!(file->value(DT_FLAGS) & DF_TEXTREL), "it has DF_TEXTREL");
  });
  suite.check("asks for no place before other libraries", [&] {
    require(!(file->value(DT_FLAGS_1) & (DF_1_INTERPOSE | DF_1_GLOBAL | DF_1_INITFIRST)),
            "its DT_FLAGS_1 are " + std::to_string(file->value(DT_FLAGS_1)));
  });
  suite.check("is searched for in whole paths only", [&] { has_whole_paths(*file); });
  suite.check("calls nothing that changes the process",
              [&] { calls_nothing_of_the_process(*file); });
  return suite.results;
}

}  // namespace patchbay::test
