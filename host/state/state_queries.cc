// What the state store is asked; what changes it is in state_store.cc.
#include "report/json_text.h"
#include "state/state_store.h"

namespace patchbay::host {
namespace {

PreparedSink parse_sink(const Json::Value& json) {
  PreparedSink sink{json["node"].asString(), json["txn"].asString(), {}};
  for (const auto& token : json["tokens"]) sink.tokens.push_back(from_hex(token.asString()));
  return sink;
}

RunSummary read_run(const Statement& row) {
  return {{row.text(0), row.text(1), row.text(2), row.text(3)},
          row.text(4),
          row.text(5),
          static_cast<int>(row.integer(6)),
          row.text(7)};
}

}  // namespace

std::vector<RunSummary> StateStore::runs(const std::string& pipeline, size_t limit) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT run, pipeline, environment, started, finished, outcome, exit_code, report FROM runs "
      "WHERE ?1 = '' OR pipeline = ?1 ORDER BY run DESC LIMIT ?2");
  query.bind(1, pipeline).bind(2, static_cast<int64_t>(limit));
  std::vector<RunSummary> out;
  while (query.step()) out.push_back(read_run(query));
  return out;
}

std::optional<RunSummary> StateStore::find_run(const std::string& run) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT run, pipeline, environment, started, finished, outcome, exit_code, report FROM runs "
      "WHERE run = ?");
  query.bind(1, run);
  return query.step() ? std::optional(read_run(query)) : std::nullopt;
}

std::vector<UnfinishedEpoch> StateStore::unfinished(const std::string& pipeline) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT lane, epoch, phase, txns, record FROM epochs WHERE pipeline = ? "
      "AND phase IN ('begun', 'recorded') ORDER BY lane, epoch");
  query.bind(1, pipeline);
  std::vector<UnfinishedEpoch> out;
  while (query.step()) {
    UnfinishedEpoch epoch{
        query.text(0), static_cast<uint64_t>(query.integer(1)), query.text(2) == "recorded", {}};
    const Json::Value json = parse_json_text(epoch.recorded ? query.text(4) : query.text(3));
    for (const auto& sink : epoch.recorded ? json["sinks"] : json)
      epoch.sinks.push_back(parse_sink(sink));
    out.push_back(std::move(epoch));
  }
  return out;
}

std::vector<SplitState> StateStore::states(const std::string& pipeline) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT split, stream, state, done FROM states WHERE pipeline = ? ORDER BY split");
  query.bind(1, pipeline);
  std::vector<SplitState> out;
  while (query.step())
    out.push_back({query.text(0), query.text(1), query.text(2), query.integer(3) != 0});
  return out;
}

Json::Value StateStore::stream_states(const std::string& pipeline) {
  std::map<std::string, std::vector<SplitState>> by_stream;
  for (auto& state : states(pipeline)) by_stream[state.stream].push_back(std::move(state));
  Json::Value out(Json::objectValue);
  for (const auto& [stream, splits] : by_stream) {
    const auto value = [](const SplitState& s) {
      return s.state_json.empty() ? Json::Value(s.done ? "done" : "")
                                  : parse_json_text(s.state_json);
    };
    if (splits.size() == 1 && !splits[0].done) {
      out[stream] = value(splits[0]);
      continue;
    }
    for (const auto& split : splits) out[stream][split.split] = value(split);
  }
  return out;
}

std::vector<HistoryEntry> StateStore::history(const std::string& pipeline,
                                              const std::string& stream, size_t limit) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT run, stream, split, state, at FROM history WHERE pipeline = ?1 AND "
      "(?2 = '' OR stream = ?2) ORDER BY id DESC LIMIT ?3");
  query.bind(1, pipeline).bind(2, stream).bind(3, static_cast<int64_t>(limit));
  std::vector<HistoryEntry> out;
  while (query.step()) {
    out.push_back({query.text(0), query.text(1), query.text(2), query.text(3), query.text(4)});
  }
  return out;
}

std::vector<KnownField> StateStore::known_fields(const std::string& pipeline,
                                                 const std::string& stream) {
  const Guard lock(mutex_);
  auto query =
      db_.prepare("SELECT stream, path, type FROM known_fields WHERE pipeline = ? AND stream = ?");
  query.bind(1, pipeline).bind(2, stream);
  std::vector<KnownField> out;
  while (query.step()) out.push_back({query.text(0), query.text(1), query.text(2)});
  return out;
}

std::vector<std::string> StateStore::pipelines() {
  const Guard lock(mutex_);
  auto query =
      db_.prepare("SELECT pipeline FROM runs UNION SELECT pipeline FROM states ORDER BY 1");
  std::vector<std::string> out;
  while (query.step()) out.push_back(query.text(0));
  return out;
}

void StateStore::rejects(const std::string& pipeline, const std::string& run, int64_t id,
                         const std::function<bool(const StoredReject&)>& take) {
  const Guard lock(mutex_);
  auto query = db_.prepare(
      "SELECT id, run, pipeline, lane, epoch, stream, node, code, reason, position, record, kept "
      "FROM rejects "
      "WHERE (?1 = '' OR pipeline = ?1) AND (?2 = '' OR run = ?2) AND (?3 = 0 OR id = ?3) ORDER BY "
      "id");
  query.bind(1, pipeline).bind(2, run).bind(3, id);
  while (query.step()) {
    const StoredReject stored{
        query.integer(0),
        {query.text(1), query.text(2), query.text(3), static_cast<uint64_t>(query.integer(4)),
         query.text(5), query.text(6), query.text(7), query.text(8), query.text(9), query.text(10)},
        query.integer(11) != 0};
    if (!take(stored)) return;
  }
}

}  // namespace patchbay::host
