// state: what the next run starts from. No plugin code runs here.
#include <algorithm>
#include <limits>
#include <set>

#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "manifest/config_check.h"
#include "patchbay/suggest.h"
#include "report/json_text.h"
#include "state/run_lock.h"
#include "state/state_dir.h"

namespace patchbay::host {
namespace {

int show_state(Invocation& call, const std::string& pipeline) {
  Json::Value streams = call.look(pipeline).stream_states();
  const std::string only = call.arguments.get("stream");
  for (const auto& stream : streams.getMemberNames()) {
    if (!only.empty() && stream != only) streams.removeMember(stream);
  }
  if (call.json()) {
    Json::Value json;
    json["pipeline"] = pipeline;
    json["streams"] = streams;
    call.print_json(json);
    return kExitOk;
  }
  Table table({"stream", "state"});
  for (const auto& stream : streams.getMemberNames())
    table.add({stream, compact_json(streams[stream])});
  call.print(streams.empty()
                 ? Printed(pipeline, ": no state; the next run starts from the beginning\n")
                 : table.text(Invocation::terminal()));
  return kExitOk;
}

int show_history(Invocation& call, const std::string& pipeline) {
  Json::Value json(Json::arrayValue);
  Table table({"at", "run", "stream", "state"});
  for (const auto& entry : call.look(pipeline).history(call.arguments.get("stream"), 100)) {
    Json::Value one;
    one["at"] = entry.at;
    one["run"] = entry.run;
    one["stream"] = entry.stream;
    one["split"] = entry.split;
    one["state"] = entry.state_json.empty() ? Json::Value() : parse_json_text(entry.state_json);
    json.append(one);
    table.add({entry.at, entry.run, entry.stream, entry.state_json});
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(table.text(Invocation::terminal()));
  }
  return kExitOk;
}

void require_settled(Invocation& call, const std::string& pipeline) {
  for (const auto& epoch : call.state(pipeline).unfinished()) {
    if (epoch.phase == EpochPhase::kBegun) continue;
    throw Error(Code::kConfig,
                pipeline +
                    ": its last run left rows that are prepared but not committed; run it first, "
                    "or give them up: `patchbay state discard " +
                    pipeline + "`");
  }
}

// A name that no sink has would lead nowhere.
void require_prepared(StateStore& state, const std::string& sink) {
  std::set<std::string> names;
  for (const auto& epoch : state.unfinished()) {
    if (epoch.phase == EpochPhase::kBegun) continue;
    for (const auto& prepared : epoch.record.sinks) names.insert(prepared.node);
  }
  if (names.empty() || names.contains(sink)) return;
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  throw UsageError("state discard: --without " + sink +
                   ": no sink of this name has rows prepared; there is " + all);
}

int discard(Invocation& call, const std::string& pipeline) {
  Json::Value how(Json::objectValue);
  if (call.arguments.has("again")) how["again"] = true;
  if (call.arguments.has("without")) how["without"] = call.arguments.get("without");
  if (how.size() == 2) throw UsageError("state discard: --again and --without exclude each other");
  if (how.isMember("without")) require_prepared(call.state(pipeline), how["without"].asString());
  const int64_t n = call.state(pipeline).discard_recorded(how);
  std::string what =
      "the next run asks the sinks first: rows that all of them show count as "
      "committed, others are dropped and read again";
  if (how.isMember("again")) what = "the next run drops them and reads them again, for every sink";
  if (how.isMember("without"))
    what = "the next run commits them without " + how["without"].asString() +
           ", which never gets them";
  call.print(n > 0 ? Printed(pipeline, ": what is prepared is given up; ", what, "\n")
                   : Printed(pipeline, ": nothing is prepared and not committed\n"));
  return kExitOk;
}

int reset(Invocation& call, const std::string& pipeline, const std::string& stream) {
  call.state(pipeline).forget(stream.empty() ? std::vector<std::string>{} : std::vector{stream});
  call.print(Printed(pipeline, ": ", stream.empty() ? "state" : "state of " + stream,
                     " forgotten; the next run starts from the beginning\n"));
  return kExitOk;
}

int accept(Invocation& call, const std::string& pipeline, const std::string& stream) {
  const int64_t n = call.state(pipeline).accept(stream.empty() ? std::vector<std::string>{}
                                                               : std::vector{stream});
  call.print(Printed(
      pipeline, ": ", n == 1 ? "one stream" : std::to_string(n) + " streams",
      ": the next run goes on from the state, as a state of what it reads and writes then\n"));
  return kExitOk;
}

// A stream that no run has had, and a value that no source could go on from, would pass for a start
// from the beginning.
void require_sensible(Invocation& call, const std::string& name, const std::string& stream,
                      const Json::Value& value) {
  StateStore& state = call.state(name);
  const auto runs = state.runs(1);
  std::set<std::string> known;
  for (const auto& one : state.streams()) known.insert(one.of.stream);
  if (!runs.empty() && !runs[0].report_json.empty()) {
    for (const auto& one : parse_json_text(runs[0].report_json)["streams"])
      known.insert(one["stream"].asString());
  }
  if (!runs.empty() && !known.empty() && !known.contains(stream)) {
    throw UsageError("state set: " + name + " has no stream " + stream +
                     did_you_mean(stream, {known.begin(), known.end()}));
  }
  std::optional<Pipeline> pipeline;
  try {
    pipeline = call.pipeline(0, call.clock());
  } catch (const std::exception&) {
    return;  // a name, or a file that does not run today: its sources are not known
  }
  std::vector<const Node*> sources;
  for (const auto& node : pipeline->nodes) {
    if (node.kind == Kind::kSource) sources.push_back(&node);
  }
  if (sources.size() != 1 || sources[0]->component->state.isNull()) return;
  const std::string why = validate_json_schema(sources[0]->component->state, value);
  if (!why.empty()) throw UsageError("state set: no state of " + sources[0]->use + ": " + why);
}

int set(Invocation& call, const std::string& pipeline, const std::string& stream) {
  if (stream.empty()) throw UsageError("state set: needs --stream");
  if (call.arguments.positional.size() < 2)
    throw UsageError("state set: needs a JSON value, like '{\"sequence\": 100}'");
  Json::Value value;
  try {
    value = parse_json_text(call.arguments.positional[1]);
  } catch (const Error& error) {
    throw UsageError("state set: the value " + std::string(error.what()) +
                     "; write it like '{\"sequence\": 100}'");
  }
  require_sensible(call, pipeline, stream, value);
  call.state(pipeline).set_state(stream, compact_json(value));
  call.print(
      Printed(pipeline, ": the next run reads ", stream, " from ", compact_json(value), "\n"));
  return kExitOk;
}

// PIPELINE or PIPELINE/NODE, where the pipeline may be a file.
struct Place {
  std::string pipeline, node;
};

Place place_of(Invocation& call, const std::string& given) {
  const auto recorded = call.recorded_pipelines();
  const auto is_recorded = [&](const std::string& name) {
    return std::find(recorded.begin(), recorded.end(), name) != recorded.end();
  };
  const std::string whole = call.pipeline_name_of(given);
  if (is_recorded(whole)) return {whole, ""};
  const size_t slash = given.rfind('/');
  if (slash == std::string::npos) return {whole, ""};
  return {call.pipeline_name_of(given.substr(0, slash)), given.substr(slash + 1)};
}

// A run that was refused is on record under the new name, and stays.
void take_over(Invocation& call, const std::string& name, const std::string& old_name) {
  StateStore& records = call.look(name);
  if (!records.has_only_runs()) {
    throw Error(Code::kConfig, "state move: " + name +
                                   " has a state or rejects of its own; give "
                                   "it another name, or forget them: `patchbay state reset " +
                                   name + "`, `patchbay rejects clear " + name + "`");
  }
  call.state(old_name).take_runs(records.runs(std::numeric_limits<int32_t>::max()));
  call.close_state(name);
}

int move(Invocation& call) {
  if (call.arguments.positional.size() != 2)
    throw UsageError("state move: needs the old name and the new one: PIPELINE or PIPELINE/NODE");
  const Place from = place_of(call, call.arguments.positional[0]);
  const Place to = place_of(call, call.arguments.positional[1]);
  const auto dir = call.environment().state_folder();
  if (from.node.empty() != to.node.empty())
    throw UsageError("state move: a pipeline becomes a pipeline, and a node a node");
  const RunLock lock(dir, from.pipeline);
  if (!from.node.empty()) {
    if (from.pipeline != to.pipeline)
      throw UsageError("state move: a node's state stays in its pipeline");
    require_settled(call, from.pipeline);
    if (!call.state(from.pipeline).move_node(from.node, to.node))
      throw UsageError("state move: " + from.pipeline + " has no state of a node " + from.node);
    call.print(Printed(from.pipeline, ": the next run goes on from the state of ", from.node,
                       " with the node ", to.node, "\n"));
    return kExitOk;
  }
  const RunLock other(dir, to.pipeline);
  require_settled(call, from.pipeline);
  take_over(call, to.pipeline, from.pipeline);
  call.close_state(from.pipeline);
  move_state_file(dir, from.pipeline, to.pipeline);
  call.state(to.pipeline).accept({});
  call.print(Printed("the state of ", from.pipeline, " is that of ", to.pipeline, " now\n"));
  return kExitOk;
}

}  // namespace

int verb_state(Invocation& call) {
  const std::string& verb = call.arguments.subcommand;
  if (verb == "move") return move(call);
  const std::string pipeline = call.recorded_name(0);
  if (verb == "show") return show_state(call, pipeline);
  if (verb == "history") return show_history(call, pipeline);
  const RunLock lock(call.environment().state_folder(), pipeline);
  if (verb == "discard") return discard(call, pipeline);
  const std::string stream = call.arguments.get("stream");
  if (verb == "accept") return accept(call, pipeline, stream);
  require_settled(call, pipeline);
  return verb == "reset" ? reset(call, pipeline, stream) : set(call, pipeline, stream);
}

}  // namespace patchbay::host
