#include "simulation/facts.h"

#include <algorithm>
#include <limits>

#include "report/json_text.h"
#include "simulation/fates.h"
#include "state/state_store.h"

namespace patchbay::simulation {
namespace {

model::Fate fate_of(const World& world, const PipelineSpec& spec, const TargetSpec& target,
                    const model::Row& facts) {
  using model::Fate;
  const RowData& row = world.row(facts.id);
  const auto says = [&](const std::map<std::string, bool>& by_stream) {
    const auto found = by_stream.find(facts.stream);
    return found != by_stream.end() && found->second;
  };
  if (row.grown && spec.refuses_grown()) return Fate::kRefused;
  if (says(target.drops_of) && is_dropped(row.value)) return Fate::kDropped;
  if (says(target.refuses_of) && is_refused(row.value)) return Fate::kRefused;
  return target.unique ? Fate::kEither : Fate::kKept;
}

model::Sink sink_of(const World& world, const PipelineSpec& spec, const StateFacts& state,
                    const TargetSpec& target) {
  model::Sink sink;
  sink.name = target.sink + "/" + target.table;
  sink.write = target.write;
  sink.joins = target.joins;
  sink.streams = target.streams;
  sink.whole = target.whole;
  sink.fate = [&world, &spec, &target](const model::Row& row) {
    return fate_of(world, spec, target, row);
  };
  const auto& moments = world.sinks().at(target.sink)->moments();
  if (const auto found = moments.find(target.table); found != moments.end())
    sink.moments = found->second;
  for (const auto& [where, n] : state.rejects) {
    const auto& [node, row] = where;
    if (std::find(target.refusers.begin(), target.refusers.end(), node) == target.refusers.end())
      continue;
    const auto& stream = world.row(row).facts.stream;
    if (std::find(target.streams.begin(), target.streams.end(), stream) != target.streams.end())
      sink.refused[row] += n;
  }
  return sink;
}

void add_states(const World& world, host::StateStore& store, StateFacts& facts) {
  store.each_state([&](const host::SplitState& state) {
    if (state.of.node.empty()) return;
    facts.states.push_back({state.of.node + "/" + state.of.stream, state.split,
                            host::parse_json_text(state.state_json)["after"].asInt64()});
  });
  for (const auto& [name, source] : world.sources()) {
    for (const auto& version : store.done_splits(name)) {
      const model::Row& blob = world.row(source->blob_of(version)).facts;
      const std::string stream = blob.stream.substr(0, blob.stream.size() - 1);
      facts.states.push_back({stream, blob.part, blob.order});
      facts.states.push_back({blob.stream, blob.part, blob.order});
    }
  }
}

}  // namespace

StateFacts look_at_state(World& world, const std::string& pipeline) {
  StateFacts facts;
  const Disk::Copy copy = world.disk().copy();
  if (copy.empty()) return facts;
  const Disk::Instead instead(world.disk(), copy);
  host::FaultHook faults(nullptr);
  host::StateStore store(kStateDir, pipeline, faults);
  store.rejects("", 0, [&](const host::StoredReject& reject) {
    const auto row = host::parse_json_text(reject.reject.row_json)["id"].asUInt64();
    if (reject.kept) ++facts.rejects[{reject.reject.node, row}];
    return true;
  });
  add_states(world, store, facts);
  for (const auto& epoch : store.unfinished()) {
    ++facts.unfinished;
    facts.prepared += epoch.phase == host::EpochPhase::kRecorded;
    if (epoch.phase == host::EpochPhase::kRecorded)
      for (const auto& sink : epoch.record.sinks) facts.prepared_sinks.insert(sink.node);
    if (epoch.phase != host::EpochPhase::kBegun) facts.recorded.push_back(epoch.record.epoch);
  }
  facts.next_epoch = store.next_epoch();
  return facts;
}

model::History facts_of(const World& world, const PipelineSpec& spec, const StateFacts& state,
                        const std::vector<model::Run>& runs, const Excuses& excuses) {
  model::History history;
  for (const auto& row : world.rows()) history.rows.push_back(row.facts);
  history.runs = runs;
  for (const auto& target : spec.targets) {
    history.sinks.push_back(sink_of(world, spec, state, target));
    if (const auto found = excuses.find(target.sink); found != excuses.end())
      history.sinks.back().excused = found->second;
  }
  return history;
}

model::Report report_of(const RunResult& result) {
  model::Report report;
  report.ok = result.outcome == "ok";
  for (const auto& stream : result.report["streams"]) {
    if (stream["stream"].asString() == "joined") continue;  // a transform made it
    report.counts.push_back({stream["stream"].asString(), stream["rows_read"].asInt64(),
                             stream["rows_written"].asInt64(), stream["rows_rejected"].asInt64(),
                             stream["rows_dropped"].asInt64(), stream["rows_aborted"].asInt64(),
                             stream["rows_unsettled"].asInt64()});
  }
  return report;
}

model::Faults check_values(const World& world, const PipelineSpec& spec) {
  model::Faults faults;
  const bool evolves = spec.settings["on_schema_change"].asString() == "evolve";
  for (const auto& target : spec.targets) {
    if (target.table.empty() || target.joins) continue;
    for (const auto& row : world.sinks().at(target.sink)->rows(target.table)) {
      const RowData& was = world.row(row.id);
      const bool grown = was.grown && evolves;
      if (row.value == was.value && row.key == was.facts.key && row.grown.has_value() == grown)
        continue;
      faults.push_back(target.sink + ": row " + std::to_string(row.id) +
                       " did not arrive as it was");
    }
  }
  return faults;
}

}  // namespace patchbay::simulation
