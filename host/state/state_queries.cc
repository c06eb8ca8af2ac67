// What the state store is asked; what changes it is in state_store.cc.
#include <map>

#include "report/json_text.h"
#include "state/record_json.h"
#include "state/state_dir.h"
#include "state/state_store.h"
#include "sync/planted.h"

namespace patchbay::host {
namespace {

EpochPhase phase_of(const std::string& name) {
  if (name == "recorded") return EpochPhase::kRecorded;
  return name == "discarded" ? EpochPhase::kDiscarded : EpochPhase::kBegun;
}

std::vector<StreamState> streams_in(Database& db) {
  auto query = db.compile(
      "SELECT node, streams.stream, identity, (SELECT count(*) FROM states WHERE states.stream = "
      "no), (SELECT count(*) FROM done WHERE done.stream = no) FROM streams ORDER BY node, "
      "streams.stream");
  std::vector<StreamState> out;
  while (query.step()) {
    StreamState one{
        {query.text(0), query.text(1)}, query.text(2), query.integer(3), query.integer(4)};
    if (one.states + one.done > 0) out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

std::vector<RunSummary> StateStore::runs(size_t limit) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT run, environment, started, finished, outcome, exit_code, report FROM runs ORDER BY "
      "rowid DESC LIMIT ?");
  query.bind(1, static_cast<int64_t>(limit));
  std::vector<RunSummary> out;
  while (query.step()) {
    out.push_back({{query.text(0), pipeline_, query.text(1), query.text(2)},
                   query.text(3),
                   query.text(4),
                   static_cast<int>(query.integer(5)),
                   query.text(6)});
  }
  return out;
}

std::optional<RunSummary> StateStore::find_run(const std::string& run) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT run, environment, started, finished, outcome, exit_code, report FROM runs WHERE run "
      "= ?");
  query.bind(1, run);
  if (!query.step()) return std::nullopt;
  return RunSummary{{query.text(0), pipeline_, query.text(1), query.text(2)},
                    query.text(3),
                    query.text(4),
                    static_cast<int>(query.integer(5)),
                    query.text(6)};
}

bool StateStore::has_only_runs() {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT EXISTS (SELECT 1 FROM states) + EXISTS (SELECT 1 FROM done) + EXISTS (SELECT 1 FROM "
      "given) + EXISTS (SELECT 1 FROM epochs) + EXISTS (SELECT 1 FROM rejects)");
  query.step();
  return query.integer(0) == 0;
}

uint64_t StateStore::next_epoch() {
  const Guard lock(mutex_);
  auto query = db_.prepare("SELECT next_epoch FROM store");
  query.step();
  return static_cast<uint64_t>(query.integer(0));
}

uint64_t StateStore::settled() {
  if (PLANTED(settled_too_early)) return next_epoch() - 1;
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT coalesce((SELECT min(epoch) FROM epochs), (SELECT next_epoch FROM store)) - 1");
  query.step();
  return static_cast<uint64_t>(query.integer(0));
}

std::vector<UnfinishedEpoch> StateStore::unfinished() {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT epoch, lane, run, phase, txns, record, discard FROM epochs ORDER BY epoch");
  std::vector<UnfinishedEpoch> out;
  while (query.step()) {
    UnfinishedEpoch epoch{phase_of(query.text(3)), {}};
    if (epoch.phase == EpochPhase::kBegun) {
      epoch.record.sinks = parse_txns(query.text(4));
    } else {
      epoch.record = parse_record(query.text(5));
      if (!query.is_null(6)) epoch.record.discard = parse_json_text(query.text(6));
    }
    epoch.record.epoch = static_cast<uint64_t>(query.integer(0));
    epoch.record.lane = query.text(1);
    epoch.record.run = query.text(2);
    out.push_back(std::move(epoch));
  }
  return out;
}

std::optional<Delivered> StateStore::delivered(const std::string& node) {
  const Guard lock(mutex_);
  auto query = db_.prepare("SELECT epoch, place, keeps_books FROM delivered WHERE node = ?");
  query.bind(1, node);
  if (!query.step()) return std::nullopt;
  return Delivered{static_cast<uint64_t>(query.integer(0)), query.text(1), query.integer(2) != 0};
}

std::string StateStore::state(const StreamRef& of, const std::string& split,
                              const std::string& run) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT state FROM states WHERE stream = (SELECT no FROM streams WHERE node = ? AND stream = "
      "?) AND split = ? AND ?4 IN ('', run)");
  query.bind(1, of.node).bind(2, of.stream).bind(3, split).bind(4, run);
  return query.step() ? query.text(0) : "";
}

bool StateStore::is_done(const StreamRef& of, const std::string& split, const std::string& run) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT 1 FROM done WHERE stream = (SELECT no FROM streams WHERE node = ? AND stream = ?) "
      "AND split = ? AND ?4 IN ('', run)");
  return query.bind(1, of.node).bind(2, of.stream).bind(3, split).bind(4, run).step();
}

bool StateStore::is_done_at(const std::string& node, const std::string& split) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT 1 FROM done WHERE split = ?2 AND stream IN (SELECT no FROM streams WHERE node = ?1)");
  return query.bind(1, node).bind(2, split).step();
}

DoneSplits StateStore::done_splits(const std::string& node) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT split FROM streams JOIN done ON done.stream = streams.no WHERE streams.node = ?");
  query.bind(1, node);
  DoneSplits out;
  while (query.step()) out.emplace(query.bytes(0));
  return out;
}

std::vector<StreamState> StateStore::streams() {
  const Guard lock(mutex_);
  return streams_in(db_);
}

void StateStore::each_neighbour(
    const std::function<bool(const std::string&, const StreamState&)>& take) const {
  for (const auto& name : pipelines_with_state(dir_)) {
    if (name == pipeline_) continue;
    std::vector<StreamState> streams;
    try {
      Database file(state_file(dir_, name).string(), OpenMode::kReadOnly);
      streams = streams_in(file);
      auto recorded = file.compile("SELECT record FROM epochs WHERE phase = 'recorded'");
      while (recorded.step()) {
        for (const auto& one : parse_record(recorded.text(0)).identities)
          streams.push_back({one.of, one.identity_json});
      }
    } catch (const Error&) {
      continue;
    }
    for (const auto& stream : streams) {
      if (!take(name, stream)) return;
    }
  }
}

void StateStore::each_state(const std::function<void(const SplitState&)>& take) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT node, streams.stream, split, state FROM states JOIN streams ON no = states.stream "
      "ORDER BY node, streams.stream, split");
  while (query.step())
    take({{query.text(0), query.text(1)}, query.text(2), query.text(3), false, false});
  auto given = db_.prepare("SELECT stream, state FROM given");
  while (given.step()) take({{"", given.text(0)}, "", given.text(1), false, false});
}

Json::Value StateStore::stream_states() {
  std::map<std::string, std::vector<SplitState>> by_stream;
  each_state([&](const SplitState& state) {
    auto& splits = by_stream[state.of.stream];
    if (splits.empty() || !state.of.node.empty()) splits.push_back(state);
  });
  Json::Value out(Json::objectValue);
  for (const auto& [stream, splits] : by_stream) {
    if (splits.size() == 1) {
      out[stream] = parse_json_text(splits[0].state_json);
      continue;
    }
    for (const auto& split : splits) out[stream][split.split] = parse_json_text(split.state_json);
  }
  for (const auto& stream : streams()) {
    if (stream.done == 0) continue;
    Json::Value& entry = out[stream.of.stream];
    if (!entry.isNull() && !entry.isObject()) continue;
    entry["done"] = Json::Int64(entry["done"].asInt64() + stream.done);
  }
  return out;
}

std::optional<std::string> StateStore::given_state(const std::string& stream) {
  const Guard lock(mutex_);
  auto query = db_.prepare("SELECT state FROM given WHERE stream = ?");
  return query.bind(1, stream).step() ? std::optional(query.text(0)) : std::nullopt;
}

std::vector<HistoryEntry> StateStore::history(const std::string& stream, size_t limit) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT run, stream, split, state, at FROM history WHERE ?1 = '' OR stream = ?1 ORDER BY id "
      "DESC LIMIT ?2");
  query.bind(1, stream).bind(2, static_cast<int64_t>(limit));
  std::vector<HistoryEntry> out;
  while (query.step()) {
    out.push_back({query.text(0), query.text(1), query.text(2), query.text(3), query.text(4)});
  }
  return out;
}

std::vector<KnownField> StateStore::known_fields(const std::string& stream) {
  const Guard lock(mutex_);
  auto query = db_.prepare("SELECT stream, path, type FROM known_fields WHERE stream = ?");
  query.bind(1, stream);
  std::vector<KnownField> out;
  while (query.step()) out.push_back({query.text(0), query.text(1), query.text(2)});
  return out;
}

}  // namespace patchbay::host
