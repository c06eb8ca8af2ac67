// Help and the manual page, out of the verb table.
#pragma once

#include <string>

#include "cli/arguments.h"

namespace patchbay::host {

std::string usage_text(const VerbSpec& verb);  // "patchbay run PIPELINE [options]"
std::string help_text(const VerbSpec* verb);   // null = all of them
std::string manual_page();

}  // namespace patchbay::host
