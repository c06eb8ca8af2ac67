// environment.yaml, after the one that it extends.
#pragma once

#include <filesystem>

#include "environment/environment.h"

namespace patchbay::host {

// `environments` holds a folder for each. Throws Faults for everything that is wrong in one file.
void read_environment_file(const std::filesystem::path& environments, Environment& environment);

}  // namespace patchbay::host
