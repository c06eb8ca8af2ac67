// runs: what happened.
#include <algorithm>

#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "report/json_text.h"
#include "report/ulid.h"
#include "state/run_lock.h"

namespace patchbay::host {
namespace {

constexpr size_t kShownRuns = 100;

// A run that was killed could not say so itself.
std::string outcome_of(Invocation& call, const RunSummary& run) {
  const bool gone = run.outcome == "running" &&
                    !RunLock::is_held(call.environment().state_folder(), run.info.pipeline);
  return gone ? "crashed" : run.outcome;
}

Json::Value run_json(Invocation& call, const RunSummary& run) {
  if (!run.report_json.empty()) return parse_json_text(run.report_json);
  Json::Value json;
  json["run"] = run.info.run;
  json["pipeline"] = run.info.pipeline;
  json["environment"] = run.info.environment;
  json["started"] = run.info.started;
  json["outcome"] = outcome_of(call, run);
  return json;
}

int list_runs(Invocation& call) {
  Json::Value json(Json::arrayValue);
  Table table({"run", "pipeline", "environment", "started", "outcome", "exit"});
  for (const auto& run : newest_runs(call, call.arguments.get("pipeline"), kShownRuns)) {
    Json::Value one;
    one["run"] = run.info.run;
    one["pipeline"] = run.info.pipeline;
    one["environment"] = run.info.environment;
    one["started"] = run.info.started;
    one["finished"] = run.finished;
    one["outcome"] = outcome_of(call, run);
    one["exit_code"] = run.exit_code;
    json.append(one);
    table.add({run.info.run, run.info.pipeline, run.info.environment, run.info.started,
               one["outcome"].asString(),
               run.finished.empty() ? "" : std::to_string(run.exit_code)});
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(table.text(Invocation::terminal()));
  }
  return kExitOk;
}

std::optional<RunSummary> find_run(Invocation& call, const std::string& id) {
  for (const auto& pipeline : call.recorded_pipelines()) {
    if (auto run = call.look(pipeline).find_run(id)) return run;
  }
  return std::nullopt;
}

}  // namespace

// Within a pipeline runs are in the order in which they began. Between pipelines it is their time
// that counts; one of the future, of a clock that was wrong, is taken for as old as the next one.
std::vector<RunSummary> newest_runs(Invocation& call, const std::string& pipeline, size_t most) {
  struct Dated {
    std::string at;
    RunSummary run;
  };
  std::vector<Dated> all;
  const auto now = std::chrono::system_clock::now();
  for (const auto& name :
       pipeline.empty() ? call.recorded_pipelines() : std::vector<std::string>{pipeline}) {
    std::string newer = iso_time(now) + make_ulid(now + std::chrono::milliseconds(1));
    for (auto& run : call.look(name).runs(most)) {
      // The id of a run tells its millisecond.
      newer = std::min(newer, run.info.started + run.info.run);
      all.push_back({newer, std::move(run)});
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Dated& a, const Dated& b) { return a.at > b.at; });
  std::vector<RunSummary> out;
  for (auto& one : all) {
    if (out.size() < most) out.push_back(std::move(one.run));
  }
  return out;
}

int verb_runs(Invocation& call) {
  if (call.arguments.subcommand == "list") return list_runs(call);
  std::optional<RunSummary> run;
  if (call.arguments.positional.empty()) {
    auto newest = newest_runs(call, call.arguments.get("pipeline"), 1);
    if (!newest.empty()) run = std::move(newest[0]);
  } else {
    run = find_run(call, call.arguments.positional[0]);
  }
  if (!run) {
    throw UsageError("runs show: there is no run " + (call.arguments.positional.empty()
                                                          ? std::string("yet")
                                                          : call.arguments.positional[0]));
  }
  call.print_json(run_json(call, *run));
  return kExitOk;
}

}  // namespace patchbay::host
