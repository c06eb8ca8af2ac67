// Which bug is planted in this process, if any. Included by host/sync/planted.h.
#pragma once

namespace patchbay::simulation {

enum class Bug {
  none,
#define BUG(name, words) name,
#include "simulation/planted_bugs.def"
#undef BUG
};

// Set before the first history.
extern Bug planted_bug;

}  // namespace patchbay::simulation
