// The state file of the version before, state.db, which held all pipelines.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "patchbay/sqlite.h"

namespace patchbay::host {

// The pipelines that state.db in `dir` knows of.
std::vector<std::string> legacy_pipelines(const std::filesystem::path& dir);

// Brings what state.db in `dir` knows of the pipeline into its own new file, within the caller's
// transaction; the old file stays as it is. Throws Error kConfig where a newer patchbay wrote it.
void import_legacy_state(const std::filesystem::path& dir, const std::string& pipeline,
                         Database& into);

}  // namespace patchbay::host
