// Which rows the transform `sift` leaves out and refuses: told to the model, too.
#pragma once

#include <cstdint>

namespace patchbay::simulation {

constexpr bool is_dropped(int64_t value) { return value % 10 == 3; }
constexpr bool is_refused(int64_t value) { return value % 5 == 2; }

}  // namespace patchbay::simulation
