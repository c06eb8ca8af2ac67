// Whose files the host takes code from.
#pragma once

#include <filesystem>

namespace patchbay::host {

enum class Trust {
  kRoot,        // files of root
  kRootAndOwn,  // and of this user: in environment `local`
};

// The file and every folder on its way must belong to those, and nobody else may write to them.
// Throws Error kConfig naming what is wrong, and the command that mends it.
void check_trusted(const std::filesystem::path& file, Trust trust);

}  // namespace patchbay::host
