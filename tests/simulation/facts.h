// What is so after a part of a history, as the model wants to be told of it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulation/model.h"
#include "simulation/pipelines.h"
#include "simulation/run.h"
#include "simulation/world.h"

namespace patchbay::simulation {

// What the state directory says.
struct StateFacts {
  std::map<std::pair<std::string, model::Id>, int> rejects;  // kept ones, by node and row
  std::vector<model::Covered> states;
  std::vector<uint64_t> recorded;    // epochs that wait for their end, discarded ones among them
  int unfinished = 0, prepared = 0;  // all epochs without an end; those that wait for a commit
  std::set<std::string> prepared_sinks;  // of the latter: nodes
  uint64_t next_epoch = 1;
};

// Looks into a copy of the disk, so that nothing changes. In a thread of the world, while no
// process is alive.
StateFacts look_at_state(World& world, const std::string& pipeline);

// By sink and row: what the user took out or gave up, and when.
using Excuses = std::map<std::string, std::map<model::Id, model::Time>>;

model::History facts_of(const World& world, const PipelineSpec& spec, const StateFacts& state,
                        const std::vector<model::Run>& runs, const Excuses& excuses);

model::Report report_of(const RunResult& result);

// What rows became on their way is what the sinks have.
model::Faults check_values(const World& world, const PipelineSpec& spec);

}  // namespace patchbay::simulation
