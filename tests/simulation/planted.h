// The bugs of planted_bugs.def: planted by name, and searched for one after the other.
#pragma once

#include <string>

#include "simulation/batches.h"

namespace patchbay::simulation {

// False where there is no bug of that name.
bool plant(const std::string& name);
void list_bugs();

// Searches for each bug from `batches.seed` on for `batches.seconds`, and writes a page with the
// seeds that show them. False where one was not found.
bool write_planted(const std::string& page, const Batches& batches);

// Searches for each bug from the seed on that the page has, in at most `batches.histories`: a seed
// means another history once the simulator changes. False where one was not found, or the page
// lacks one.
bool find_planted(const std::string& page, const Batches& batches);

}  // namespace patchbay::simulation
