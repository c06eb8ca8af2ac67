// Two sinks on one table, as far as manifests and options show it.
#pragma once

#include <string>
#include <vector>

#include "pipeline/fault.h"
#include "pipeline/pipeline.h"

namespace patchbay::host {

void check_targets(const std::string& file, const std::vector<Node>& nodes,
                   std::vector<Fault>& faults);

}  // namespace patchbay::host
