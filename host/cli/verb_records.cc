// state, runs, rejects: what is on record. No plugin code runs here.
#include <charconv>

#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "report/json_text.h"
#include "state/run_lock.h"

namespace patchbay::host {
namespace {

int show_state(Invocation& call, const std::string& pipeline) {
  Json::Value streams = call.state().stream_states(pipeline);
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
  call.print(streams.empty() ? pipeline + ": no state; the next run starts from the beginning\n"
                             : table.text(Invocation::terminal()));
  return kExitOk;
}

int show_history(Invocation& call, const std::string& pipeline) {
  Json::Value json(Json::arrayValue);
  Table table({"at", "run", "stream", "state"});
  for (const auto& entry : call.state().history(pipeline, call.arguments.get("stream"), 100)) {
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
  for (const auto& epoch : call.state().unfinished(pipeline)) {
    if (!epoch.recorded) continue;
    throw Error(
        Code::kConfig,
        pipeline +
            ": its last run left rows that are prepared but not committed; run it first, or "
            "give them up: `patchbay state discard " +
            pipeline + "`");
  }
}

int discard_prepared(Invocation& call, const std::string& pipeline) {
  call.print(pipeline + (call.state().give_up_recorded(pipeline)
                             ? ": what was prepared is given up; the next run drops it and reads "
                               "its rows again\n"
                             : ": nothing is prepared and not committed\n"));
  return kExitOk;
}

int change_state(Invocation& call, const std::string& pipeline) {
  const RunLock lock(call.environment().state_dir, pipeline);
  if (call.arguments.subcommand == "discard") return discard_prepared(call, pipeline);
  require_settled(call, pipeline);
  const std::string stream = call.arguments.get("stream");
  if (call.arguments.subcommand == "reset") {
    call.state().forget(pipeline,
                        stream.empty() ? std::vector<std::string>{} : std::vector{stream});
    call.print(pipeline + ": " + (stream.empty() ? "state" : "state of " + stream) +
               " forgotten; the next run starts from the beginning\n");
    return kExitOk;
  }
  if (stream.empty()) throw UsageError("state set: needs --stream");
  if (call.arguments.positional.size() < 2)
    throw UsageError("state set: needs a JSON value, like '{\"sequence\": 100}'");
  Json::Value value;
  try {
    value = parse_json_text(call.arguments.positional[1]);
  } catch (const Error& error) {
    throw UsageError("state set: the value " + std::string(error.what()));
  }
  call.state().set_state(pipeline, stream, compact_json(value));
  call.print(pipeline + ": the next run reads " + stream + " from " + compact_json(value) + "\n");
  return kExitOk;
}

// A run that was killed could not say so itself.
std::string outcome_of(Invocation& call, const RunSummary& run) {
  const bool gone = run.outcome == "running" &&
                    !RunLock::is_held(call.environment().state_dir, run.info.pipeline);
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
  for (const auto& run : call.state().runs(call.arguments.get("pipeline"), 100)) {
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

// A record that never became a row stands in a column of its own.
Json::Value row_of(std::string_view text) {
  constexpr std::string_view kRecord = "{\"record\":";
  const Json::Value row = json_or_text(text);
  if (row.isObject()) return row.size() == 1 && row.isMember("record") ? row["record"] : row;
  return text.starts_with(kRecord)
             ? std::string(text.substr(kRecord.size(), text.size() - kRecord.size() - 1))
             : row;
}

Json::Value reject_json(const StoredReject& stored, bool with_row) {
  const Reject& reject = stored.reject;
  Json::Value json;
  json["id"] = Json::Int64(stored.id);
  json["run"] = reject.run;
  json["stream"] = reject.stream;
  json["node"] = reject.node;
  json["code"] = reject.code;
  json["reason"] = reject.reason;
  json["position"] =
      reject.position_json.empty() ? Json::Value() : parse_json_text(reject.position_json);
  json["committed"] = stored.kept;
  if (!with_row) return json;
  json["row"] = row_of(reject.row_json);
  return json;
}

int list_rejects(Invocation& call, const std::string& pipeline) {
  Json::Value json(Json::arrayValue);
  Table table({"id", "run", "stream", "node", "code", "position", "reason"});
  call.state().rejects(pipeline, call.arguments.get("run"), 0, [&](const StoredReject& stored) {
    const Reject& r = stored.reject;
    json.append(reject_json(stored, false));
    table.add(
        {std::to_string(stored.id), r.run, r.stream, r.node, r.code, r.position_json, r.reason});
    return true;
  });
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(json.empty() ? pipeline + ": no rejects\n" : table.text(Invocation::terminal()));
  }
  return kExitOk;
}

int show_reject(Invocation& call) {
  const std::string& text = call.arguments.positional[0];
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  Json::Value found;
  if (error == std::errc() && end == text.data() + text.size() && id > 0) {
    call.state().rejects("", "", id, [&](const StoredReject& stored) {
      found = reject_json(stored, true);
      return false;
    });
  }
  if (found.isNull()) throw UsageError("rejects show: there is no reject " + text);
  call.print_json(found);
  return kExitOk;
}

int export_rejects(Invocation& call, const std::string& pipeline) {
  call.state().rejects(pipeline, call.arguments.get("run"), 0, [&](const StoredReject& stored) {
    call.print_json_line(reject_json(stored, true));
    return true;
  });
  return kExitOk;
}

}  // namespace

int verb_state(Invocation& call) {
  const std::string pipeline = call.pipeline_name(0);
  const std::string& verb = call.arguments.subcommand;
  if (verb == "show") return show_state(call, pipeline);
  if (verb == "history") return show_history(call, pipeline);
  return change_state(call, pipeline);
}

int verb_runs(Invocation& call) {
  if (call.arguments.subcommand == "list") return list_runs(call);
  std::optional<RunSummary> run;
  if (call.arguments.positional.empty()) {
    auto newest = call.state().runs(call.arguments.get("pipeline"), 1);
    if (!newest.empty()) run = newest[0];
  } else {
    run = call.state().find_run(call.arguments.positional[0]);
  }
  if (!run) {
    throw UsageError("runs show: there is no run " + (call.arguments.positional.empty()
                                                          ? std::string("yet")
                                                          : call.arguments.positional[0]));
  }
  call.print_json(run_json(call, *run));
  return kExitOk;
}

int verb_rejects(Invocation& call) {
  if (call.arguments.subcommand == "show") return show_reject(call);
  const std::string pipeline = call.pipeline_name(0);
  return call.arguments.subcommand == "list" ? list_rejects(call, pipeline)
                                             : export_rejects(call, pipeline);
}

}  // namespace patchbay::host
