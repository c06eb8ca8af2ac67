// Whose state is used: it decides what is read and written next, and holds refused rows, which may
// be personal data. The folder, what is in it and every link that leads to it must belong to root
// or this user, nobody else may write to them, and nobody may put others in their place; what is
// in the folder is no link.
#pragma once

#include <filesystem>
#include <string>

namespace patchbay::host {

// Makes the folder, mode 0700, where it is missing. Throws Error kConfig where that rule is broken,
// or as posix_error.h says.
void prepare_state_dir(const std::filesystem::path& dir);

// The directory, then the records of a pipeline in it: throw where the rule is broken. Make
// nothing.
void check_state(const std::filesystem::path& dir);
void check_records(const std::filesystem::path& dir, const std::string& pipeline);

// The pipeline's file, where it is missing, and with it those that SQLite makes beside it: for its
// owner alone.
void make_state_file(const std::filesystem::path& dir, const std::string& pipeline);

// The file of a lock, opened for reading and writing. The caller closes it.
int open_lock_file(const std::filesystem::path& dir, const std::string& name);

// Throws what `error`, an errno, means for a file of the state.
[[noreturn]] void refuse_state_file(const std::filesystem::path& what, int error);

}  // namespace patchbay::host
