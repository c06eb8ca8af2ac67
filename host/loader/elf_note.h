// The ELF note of a plugin, read without loading it: abi.h, BAY_PLUGIN_NOTE.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace patchbay::host {

struct PluginNote {
  uint32_t abi_major = 0;
  uint32_t needed_minor = 0;
  std::string id;
  std::string version;
};

// Throws Error kConfig naming the file where it cannot be read, is no shared object of this
// machine, or has no note.
PluginNote read_plugin_note(const std::filesystem::path& file);

}  // namespace patchbay::host
