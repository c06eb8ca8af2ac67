// One run of a pipeline in a simulated process: what host/cli/verb_run.cc does, without a command
// line.
#pragma once

#include <json/value.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/run_context.h"
#include "pipeline/pipeline.h"
#include "simulation/world.h"

namespace patchbay::simulation {

struct RunRequest {
  std::string run_id;
  host::RunOptions options;
  uint64_t kill_at = 0, kill_at_step = 0;  // points of scheduling, durable steps; 0 = never
  std::string kill_after;                  // a durable step, by name
  uint64_t freeze_at = 0;
  Duration freeze_for{0};
  uint64_t interrupt_at = 0;  // somebody presses Ctrl-C
  bool plans = false;         // `patchbay plan`: asks the sources, and runs nothing
};

struct RunResult {
  bool died = true;  // killed: nothing of the rest is known
  bool interrupted = false;
  std::string outcome;  // ok, partial, ..
  int exit_code = -1;
  std::string message;  // of the failures
  Json::Value report;
  std::vector<host::GivenSplit> splits;  // of a plan
};

// A run that has begun. Outlives its process.
class StartedRun {
 public:
  // The pipeline is copied; ${run.id} in its options is put in.
  StartedRun(World& world, const host::Pipeline& pipeline, RunRequest request);
  Process& process() { return *process_; }
  const RunResult& result() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  Process* process_;
};

// Where the simulated machine keeps the states of its pipelines.
inline constexpr const char* kStateDir = "/simulated/state";

}  // namespace patchbay::simulation
