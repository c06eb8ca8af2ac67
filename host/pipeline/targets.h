// Where sinks write, as far as manifests and options show it.
#pragma once

#include <string>
#include <vector>

#include "pipeline/fault.h"
#include "pipeline/pipeline.h"

namespace patchbay::host {

// Adds a fault for each two sinks on one table.
void check_targets(const std::string& file, const std::vector<Node>& nodes,
                   std::vector<Fault>& faults);

// Has a sink standard output for its objects, under the name -?
bool writes_to_standard_output(const Pipeline& pipeline);

}  // namespace patchbay::host
