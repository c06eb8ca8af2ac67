// The shared objects that one brings along, found without loading it.
#pragma once

#include <filesystem>
#include <vector>

namespace patchbay::host {

// What the dynamic linker would find on the run paths of the library, and on those of what it finds
// there; not what it finds among the system's libraries. Source: ld.so(8),
// https://man7.org/linux/man-pages/man8/ld.so.8.html. A file that is not a shared object brings
// nothing along; throws as posix_error.h says where a limit is reached.
std::vector<std::filesystem::path> libraries_behind(const std::filesystem::path& library);

}  // namespace patchbay::host
