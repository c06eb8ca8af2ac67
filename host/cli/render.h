// Help, the manual page and shell completions, out of the verb table.
#pragma once

#include <string>

#include "cli/arguments.h"

namespace patchbay::host {

std::string help_text(const VerbSpec* verb);  // null = all of them
std::string manual_page();
std::string completion_script(const std::string& shell);  // throws UsageError for an unknown shell

}  // namespace patchbay::host
