// How a run went, as text and as JSON.
#pragma once

#include <json/value.h>

#include <chrono>
#include <string>

#include "engine/engine.h"
#include "report/printed.h"

namespace patchbay::host {

struct RunOutcome {
  std::string run, pipeline, environment, guarantee;
  std::chrono::system_clock::time_point started, finished;
  double seconds = 0;   // not by their difference: the clock may have been set meanwhile
  std::string outcome;  // ok, rejects, partial, failed, cancelled
  int exit_code = 0;
  Json::Value state_before, state_after;  // by stream
  RunResult result;
  LaneFailure failure;  // of the run as a whole, where `failed_early`
  bool failed_early = false;
  bool usage = false;  // it failed at the command line
};

// The outcome's name and exit code from the lanes' failures; `signal` = 0 or the number that ended
// the run.
void judge(RunOutcome& run, int signal);

Json::Value report_json(const RunOutcome& run, const RunContext& context);

// For a terminal: what happened, and what failed with what to do about it; the second is empty
// where all went well.
struct TextReport {
  Printed report;
  Printed failures;
};
TextReport report_text(const RunOutcome& run, const RunContext& context, bool color);

}  // namespace patchbay::host
