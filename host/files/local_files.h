// Files and folders of this machine. Each failure has the class that posix_error.h gives it, but
// for what is not there: what the host itself needs is then a fault of the configuration.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "patchbay/error.h"

namespace patchbay::host {

// posix_error, with kConfig in place of kNotFound.
Error local_error(const std::filesystem::path& path, int error, const std::string& intent);

// Both follow links, and are false where a part of the path is missing or no name at all. Throw
// local_error if that cannot be told.
bool is_there(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);

// What is in a folder, by name; nothing where the folder is not there. Throws local_error.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

// Both throw Error kConfig where the working folder is gone; whole_path of a relative path only.
std::filesystem::path working_folder();
std::filesystem::path whole_path(const std::filesystem::path& path);

// The text of a regular file of at most `most` bytes: anything else is refused, and never waited
// for. Follows links. Throws local_error, or Error kConfig.
std::string read_regular_file(const std::filesystem::path& file, size_t most);

// Makes the folder and those on its way that are missing, each with `mode`, less what the umask
// takes. Throws local_error.
void make_folders(const std::filesystem::path& folder, unsigned mode);

}  // namespace patchbay::host
