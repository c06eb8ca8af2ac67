// A plugin's shared object: checked, then loaded, never unloaded.
#pragma once

#include <filesystem>
#include <string>

#include "patchbay/abi.h"

namespace patchbay::host {

// What the manifest says of the library that goes with it.
struct ExpectedPlugin {
  std::string id;
  std::string version;
  std::filesystem::path library;
};

// Checks the note against the manifest and the host's ABI. Runs no code of the plugin.
// Throws Error kConfig naming the field, both values and the package to install.
void check_plugin_note(const ExpectedPlugin& expected);

// check_plugin_note, then dlopen with RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE, the entry, and the
// shape of its tables. Loading one library twice gives the same table. The table lives until the
// process exits. Throws Error kConfig for what another build or package mends, kInternal for a
// broken plugin.
const bay_plugin* load_plugin(const ExpectedPlugin& expected, const bay_host* host);

}  // namespace patchbay::host
