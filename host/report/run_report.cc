#include "report/run_report.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>

#include "cli/exit_codes.h"
#include "report/json_text.h"
#include "report/table.h"
#include "report/ulid.h"

namespace patchbay::host {
namespace {

double seconds(int64_t ns) { return std::round(static_cast<double>(ns) / 1e6) / 1e3; }

int64_t rows_written(const StreamCounts& counts) {
  int64_t least = -1;
  for (const auto& [sink, rows] : counts.written) least = least < 0 ? rows : std::min(least, rows);
  return std::max<int64_t>(least, 0);
}

int exit_code(const LaneFailure& failure) {
  return failure.rejects ? int{kExitRejects} : exit_code_of(failure.code);
}

const LaneFailure* failure_of(const RunOutcome& run, const std::string& stream) {
  for (const auto& failure : run.result.failures) {
    if (std::find(failure.streams.begin(), failure.streams.end(), stream) != failure.streams.end())
      return &failure;
  }
  return nullptr;
}

Json::Value error_json(const LaneFailure& failure) {
  Json::Value json;
  json["class"] = failure.rejects ? "rejects" : std::string(class_name(failure.code));
  json["node"] = failure.node;
  json["message"] = failure.message;
  return json;
}

// A stream whose rows a transform made (a join) was not read: nothing of it is dropped.
int64_t rows_dropped(const StreamOutcome& stream) {
  const StreamCounts& c = stream.committed;
  return std::max<int64_t>(0, c.read - c.rejected - rows_written(c));
}

// Sinks that have these rows once more after the next run.
std::string doubling_note(const StreamOutcome& stream, const RunContext& context) {
  if (!stream.read_whole || context.options.one_off || rows_written(stream.committed) == 0)
    return "";
  for (const auto& node : context.pipeline.nodes) {
    if (!stream.sinks.contains(node.id) || node.config["write"] != "append") continue;
    return "each run reads all of it and " + node.id +
           " appends it again; for rows that stand once, set write: replace or upsert there, or "
           "let the source read what is new only";
  }
  return "";
}

Json::Value stream_json(const std::string& name, const StreamOutcome& stream, const RunOutcome& run,
                        const RunContext& context) {
  const StreamCounts& c = stream.committed;
  Json::Value json;
  json["stream"] = name;
  json["source"] = stream.source;
  json["sinks"] = Json::arrayValue;
  for (const auto& sink : stream.sinks) json["sinks"].append(sink);
  json["rows_read"] = Json::Int64(c.read + stream.aborted.read);
  json["rows_written"] = Json::Int64(rows_written(c));
  json["rows_rejected"] = Json::Int64(c.rejected + stream.aborted.rejected);
  json["rows_dropped"] = Json::Int64(rows_dropped(stream));
  if (stream.recovered.read > 0) json["rows_recovered"] = Json::Int64(stream.recovered.read);
  if (stream.unsettled.read > 0) json["rows_unsettled"] = Json::Int64(stream.unsettled.read);
  if (stream.aborted.read > 0)
    json["rows_aborted"] = Json::Int64(stream.aborted.read - stream.aborted.rejected);
  json["bytes_read"] = Json::Int64(c.bytes + stream.aborted.bytes);
  json["epochs"] = Json::Int64(stream.epochs);
  json["attempts"] = stream.attempts;
  json["seconds"] = std::round(stream.seconds * 1e3) / 1e3;
  json["state_before"] = run.state_before[name];
  json["state_after"] = run.state_after[name];
  json["schema_changes"] = Json::arrayValue;
  for (const auto& change : stream.schema_changes) {
    Json::Value one;
    one["field"] = change.field;
    one["type"] = change.type;
    one["action"] = change.action;
    json["schema_changes"].append(one);
  }
  if (const std::string note = doubling_note(stream, context); !note.empty()) json["note"] = note;
  if (const LaneFailure* failure = failure_of(run, name)) json["error"] = error_json(*failure);
  return json;
}

Json::Value node_json(const Node& node, const NodeFigures& figures) {
  Json::Value json;
  json["id"] = node.id;
  json["use"] = node.use;
  json["rows_in"] = Json::Int64(figures.rows_in.load());
  json["rows_out"] = Json::Int64(figures.rows_out.load());
  json["seconds_busy"] = seconds(figures.busy_ns);
  json["seconds_waiting"] = seconds(figures.waiting_ns);
  for (const auto& [name, amount] : figures.metrics()) json["metrics"][name] = amount;
  return json;
}

std::string state_text(const Json::Value& before, const Json::Value& after) {
  if (after.isNull() && before.isNull()) return "";
  const std::string from = before.isNull() ? "start" : compact_json(before);
  const std::string to = after.isNull() ? "start" : compact_json(after);
  return from == to ? "unchanged" : cut_to_width(from, 30) + " → " + cut_to_width(to, 30);
}

std::string tenths(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

struct Paint {
  bool color;
  Printed operator()(const char* style, const std::string& text) const {
    return color ? Printed::painted(style, Printed(text)) : Printed(text);
  }
};

Table streams_table(const RunOutcome& run, const RunContext& context) {
  Table table({"stream", "read", "written", "rejected", "bytes", "seconds", "state"});
  for (const auto& [name, stream] : context.outcomes()) {
    const StreamCounts& c = stream.committed;
    table.add({name, human_count(c.read + stream.aborted.read), human_count(rows_written(c)),
               human_count(c.rejected + stream.aborted.rejected),
               human_bytes(c.bytes + stream.aborted.bytes), tenths(stream.seconds),
               state_text(run.state_before[name], run.state_after[name])});
  }
  return table;
}

Printed failure_line(const LaneFailure& failure, const Paint& paint) {
  return Printed(paint("31", "failed"), ": ", failure.node.empty() ? "" : failure.node + ": ",
                 failure.message, "\n");
}

// What an operator does about it; empty where the failure's own message says so.
std::string next_step(const RunOutcome& run, const RunContext& context, bool doubles,
                      bool committed) {
  if (doubles && run.exit_code != kExitOk)
    return "take out what this run appended before running it again, or set write: replace";
  switch (run.exit_code) {
    case kExitAuth:
      return "mend the credentials, then `patchbay check` this pipeline";
    case kExitTemporary:
    case kExitPartial:
    case kExitInterrupted:
    case kExitTerminated:
      if (context.options.splits)
        return "run it again; where what it lists has changed since, make the list anew with "
               "`patchbay plan`";
      return committed ? "run it again; it goes on after the last committed rows"
                       : "run it again; nothing of this run is committed";
    case kExitRejects:
      return "mend the rows or allow more with rejects: {max: ..}; the refused epoch is read again";
    case kExitSchema:
      if (context.pipeline.on_schema_change != SchemaPolicy::kFail) return "";
      return "decide with on_schema_change: evolve, ignore or reject; the epoch is read again";
    default:
      return "";
  }
}

}  // namespace

void judge(RunOutcome& run, int signal) {
  const auto& failures = run.result.failures;
  if (signal != 0) {
    run.outcome = "cancelled";
    run.exit_code = signal == SIGTERM ? kExitTerminated : kExitInterrupted;
  } else if (run.failed_early) {
    run.outcome = "failed";
    run.exit_code = run.usage ? int{kExitUsage} : exit_code(run.failure);
  } else if (failures.empty()) {
    run.outcome = "ok";
    run.exit_code = kExitOk;
  } else if (failures.size() < run.result.lanes) {
    run.outcome = "partial";
    run.exit_code = kExitPartial;
  } else {
    run.outcome = failures[0].rejects ? "rejects" : "failed";
    run.exit_code = exit_code(failures[0]);
  }
}

Json::Value report_json(const RunOutcome& run, const RunContext& context) {
  Json::Value json;
  json["run"] = run.run;
  json["pipeline"] = run.pipeline;
  json["environment"] = run.environment;
  json["started"] = iso_time(run.started);
  json["finished"] = iso_time(run.finished);
  json["seconds"] = std::round(run.seconds * 1e3) / 1e3;
  json["outcome"] = run.outcome;
  json["exit_code"] = run.exit_code;
  json["guarantee"] = run.guarantee;
  json["streams"] = Json::arrayValue;
  for (const auto& [name, stream] : context.outcomes())
    json["streams"].append(stream_json(name, stream, run, context));
  json["nodes"] = Json::arrayValue;
  for (size_t i = 0; i < context.pipeline.nodes.size(); ++i) {
    json["nodes"].append(node_json(context.pipeline.nodes[i], context.figures[i]));
  }
  if (run.failed_early) json["error"] = error_json(run.failure);
  if (run.usage) json["error"]["class"] = "usage";
  return json;
}

TextReport report_text(const RunOutcome& run, const RunContext& context, bool color) {
  const Paint paint{color};
  Printed remarks;
  int64_t rejected = 0;
  bool doubles = false, committed = false;
  for (const auto& [name, stream] : context.outcomes()) {
    rejected += stream.committed.rejected + stream.aborted.rejected;
    committed |= stream.committed.read > 0;
    for (const auto& change : stream.schema_changes) {
      remarks.add("schema: ", name, ": new field ", change.field, " (", change.type, ") ",
                  change.action, "\n");
    }
    if (stream.recovered.read > 0) {
      remarks.add(name, ": ", human_count(stream.recovered.read),
                  " of these rows were read by an earlier run, and are committed now\n");
    }
    if (stream.unsettled.read > 0) {
      remarks.add(paint("33", "unsettled"), ": ", name, ": ", human_count(stream.unsettled.read),
                  " more rows are prepared; the next run commits them, and counts them\n");
    }
    const std::string note = doubling_note(stream, context);
    if (!note.empty()) remarks.add(paint("33", "note"), ": ", name, ": ", note, "\n");
    doubles |= !note.empty();
  }
  Printed text(run.pipeline, ": ", paint(run.exit_code == 0 ? "32" : "31", run.outcome), " in ",
               tenths(run.seconds), " s, ", run.guarantee, ", run ", run.run, "\n",
               streams_table(run, context).text({}), remarks);
  if (rejected > 0)
    text.add(paint("33", "rejects"), ": see `patchbay rejects list ", run.pipeline, "`\n");
  Printed failed;
  constexpr size_t kShownFailures = 20;
  const auto& failures = run.result.failures;
  for (size_t i = 0; i < std::min(failures.size(), kShownFailures); ++i)
    failed.add(failure_line(failures[i], paint));
  if (failures.size() > kShownFailures)
    failed.add("and ", std::to_string(failures.size() - kShownFailures), " failures more\n");
  if (run.failed_early) failed.add(failure_line(run.failure, paint));
  const std::string next = next_step(run, context, doubles, committed);
  if (!next.empty()) failed.add("next: ", next, "\n");
  return {std::move(text), std::move(failed)};
}

}  // namespace patchbay::host
