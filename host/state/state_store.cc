#include "state/state_store.h"

#include <json/reader.h>
#include <json/writer.h>
#include <sys/stat.h>

#include <iterator>

#include "report/json_text.h"
#include "state/layout.h"
#include "state/state_dir.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPendingRejects = 1000;
constexpr int kKeptRuns = 1000;
constexpr int kKeptHistory = 1000;

std::string file_in(const fs::path& dir) {
  prepare_state_dir(dir);
  return (dir / "state.db").string();
}

Json::Value tokens_json(const PreparedSink& sink) {
  Json::Value out;
  out["node"] = sink.node;
  out["txn"] = sink.txn;
  out["tokens"] = Json::arrayValue;
  for (const auto& token : sink.tokens) out["tokens"].append(to_hex(token));
  return out;
}

Json::Value record_json(const EpochRecord& record) {
  Json::Value out;
  out["sinks"] = Json::arrayValue;
  for (const auto& sink : record.sinks) out["sinks"].append(tokens_json(sink));
  out["states"] = Json::arrayValue;
  for (const auto& state : record.states) {
    Json::Value one;
    one["split"] = state.split;
    one["stream"] = state.stream;
    one["state"] = state.state_json;
    one["done"] = state.done;
    out["states"].append(one);
  }
  out["fields"] = Json::arrayValue;
  for (const auto& field : record.fields) {
    Json::Value one;
    one["stream"] = field.stream;
    one["path"] = field.path;
    one["type"] = field.type;
    out["fields"].append(one);
  }
  out["counts"] = record.counts;
  return out;
}

std::vector<SplitState> parse_states(const Json::Value& record) {
  std::vector<SplitState> states;
  for (const auto& one : record["states"]) {
    states.push_back({one["split"].asString(), one["stream"].asString(), one["state"].asString(),
                      one["done"].asBool()});
  }
  return states;
}

}  // namespace

StateStore::StateStore(const fs::path& dir, FaultHook& faults)
    : faults_(faults),
      db_(file_in(dir), OpenMode::kCreate,
          {". Restore it from a backup; without one, move it away and say where the sources start "
           "with `patchbay state "
           "set`",
           "; check its folder and permissions, or choose another with --state-dir"}) {
  db_.execute("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON");
  chmod((dir / "state.db").c_str(), 0600);
  migrate();
}

void StateStore::migrate() {
  constexpr int64_t kVersion = std::size(kLayout);
  const auto version = [&] {
    auto query = db_.prepare("PRAGMA user_version");
    query.step();
    return query.integer(0);
  };
  if (version() == kVersion) return;
  Transaction transaction(db_);
  const int64_t found = version();
  if (found > kVersion) {
    throw Error(Code::kConfig, db_.file() + ": was written by a newer patchbay (layout " +
                                   std::to_string(found) + ", this one knows " +
                                   std::to_string(kVersion) + "); upgrade patchbay");
  }
  for (int64_t i = found; i < kVersion; ++i) db_.execute(kLayout[i]);
  db_.execute(("PRAGMA user_version = " + std::to_string(kVersion)).c_str());
  transaction.commit();
}

template <class Work>
void StateStore::transaction(std::string_view step, Work&& work) {
  faults_.step(std::string(step) + ".before");
  Transaction transaction(db_);
  work();
  transaction.commit();
  faults_.step(std::string(step) + ".after");
}

void StateStore::begin_run(const RunInfo& run, bool alone) {
  const Guard lock(mutex_);
  transaction("state.begin_run", [&] {
    if (alone) {
      db_.prepare("UPDATE runs SET outcome = 'crashed' WHERE pipeline = ? AND outcome = 'running'")
          .bind(1, run.pipeline)
          .run();
    }
    db_.prepare(
           "INSERT INTO runs (run, pipeline, environment, started, outcome) VALUES (?, ?, ?, ?, "
           "'running')")
        .bind(1, run.run)
        .bind(2, run.pipeline)
        .bind(3, run.environment)
        .bind(4, run.started)
        .run();
  });
}

void StateStore::finish_run(const std::string& run, const std::string& finished,
                            const std::string& outcome, int exit_code,
                            const std::string& report_json) {
  const Guard lock(mutex_);
  transaction("state.finish_run", [&] {
    db_.prepare(
           "UPDATE runs SET finished = ?, outcome = ?, exit_code = ?, report = ? WHERE run = ?")
        .bind(1, finished)
        .bind(2, outcome)
        .bind(3, int64_t{exit_code})
        .bind(4, report_json)
        .bind(5, run)
        .run();
    db_.prepare(
           "DELETE FROM runs WHERE run IN (SELECT run FROM runs ORDER BY run DESC LIMIT -1 OFFSET "
           "?)")
        .bind(1, int64_t{kKeptRuns})
        .run();
    db_.prepare(
           "DELETE FROM epochs WHERE phase IN ('committed', 'aborted') AND run <> ? AND epoch < "
           "(SELECT max(epoch) FROM epochs e WHERE e.pipeline = epochs.pipeline AND e.lane = "
           "epochs.lane)")
        .bind(1, run)
        .run();
  });
}

uint64_t StateStore::begin_epoch(const EpochBegin& begin) {
  const Guard lock(mutex_);
  Json::Value txns(Json::arrayValue);
  for (const auto& txn : begin.txns) txns.append(tokens_json({txn.node, txn.txn, {}}));
  int64_t epoch = 0;
  transaction("state.begin_epoch", [&] {
    {
      auto last =
          db_.prepare("SELECT coalesce(max(epoch), 0) FROM epochs WHERE pipeline = ? AND lane = ?");
      last.bind(1, begin.pipeline).bind(2, begin.lane).step();
      epoch = last.integer(0) + 1;
    }
    db_.prepare(
           "INSERT INTO epochs (pipeline, lane, epoch, run, phase, txns) VALUES (?, ?, ?, ?, "
           "'begun', ?)")
        .bind(1, begin.pipeline)
        .bind(2, begin.lane)
        .bind(3, epoch)
        .bind(4, begin.run)
        .bind(5, compact_json(txns))
        .run();
  });
  return static_cast<uint64_t>(epoch);
}

void StateStore::record_epoch(const EpochRecord& record) {
  const Guard lock(mutex_);
  transaction("state.record", [&] {
    flush_rejects();
    db_.prepare("UPDATE rejects SET kept = 1 WHERE pipeline = ? AND lane = ? AND epoch = ?")
        .bind(1, record.pipeline)
        .bind(2, record.lane)
        .bind(3, static_cast<int64_t>(record.epoch))
        .run();
    db_.prepare(
           "UPDATE epochs SET phase = 'recorded', record = ? WHERE pipeline = ? AND lane = ? AND "
           "epoch = ?")
        .bind(1, compact_json(record_json(record)))
        .bind(2, record.pipeline)
        .bind(3, record.lane)
        .bind(4, static_cast<int64_t>(record.epoch))
        .run();
  });
}

void StateStore::apply_states(const EpochRecord& record) {
  for (const auto& state : record.states) {
    db_.prepare(
           "INSERT INTO states (pipeline, split, stream, state, done) VALUES (?, ?, ?, ?, ?) "
           "ON CONFLICT (pipeline, split) DO UPDATE SET stream = excluded.stream, state = "
           "excluded.state, "
           "done = excluded.done")
        .bind(1, record.pipeline)
        .bind(2, state.split)
        .bind(3, state.stream)
        .bind(4, state.state_json)
        .bind(5, int64_t{state.done})
        .run();
    db_.prepare("INSERT INTO history (pipeline, split, stream, state, run) VALUES (?, ?, ?, ?, ?)")
        .bind(1, record.pipeline)
        .bind(2, state.split)
        .bind(3, state.stream)
        .bind(4, state.state_json)
        .bind(5, record.run)
        .run();
    db_.prepare(
           "DELETE FROM history WHERE pipeline = ?1 AND stream = ?2 AND id <= "
           "(SELECT id FROM history WHERE pipeline = ?1 AND stream = ?2 ORDER BY id DESC LIMIT 1 "
           "OFFSET ?3)")
        .bind(1, record.pipeline)
        .bind(2, state.stream)
        .bind(3, int64_t{kKeptHistory})
        .run();
  }
  for (const auto& field : record.fields) {
    db_.prepare(
           "INSERT OR IGNORE INTO known_fields (pipeline, stream, path, type) VALUES (?, ?, ?, ?)")
        .bind(1, record.pipeline)
        .bind(2, field.stream)
        .bind(3, field.path)
        .bind(4, field.type)
        .run();
  }
}

void StateStore::committed(const std::string& pipeline, const std::string& lane, uint64_t epoch) {
  const Guard lock(mutex_);
  transaction("state.committed", [&] {
    EpochRecord record;
    {
      auto query = db_.prepare(
          "SELECT run, record FROM epochs WHERE pipeline = ? AND lane = ? AND epoch = ?");
      query.bind(1, pipeline).bind(2, lane).bind(3, static_cast<int64_t>(epoch)).step();
      const Json::Value json = parse_json_text(query.text(1));
      record = {query.text(0), pipeline, lane, epoch, parse_states(json), {}, {}, {}};
      for (const auto& field : json["fields"]) {
        record.fields.push_back(
            {field["stream"].asString(), field["path"].asString(), field["type"].asString()});
      }
    }
    apply_states(record);
    db_.prepare(
           "UPDATE epochs SET phase = 'committed', record = NULL WHERE pipeline = ? AND lane = ? "
           "AND epoch = ?")
        .bind(1, pipeline)
        .bind(2, lane)
        .bind(3, static_cast<int64_t>(epoch))
        .run();
  });
}

void StateStore::aborted(const std::string& pipeline, const std::string& lane, uint64_t epoch,
                         bool keep_rejects) {
  const Guard lock(mutex_);
  transaction("state.aborted", [&] {
    flush_rejects();
    if (!keep_rejects) {
      db_.prepare("DELETE FROM rejects WHERE pipeline = ? AND lane = ? AND epoch = ?")
          .bind(1, pipeline)
          .bind(2, lane)
          .bind(3, static_cast<int64_t>(epoch))
          .run();
    }
    db_.prepare(
           "UPDATE epochs SET phase = 'aborted', record = NULL WHERE pipeline = ? AND lane = ? AND "
           "epoch = ?")
        .bind(1, pipeline)
        .bind(2, lane)
        .bind(3, static_cast<int64_t>(epoch))
        .run();
  });
}

void StateStore::set_state(const std::string& pipeline, const std::string& stream,
                           const std::string& state_json) {
  std::vector<SplitState> matching;
  for (auto& state : states(pipeline)) {
    if (state.stream == stream) matching.push_back(std::move(state));
  }
  if (matching.size() > 1) {
    throw Error(Code::kConfig, "state set: " + stream + " is read in " +
                                   std::to_string(matching.size()) + " splits; reset it instead");
  }
  const Guard lock(mutex_);
  EpochRecord record{"", pipeline, "", 0, {}, {}, {}, {}};
  record.states.push_back(
      {matching.empty() ? "set/" + stream : matching[0].split, stream, state_json, false});
  transaction("state.set", [&] { apply_states(record); });
}

void StateStore::forget(const std::string& pipeline, const std::vector<std::string>& streams) {
  const Guard lock(mutex_);
  transaction("state.forget", [&] {
    if (streams.empty()) {
      db_.prepare("DELETE FROM states WHERE pipeline = ?").bind(1, pipeline).run();
      db_.prepare("DELETE FROM known_fields WHERE pipeline = ?").bind(1, pipeline).run();
    }
    for (const auto& stream : streams) {
      db_.prepare("DELETE FROM states WHERE pipeline = ? AND stream = ?")
          .bind(1, pipeline)
          .bind(2, stream)
          .run();
      db_.prepare("DELETE FROM known_fields WHERE pipeline = ? AND stream = ?")
          .bind(1, pipeline)
          .bind(2, stream)
          .run();
    }
  });
}

bool StateStore::give_up_recorded(const std::string& pipeline) {
  const Guard lock(mutex_);
  bool any = false;
  transaction("state.give_up", [&] {
    auto recorded = db_.prepare(
        "UPDATE epochs SET phase = 'begun' WHERE pipeline = ? AND phase = 'recorded' RETURNING 1");
    any = recorded.bind(1, pipeline).step();
    while (any && recorded.step()) continue;
  });
  return any;
}

void StateStore::flush_rejects() {
  for (const auto& r : pending_rejects_) {
    db_.prepare(
           "INSERT INTO rejects (pipeline, run, lane, epoch, stream, node, code, reason, position, "
           "record, kept) "
           "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)")
        .bind(1, r.pipeline)
        .bind(2, r.run)
        .bind(3, r.lane)
        .bind(4, static_cast<int64_t>(r.epoch))
        .bind(5, r.stream)
        .bind(6, r.node)
        .bind(7, r.code)
        .bind(8, r.reason)
        .bind(9, r.position_json)
        .bind(10, r.row_json)
        .run();
  }
  pending_rejects_.clear();
}

void StateStore::add_reject(const Reject& reject) {
  const Guard lock(mutex_);
  pending_rejects_.push_back(reject);
  if (pending_rejects_.size() < kPendingRejects) return;
  transaction("state.rejects", [&] { flush_rejects(); });
}

}  // namespace patchbay::host
