// libpq ends its messages with a newline, and begins continuations with a tab.
#pragma once

#include <string>

namespace patchbay::postgres {

std::string one_line(std::string text);

}  // namespace patchbay::postgres
