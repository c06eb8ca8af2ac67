// Reference pages in Markdown, out of manifests and the table of verbs.
#pragma once

#include <string>

#include "manifest/manifest.h"

namespace patchbay::host {

std::string plugin_reference(const Manifest& manifest);
std::string command_reference();

}  // namespace patchbay::host
