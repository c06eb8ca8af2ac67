// Where the records of pipelines are: a file and a lock for each, below the state directory.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "state/state_access.h"

namespace patchbay::host {

// The file of a pipeline, there or not: its name, with what no file's name may hold escaped.
std::filesystem::path state_file(const std::filesystem::path& dir, const std::string& pipeline);

// Those that have one, by name.
std::vector<std::string> pipelines_with_state(const std::filesystem::path& dir);

// A small number that is the pipeline's alone in this directory, for ever; from 0.
int64_t number_of_pipeline(const std::filesystem::path& dir, const std::string& pipeline);

// Gives the records of one pipeline, whose file nobody has open, to another name, in place of any
// that it has. Throws Error kConfig where there are none.
void move_state_file(const std::filesystem::path& dir, const std::string& from,
                     const std::string& to);
// Were the pipeline's records given away, so that those of the version before are, too?
bool is_moved_away(const std::filesystem::path& dir, const std::string& pipeline);

}  // namespace patchbay::host
