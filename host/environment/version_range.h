// Ranges of versions: ">=1.2 <2", "1.4.0", "<3".
#pragma once

#include <string>

namespace patchbay::host {

bool is_range(const std::string& text);

// Missing parts are 0: 1.2 is 1.2.0. What follows the numbers is not compared.
bool in_range(const std::string& version, const std::string& range);

}  // namespace patchbay::host
