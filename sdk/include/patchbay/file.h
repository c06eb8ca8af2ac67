// Files by their descriptors.
#pragma once

#include <string_view>

namespace patchbay {

// All of it, in as many pieces as the system takes. Returns 0, or errno of the piece that failed.
int write_all(int fd, std::string_view bytes);

}  // namespace patchbay
