// What becomes of the rows that a sink has prepared, where its process ends before they are
// committed.
#pragma once

#include <utility>
#include <vector>

#include "pipeline/pipeline.h"

namespace patchbay::host {

// By node: does it lose them? Of sinks that get the same rows and would double them where they are
// read again, one may: the others have to keep theirs, and are asked to where they can do either.
std::vector<bool> forgets_prepared(const Pipeline& pipeline);

// Must the node be asked to keep them?
bool keeps_on_request(const Node& node, bool forgets);

// Those that lose them together and would double them.
std::vector<std::pair<size_t, size_t>> forgetful_pairs(const Pipeline& pipeline);

}  // namespace patchbay::host
