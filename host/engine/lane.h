// Lanes as data: which splits flow through which nodes, and what commits together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/split_plan.h"

namespace patchbay::host {

struct LaneSplit {
  SplitPlan plan;
  std::string state_json;  // of the last committed epoch; empty = from the start
};

struct LaneSource {
  size_t node = 0;
  std::vector<LaneSplit> splits;  // read one after the other
};

// Why the splits of a lane are one lane.
enum class LaneKind {
  kSplit,   // one split by itself
  kStream,  // all splits of a stream of a source
  kWhole,   // all splits of all sources that are read together
};

struct Lane {
  LaneKind kind = LaneKind::kSplit;
  std::string key;    // stable from run to run: epochs are recovered by it
  size_t number = 0;  // in the order of the plan
  std::vector<LaneSource> sources;
  std::vector<size_t> nodes;         // of the pipeline, in its order, that take part
  std::vector<std::string> streams;  // of the sources
  bool one_epoch = false;            // everything becomes visible together, at the end
  // A table is replaced, or all is read anew: what earlier runs read is read again.
  bool from_start = false;
  bool replaced = false;  // the first of the two: so is what this run has read
  // Recovery has just committed its one epoch: a part of it by itself would be half a table.
  bool settled = false;
  // Tables that are written by keys: the lanes of one commit in the order of the plan.
  std::vector<std::string> ordered;
};

}  // namespace patchbay::host
