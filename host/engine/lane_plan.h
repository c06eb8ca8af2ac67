// Which lanes a run has: splits of the sources, grouped where they must become visible together.
#pragma once

#include <vector>

#include "engine/lane_attempt.h"
#include "engine/runtime.h"

namespace patchbay::host {

struct PlannedLane {
  Lane lane;
  std::vector<std::string> streams;  // the source streams in it
};

// Asks the sources for their splits, announces their streams to the report, leaves out what was
// read for good, and groups. `instances` covers the sources. Throws UsageError for an --only stream
// that no source has.
std::vector<PlannedLane> plan_lanes(Runtime& runtime, InstanceSet& instances);

// The splits with their last committed states.
void load_states(RunContext& run, Lane& lane);

// Node indexes: `node`, and all that it reads, directly or not, in pipeline order.
std::vector<size_t> upstream_of(const Pipeline& pipeline, size_t node);

}  // namespace patchbay::host
