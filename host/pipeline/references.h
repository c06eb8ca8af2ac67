// Streams by reference, of which no row passes: who gives them, and who may read those.
#pragma once

#include <string>

#include "pipeline/fault.h"
#include "pipeline/pipeline.h"

namespace patchbay::host {

// The system where the node's rows stay; empty = they pass.
std::string rows_stay_in(const Node& node);

void check_references(const std::string& file, const std::vector<Node>& nodes,
                      std::vector<Fault>& faults);

}  // namespace patchbay::host
