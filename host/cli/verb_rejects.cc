// rejects: rows that were refused, and why.
#include <algorithm>
#include <charconv>
#include <map>

#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "pipeline/units.h"
#include "replay/replay_pipeline.h"
#include "report/json_text.h"
#include "report/ulid.h"
#include "state/run_lock.h"

namespace patchbay::host {
namespace {

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

// One line each, however many there are: nothing is held in memory but in a table.
int list_rejects(Invocation& call, const std::string& pipeline) {
  StateStore& state = call.look(pipeline);
  const std::string run = call.arguments.get("run");
  if (call.json()) {
    Printed before("[\n"), after("[]\n");
    state.rejects(run, 0, [&](const StoredReject& stored) {
      call.print_part(before, reject_json(stored, false));
      before = Printed(",\n");
      after = Printed("\n]\n");
      return true;
    });
    call.print(after);
    return kExitOk;
  }
  constexpr size_t kShown = 1000;
  Table table({"id", "run", "stream", "node", "code", "position", "reason"});
  size_t n = 0;
  state.rejects(run, 0, [&](const StoredReject& stored) {
    const Reject& r = stored.reject;
    if (++n <= kShown) {
      table.add(
          {std::to_string(stored.id), r.run, r.stream, r.node, r.code, r.position_json, r.reason});
    }
    return true;
  });
  call.print(n == 0 ? Printed(pipeline, ": no rejects\n") : table.text(Invocation::terminal()));
  if (n > kShown) {
    call.print(
        Printed("and ", std::to_string(n - kShown),
                " more; `patchbay rejects export` has them all, --run just those of one run\n"));
  }
  return kExitOk;
}

int show_reject(Invocation& call) {
  const std::string& text = call.arguments.positional[0];
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  Json::Value found;
  if (error == std::errc() && end == text.data() + text.size() && id > 0) {
    for (const auto& pipeline : call.recorded_pipelines()) {
      call.look(pipeline).rejects("", id, [&](const StoredReject& stored) {
        found = reject_json(stored, true);
        return false;
      });
    }
  }
  if (found.isNull()) throw UsageError("rejects show: there is no reject " + text);
  call.print_json(found);
  return kExitOk;
}

int export_rejects(Invocation& call, const std::string& pipeline) {
  call.look(pipeline).rejects(call.arguments.get("run"), 0, [&](const StoredReject& stored) {
    call.print_json_line(reject_json(stored, true));
    return true;
  });
  return kExitOk;
}

// "30d", or a time: "2026-01-31", "2026-01-31T06:00:00Z".
std::string time_before(const std::string& text) {
  const bool is_time = text.size() >= 10 && text[4] == '-' && text[7] == '-';
  if (is_time) return text;
  try {
    return iso_time(std::chrono::system_clock::now() - parse_duration("--before", text));
  } catch (const Error& error) {
    throw UsageError(std::string(error.what()) +
                     "; write an age like 30d, or a time like 2026-01-31T06:00:00Z");
  }
}

int clear_rejects(Invocation& call, const std::string& pipeline) {
  const RunLock lock(call.environment().state_folder(), pipeline);
  const std::string before =
      call.arguments.has("before") ? time_before(call.arguments.get("before")) : "";
  const int64_t n = call.state(pipeline).clear_rejects(call.arguments.get("run"), before);
  call.print(
      Printed(pipeline, ": ", std::to_string(n), n == 1 ? " reject" : " rejects", " deleted\n"));
  return kExitOk;
}

// The rejects of one node: those behind it have another replay.
size_t choose_node(Invocation& call, const Pipeline& pipeline,
                   const std::vector<RejectGroup>& groups) {
  std::map<std::string, int64_t> rows;
  for (const auto& group : groups) rows[group.node] += group.rows;
  const std::string given = call.arguments.get("node", rows.begin()->first);
  if (!rows.contains(given) || (rows.size() > 1 && !call.arguments.has("node"))) {
    std::string list;
    for (const auto& [node, n] : rows)
      list += (list.empty() ? "" : ", ") + node + " (" + std::to_string(n) + ")";
    throw UsageError("rejects replay: there are rejects of " + list + "; say which with --node");
  }
  for (size_t i = 0; i < pipeline.nodes.size(); ++i) {
    if (pipeline.nodes[i].id == given) return i;
  }
  throw UsageError("rejects replay: " + pipeline.name + " has no node " + given + " any more");
}

int replay_rejects(Invocation& call) {
  const RunClock clock = call.clock();
  const Pipeline pipeline = call.pipeline(0, clock);
  StateStore& state = call.look(pipeline.name);
  if (!state.unfinished().empty()) {
    throw Error(Code::kConfig, "rejects replay: the last run of " + pipeline.name +
                                   " did not come to its end; run it first");
  }
  std::vector<RejectGroup> groups = state.reject_groups(call.arguments.get("run"));
  if (groups.empty()) {
    Json::Value nothing;
    nothing["pipeline"] = pipeline.name;
    nothing["outcome"] = "ok";
    nothing["exit_code"] = kExitOk;
    nothing["streams"] = Json::arrayValue;
    if (call.json()) {
      call.print_json(nothing);
    } else {
      call.print(Printed(pipeline.name, ": no rejects that can be replayed\n"));
    }
    return kExitOk;
  }
  const size_t node = choose_node(call, pipeline, groups);
  std::erase_if(groups, [&](const auto& one) { return one.node != pipeline.nodes[node].id; });
  if (std::any_of(groups.begin(), groups.end(),
                  [](const auto& one) { return one.schema_json.empty(); })) {
    throw Error(Code::kConfig,
                "rejects replay: some were kept by an older patchbay, which did not note their "
                "columns; name a later run with --run, or export them");
  }
  return run_replay(call, clock, replay_pipeline(pipeline, node, call.arguments.has("overwrite")),
                    std::move(groups));
}

}  // namespace

int verb_rejects(Invocation& call) {
  const std::string& verb = call.arguments.subcommand;
  if (verb == "show") return show_reject(call);
  if (verb == "replay") return replay_rejects(call);
  const std::string pipeline = call.recorded_name(0);
  if (verb == "list") return list_rejects(call, pipeline);
  return verb == "clear" ? clear_rejects(call, pipeline) : export_rejects(call, pipeline);
}

}  // namespace patchbay::host
