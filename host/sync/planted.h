// Bugs that the simulator plants on purpose, to show that it finds each of them: see
// tests/simulation/planted_bugs.def. In the program all of them are the constant false.
#pragma once

#ifdef PATCHBAY_SIMULATION

#include "simulation/planted_body.h"
#define PLANTED(name) (patchbay::simulation::planted_bug == patchbay::simulation::Bug::name)

#else

#define PLANTED(name) false

#endif
