// A run: recover what the last one left, plan, run the lanes, say how it went.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/lane_plan.h"
#include "engine/runtime.h"
#include "sync/sync.h"

namespace patchbay::host {

struct LaneFailure {
  std::vector<std::string> streams;
  Code code = Code::kInternal;
  bool rejects = false;  // too many rows refused
  std::string node;
  std::string message;
};

struct RunResult {
  std::vector<LaneFailure> failures;  // one per failed lane
  size_t lanes = 0;
};

class Engine {
 public:
  explicit Engine(Runtime& runtime) : runtime_(runtime), run_(runtime.run()), steps_(run_) {}

  // Throws what concerns the run as a whole; a lane's failure is in the result. cancel() of the
  // context ends it.
  RunResult execute();
  // Ends every lane; execute() then returns soon. Any thread.
  void cancel();

 private:
  void recover(InstanceSet& instances, const std::string* lane);
  void finish(InstanceSet& instances, const UnfinishedEpoch& epoch);
  size_t sink_index(const std::string& node) const;
  void run_lanes(std::vector<PlannedLane>& lanes, RunResult& result);
  std::optional<LaneFailure> run_lane(PlannedLane& planned, InstanceSet& instances, size_t number);
  // Sets `progress` when at least one epoch was committed, also where it then throws.
  void attempt(PlannedLane& planned, InstanceSet& instances, size_t number, uint32_t attempt,
               bool& progress);
  std::vector<size_t> all_nodes() const;

  Runtime& runtime_;
  RunContext& run_;
  SchemaSteps steps_;
  InstanceSet first_;  // made for recovery and planning, then the first worker's
  sync::Mutex mutex_;
  std::vector<LaneAttempt*> active_;
  bool cancelled_ = false;
};

}  // namespace patchbay::host
