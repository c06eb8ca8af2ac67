// The nodes of a pipeline file: what they use, what they read, and whether that makes sense.
#pragma once

#include <string>
#include <vector>

#include "environment/environment.h"
#include "manifest/catalog.h"
#include "pipeline/document.h"
#include "pipeline/pipeline.h"

namespace patchbay::host {

// The nodes, each after those it reads; every fault of theirs goes into `faults`. Fills
// configurations with defaults. `passwords` gets those that their options hold, which is a fault.
std::vector<Node> read_nodes(Document& document, const Environment& environment,
                             const Catalog& catalog, std::vector<Fault>& faults,
                             std::vector<std::string>& passwords);

// What only the whole shows: two sinks on one table, a guarantee that can't be given.
void check_graph(const Document& document, const Pipeline& pipeline, std::vector<Fault>& faults);

}  // namespace patchbay::host
