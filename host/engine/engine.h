// A run: settle what the last one left, plan, run the lanes, say how it went.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/commit_turns.h"
#include "engine/lane_plan.h"
#include "engine/runtime.h"
#include "engine/settlement.h"
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
  explicit Engine(Runtime& runtime)
      : runtime_(runtime), run_(runtime.run()), steps_(run_), turns_(run_.pipeline) {}

  // Throws what concerns the run as a whole; a lane's failure is in the result. cancel() of the
  // context ends it.
  RunResult execute();
  // Ends every lane; execute() then returns soon. Any thread.
  void cancel();

 private:
  // Settles what is unfinished of a lane, by key; null = of all that are this process's. Was an
  // epoch of this run committed?
  bool recover(InstanceSet& instances, const std::string* lane);
  Settled settle(const UnfinishedEpoch& epoch, InstanceSet& instances);
  std::vector<SettledSink> sinks_of(const EpochRecord& record, InstanceSet& instances) const;
  bool is_ours(const std::string& lane) const;
  void require_known_epochs(InstanceSet& instances);

  void run_lanes(std::vector<Lane>& lanes, RunResult& result);
  std::optional<LaneFailure> run_lane(Lane& lane, InstanceSet& instances);
  // Sets `progress` when at least one epoch was committed, also where it then throws.
  void attempt(Lane& lane, InstanceSet& instances, uint32_t attempt, bool& progress);
  // The lane's splits with their last committed states.
  void require_sinks(const EpochRecord& record) const;
  bool gets_what_is_new(size_t sink) const;
  void require_whole_target(size_t node, const std::optional<Delivered>& delivered, uint64_t newest,
                            bool accepted);
  static void require_state_of(const Node& node, const LaneSplit& split);
  void load_states(Lane& lane) const;
  std::vector<size_t> all_nodes() const;

  Runtime& runtime_;
  RunContext& run_;
  SchemaSteps steps_;
  CommitTurns turns_;
  RecoveredSplits recovered_;
  std::optional<LanePlanner> planner_;
  InstanceSet first_;  // made for recovery and planning, then the first worker's
  sync::Mutex mutex_;  // guards what follows
  std::vector<LaneAttempt*> active_;
  bool cancelled_ = false;
};

}  // namespace patchbay::host
