// The folder of the state file and the locks.
#pragma once

#include <filesystem>

namespace patchbay::host {

// Creates it for its owner alone where it is missing: rejects hold personal data. Throws Error
// kConfig, or kUnavailable where the disk is full.
void prepare_state_dir(const std::filesystem::path& dir);

// `what` can't be made or opened, because of `error` (an errno). Throws as above.
[[noreturn]] void refuse_state_file(const std::filesystem::path& what, int error);

}  // namespace patchbay::host
