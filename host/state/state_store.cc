#include "state/state_store.h"

#include <sys/stat.h>

#include <iterator>

#include "report/json_text.h"
#include "report/ulid.h"
#include "state/layout.h"
#include "state/legacy_state.h"
#include "state/record_json.h"
#include "state/state_dir.h"
#include "sync/planted.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr int kKeptRuns = 1000;
constexpr int kKeptHistory = 1000;
// Ids of rejects are unique in a state directory: each pipeline has as many to itself.
constexpr int64_t kRejectsPerPipeline = 1'000'000'000;

std::string file_to_open(const fs::path& dir, const std::string& pipeline, StateStore::Open open) {
  const fs::path file = state_file(dir, pipeline);
  std::error_code gone;
  if (open == StateStore::Open::kLook && !fs::exists(file, gone) &&
      !fs::exists(dir / "state.db", gone))
    return ":memory:";
  prepare_state_dir(dir);
  prepare_state_dir(file.parent_path());
  return file.string();
}

}  // namespace

StateStore::StateStore(const fs::path& dir, const std::string& pipeline, FaultHook& faults,
                       Open open)
    : dir_(dir),
      faults_(faults),
      pipeline_(pipeline),
      db_(file_to_open(dir, pipeline, open), OpenMode::kCreate,
          {". Restore it from a backup; without one, move it away and say where the sources start "
           "with `patchbay state set`",
           "; check its folder and permissions, or choose another with --state-dir"}) {
  db_.execute("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON");
  if (PLANTED(fsync_is_missing)) db_.execute("PRAGMA synchronous=OFF");
  if (db_.file() != ":memory:") chmod(db_.file().c_str(), 0600);
  migrate(dir);
  auto query = db_.prepare("SELECT id FROM store");
  query.step();
  id_ = query.text(0);
}

void StateStore::migrate(const fs::path& dir) {
  constexpr int64_t kVersion = kFirstVersion - 1 + std::size(kLayout);
  const auto version = [&] {
    auto query = db_.prepare("PRAGMA user_version");
    query.step();
    return query.integer(0);
  };
  if (version() == kVersion) return;
  // Outside of the transaction: it has a file of its own.
  const int64_t number = db_.file() == ":memory:" ? 0 : number_of_pipeline(dir, pipeline_);
  Transaction transaction(db_);
  const int64_t found = version();
  if (found > kVersion) {
    throw Error(Code::kConfig, db_.file() + ": was written by a newer patchbay (layout " +
                                   std::to_string(found) + ", this one knows " +
                                   std::to_string(kVersion) + "); upgrade patchbay");
  }
  for (int64_t i = found == 0 ? 0 : found - kFirstVersion + 1;
       i < static_cast<int64_t>(std::size(kLayout)); ++i)
    db_.execute(kLayout[i]);
  if (found == 0) {
    db_.prepare("INSERT INTO store (id, pipeline, next_epoch) VALUES (?, ?, 1)")
        .bind(1, make_ulid(sync::wall_now()))
        .bind(2, pipeline_)
        .run();
    db_.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('rejects', ?)")
        .bind(1, number * kRejectsPerPipeline)
        .run();
    if (!is_moved_away(dir, pipeline_)) import_legacy_state(dir, pipeline_, db_);
  }
  db_.execute("PRAGMA user_version = " + std::to_string(kVersion));
  transaction.commit();
}

void StateStore::begin_run(const RunInfo& run, bool alone) {
  const Guard lock(mutex_);
  transaction("state.begin_run", [&] {
    if (alone) {
      db_.prepare("UPDATE runs SET outcome = 'crashed' WHERE outcome = 'running'").run();
      db_.prepare("DELETE FROM claims").run();
    }
    db_.prepare("INSERT INTO runs (run, environment, started, outcome) VALUES (?, ?, ?, 'running')")
        .bind(1, run.run)
        .bind(2, run.environment)
        .bind(3, run.started)
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
           "DELETE FROM runs WHERE rowid IN (SELECT rowid FROM runs ORDER BY rowid DESC LIMIT -1 "
           "OFFSET ?)")
        .bind(1, int64_t{kKeptRuns})
        .run();
  });
}

int64_t StateStore::clear_runs(const std::string& before) {
  const Guard lock(mutex_);
  int64_t n = 0;
  transaction("state.clear_runs", [&] {
    auto gone = db_.prepare(
        "DELETE FROM runs WHERE started < ? AND rowid <> (SELECT max(rowid) FROM runs) RETURNING "
        "1");
    gone.bind(1, before);
    while (gone.step()) ++n;
  });
  return n;
}

void StateStore::take_runs(const std::vector<RunSummary>& newest_first) {
  const Guard lock(mutex_);
  transaction("state.take_runs", [&] {
    for (auto run = newest_first.rbegin(); run != newest_first.rend(); ++run) {
      auto put = db_.prepare(
          "INSERT OR IGNORE INTO runs (run, environment, started, finished, outcome, exit_code, "
          "report) VALUES (?, ?, ?, nullif(?, ''), ?, ?, nullif(?, ''))");
      put.bind(1, run->info.run).bind(2, run->info.environment).bind(3, run->info.started);
      put.bind(4, run->finished).bind(5, run->outcome).bind(6, int64_t{run->exit_code});
      put.bind(7, run->report_json).run();
    }
  });
}

uint64_t StateStore::begin_epoch(const EpochBegin& begin) {
  const Guard lock(mutex_);
  int64_t epoch = 0;
  transaction("state.begin_epoch", [&] {
    auto next =
        db_.prepare("UPDATE store SET next_epoch = next_epoch + 1 RETURNING next_epoch - 1");
    next.step();
    epoch = next.integer(0);
    while (next.step()) continue;
    if (PLANTED(begin_is_not_recorded)) return;
    db_.prepare("INSERT INTO epochs (epoch, lane, run, phase, txns) VALUES (?, ?, ?, 'begun', ?)")
        .bind(1, epoch)
        .bind(2, begin.lane)
        .bind(3, begin.run)
        .bind(4, txns_json(begin.txns))
        .run();
  });
  return static_cast<uint64_t>(epoch);
}

void StateStore::record_epoch(const EpochRecord& record) {
  const Guard lock(mutex_);
  transaction("state.record", [&] {
    put_rejects();
    if (PLANTED(rejects_are_kept_twice)) put_rejects();
    db_.prepare("UPDATE rejects SET kept = 1 WHERE epoch = ?")
        .bind(1, static_cast<int64_t>(record.epoch))
        .run();
    db_.prepare("UPDATE epochs SET phase = 'recorded', record = ? WHERE epoch = ?")
        .bind(1, record_json(record))
        .bind(2, static_cast<int64_t>(record.epoch))
        .run();
  });
  pending_rejects_.clear();
}

int64_t StateStore::stream_number(const StreamRef& of) {
  {
    auto query = db_.prepare("SELECT no FROM streams WHERE node = ? AND stream = ?");
    query.bind(1, of.node).bind(2, of.stream);
    if (query.step()) return query.integer(0);
  }
  db_.prepare("INSERT INTO streams (node, stream) VALUES (?, ?)")
      .bind(1, of.node)
      .bind(2, of.stream)
      .run();
  return db_.last_rowid();
}

void StateStore::apply_state(const SplitState& state, const std::string& run) {
  if (!state.done && state.state_json.empty()) return;  // it has only come to its end
  if (state.of.node == kReplayNode) return delete_replayed(state);
  const int64_t stream = stream_number(state.of);
  if (state.done && PLANTED(done_is_not_kept)) return;
  if (state.done) {
    db_.prepare("INSERT OR REPLACE INTO done (stream, split, run) VALUES (?, ?, ?)")
        .bind(1, stream)
        .bind(2, state.split)
        .bind(3, run)
        .run();
    db_.prepare("DELETE FROM states WHERE stream = ? AND split = ?")
        .bind(1, stream)
        .bind(2, state.split)
        .run();
  } else {
    db_.prepare("INSERT OR REPLACE INTO states (stream, split, state, run) VALUES (?, ?, ?, ?)")
        .bind(1, stream)
        .bind(2, state.split)
        .bind(3, state.state_json)
        .bind(4, run)
        .run();
  }
  // What was said of the stream has come true.
  db_.prepare("DELETE FROM given WHERE stream = ?").bind(1, state.of.stream).run();
  db_.prepare("INSERT INTO history (stream, split, state, run) VALUES (?, ?, ?, ?)")
      .bind(1, state.of.stream)
      .bind(2, state.of.node + "/" + state.split)
      .bind(3, state.state_json)
      .bind(4, run)
      .run();
  db_.prepare(
         "DELETE FROM history WHERE stream = ?1 AND id <= (SELECT id FROM history WHERE stream = "
         "?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)")
      .bind(1, state.of.stream)
      .bind(2, int64_t{kKeptHistory})
      .run();
}

void StateStore::apply(const EpochRecord& record) {
  for (const auto& of : record.refreshed) {
    const int64_t stream = stream_number(of);
    db_.prepare("DELETE FROM states WHERE stream = ? AND run <> ?")
        .bind(1, stream)
        .bind(2, record.run)
        .run();
    db_.prepare("DELETE FROM done WHERE stream = ? AND run <> ?")
        .bind(1, stream)
        .bind(2, record.run)
        .run();
  }
  for (const auto& one : record.identities) {
    db_.prepare("UPDATE streams SET identity = ? WHERE no = ?")
        .bind(1, one.identity_json)
        .bind(2, stream_number(one.of))
        .run();
  }
  for (const auto& sink : record.sinks) {
    if (sink.place.empty()) continue;  // of a version that did not say
    db_.prepare(
           "INSERT INTO delivered (node, place, epoch) VALUES (?1, ?2, ?3) ON CONFLICT (node) DO"
           " UPDATE SET keeps_books = keeps_books AND place = ?2, place = ?2,"
           " epoch = CASE place WHEN ?2 THEN max(epoch, ?3) ELSE ?3 END")
        .bind(1, sink.node)
        .bind(2, sink.place)
        .bind(3, static_cast<int64_t>(record.epoch))
        .run();
  }
  for (const auto& state : record.states) apply_state(state, record.run);
  for (const auto& field : record.fields) {
    db_.prepare("INSERT OR IGNORE INTO known_fields (stream, path, type) VALUES (?, ?, ?)")
        .bind(1, field.stream)
        .bind(2, field.path)
        .bind(3, field.type)
        .run();
  }
}

void StateStore::committed(uint64_t epoch) {
  const Guard lock(mutex_);
  transaction("state.committed", [&] {
    EpochRecord record;
    {
      auto query = db_.prepare(
          "SELECT run, lane, record, json_extract(discard, '$.without') FROM epochs WHERE epoch = "
          "?");
      query.bind(1, static_cast<int64_t>(epoch));
      if (!query.step()) return;  // it has its end already
      record = parse_record(query.text(2));
      record.epoch = epoch;
      const std::string without = query.is_null(3) ? "" : query.text(3);
      std::erase_if(record.sinks, [&](const auto& sink) { return sink.node == without; });
      record.run = query.text(0);
      record.lane = query.text(1);
    }
    db_.prepare("DELETE FROM epochs WHERE epoch = ?").bind(1, static_cast<int64_t>(epoch)).run();
    if (PLANTED(committed_in_two_steps)) {
      db_.execute("COMMIT");
      faults_.step("state.committed.between");
      db_.execute("BEGIN IMMEDIATE");
    }
    apply(record);
  });
}

void StateStore::aborted(uint64_t epoch, bool keep_rejects) {
  const Guard lock(mutex_);
  transaction("state.aborted", [&] {
    put_rejects();
    if (!keep_rejects) {
      db_.prepare("DELETE FROM rejects WHERE epoch = ?").bind(1, static_cast<int64_t>(epoch)).run();
    }
    db_.prepare("DELETE FROM epochs WHERE epoch = ?").bind(1, static_cast<int64_t>(epoch)).run();
    if (PLANTED(number_is_reused)) {
      db_.prepare("UPDATE store SET next_epoch = ?1 WHERE next_epoch = ?1 + 1")
          .bind(1, static_cast<int64_t>(epoch))
          .run();
    }
  });
  pending_rejects_.clear();
}

int64_t StateStore::discard_recorded(const Json::Value& how) {
  const Guard lock(mutex_);
  int64_t n = 0;
  transaction("state.discard", [&] {
    auto recorded = db_.prepare(
        // An epoch that came on record after the last report has an empty list.
        "UPDATE epochs SET phase = 'discarded', discard = CASE WHEN EXISTS"
        " (SELECT 1 FROM epochs WHERE json_type(discard, '$.reported') IS NOT NULL)"
        " THEN json_set(?1, '$.reported', json(coalesce(json_extract(discard, '$.reported'), "
        "'[]')))"
        " ELSE ?1 END WHERE phase IN ('recorded', 'discarded') RETURNING 1");
    recorded.bind(1, compact_json(how));
    while (recorded.step()) ++n;
  });
  return n;
}

void StateStore::note_reported(const std::string& run, const std::vector<std::string>& sinks) {
  const Guard lock(mutex_);
  transaction("state.reported", [&] {
    db_.execute(
        "UPDATE epochs SET discard = json_object('reported',"
        " json(coalesce(json_extract(discard, '$.reported'), '[]')))"
        " WHERE phase IN ('recorded', 'discarded')");
    for (const auto& sink : sinks) {
      db_.prepare(
             "UPDATE epochs SET discard = json_insert(discard, '$.reported[#]', ?2)"
             " WHERE run = ?1 AND phase IN ('recorded', 'discarded') AND NOT EXISTS"
             " (SELECT 1 FROM json_each(discard, '$.reported') WHERE value = ?2)")
          .bind(1, run)
          .bind(2, sink)
          .run();
    }
  });
}

bool StateStore::is_accepted() {
  const Guard lock(mutex_);
  auto query = db_.prepare("SELECT accepted FROM store");
  query.step();
  return query.integer(0) != 0;
}

void StateStore::skip_epochs(uint64_t number) {
  const Guard lock(mutex_);
  transaction("state.skip", [&] {
    db_.prepare("UPDATE store SET accepted = 0, next_epoch = max(next_epoch, ? + 1)")
        .bind(1, static_cast<int64_t>(number))
        .run();
  });
}

void StateStore::note_newest(const std::string& node, uint64_t newest) {
  const Guard lock(mutex_);
  db_.prepare("UPDATE delivered SET keeps_books = 1, epoch = min(epoch, ?2) WHERE node = ?1")
      .bind(1, node)
      .bind(2, static_cast<int64_t>(newest))
      .run();
}

void StateStore::set_state(const std::string& stream, const std::string& state_json) {
  const Guard lock(mutex_);
  transaction("state.set", [&] {
    std::vector<SplitState> known;
    int64_t done = 0;
    {
      auto query = db_.prepare(
          "SELECT node, split FROM states JOIN streams ON no = states.stream WHERE "
          "streams.stream = ?");
      query.bind(1, stream);
      while (query.step()) known.push_back({{query.text(0), stream}, query.text(1), state_json});
      auto count = db_.prepare(
          "SELECT count(*) FROM done JOIN streams ON no = done.stream WHERE streams.stream = ?");
      count.bind(1, stream).step();
      done = count.integer(0);
    }
    if (known.size() > 1 || done > 0) {
      throw Error(Code::kConfig,
                  "state set: " + stream +
                      (done > 0 ? " is read object by object, and has no one state"
                                : " is read in " + std::to_string(known.size()) + " splits") +
                      "; forget it instead: `patchbay state reset " + pipeline_ + " --stream " +
                      stream + "`");
    }
    db_.prepare("UPDATE streams SET identity = NULL WHERE stream = ?").bind(1, stream).run();
    if (known.size() == 1) return apply_state(known[0], "");
    db_.prepare("INSERT OR REPLACE INTO given (stream, state) VALUES (?, ?)")
        .bind(1, stream)
        .bind(2, state_json)
        .run();
  });
}

void StateStore::forget(const std::vector<std::string>& streams) {
  const Guard lock(mutex_);
  transaction("state.forget", [&] {
    if (streams.empty()) {
      db_.execute(
          "DELETE FROM states; DELETE FROM done; DELETE FROM given; DELETE FROM streams; DELETE "
          "FROM known_fields; DELETE FROM delivered");
    }
    for (const auto& stream : streams) {
      for (const char* sql :
           {"DELETE FROM states WHERE stream IN (SELECT no FROM streams WHERE "
            "stream = ?)",
            "DELETE FROM done WHERE stream IN (SELECT no FROM streams WHERE "
            "stream = ?)",
            "DELETE FROM streams WHERE stream = ?", "DELETE FROM given WHERE stream = ?",
            "DELETE FROM known_fields WHERE stream = ?"})
        db_.compile(sql).bind(1, stream).run();
    }
  });
}

int64_t StateStore::accept(const std::vector<std::string>& streams) {
  const Guard lock(mutex_);
  int64_t n = 0;
  transaction("state.accept", [&] {
    if (streams.empty()) {
      db_.prepare("UPDATE store SET accepted = 1").run();
      auto all =
          db_.prepare("UPDATE streams SET identity = NULL WHERE identity IS NOT NULL RETURNING 1");
      while (all.step()) ++n;
    }
    for (const auto& stream : streams) {
      auto one = db_.prepare(
          "UPDATE streams SET identity = NULL WHERE identity IS NOT NULL AND stream = ? RETURNING "
          "1");
      one.bind(1, stream);
      while (one.step()) ++n;
    }
  });
  return n;
}

void StateStore::adopt(const StreamIdentity& identity) {
  const Guard lock(mutex_);
  transaction("state.adopt", [&] {
    db_.prepare("UPDATE streams SET identity = ?1 WHERE node = ?2 AND stream = ?3")
        .bind(1, identity.identity_json)
        .bind(2, identity.of.node)
        .bind(3, identity.of.stream)
        .run();
  });
}

bool StateStore::move_node(const std::string& from, const std::string& to) {
  const Guard lock(mutex_);
  bool any = false;
  transaction("state.move", [&] {
    {
      auto taken = db_.prepare("SELECT stream FROM streams WHERE node = ?");
      if (taken.bind(1, to).step()) {
        throw Error(Code::kConfig, "state move: " + to + " has a state of its own (stream " +
                                       taken.text(0) +
                                       "); forget it first: `patchbay state reset`");
      }
    }
    auto moved =
        db_.prepare("UPDATE streams SET node = ?2, identity = NULL WHERE node = ?1 RETURNING 1");
    moved.bind(1, from).bind(2, to);
    while (moved.step()) any = true;
  });
  return any;
}

std::optional<std::string> StateStore::claim(const std::string& name, const std::string& owner) {
  const Guard lock(mutex_);
  std::optional<std::string> other;
  transaction("state.claim", [&] {
    db_.prepare("INSERT OR IGNORE INTO claims (name, owner) VALUES (?, ?)")
        .bind(1, name)
        .bind(2, owner)
        .run();
    auto query = db_.prepare("SELECT owner FROM claims WHERE name = ?");
    query.bind(1, name).step();
    if (query.text(0) != owner) other = query.text(0);
  });
  return other;
}

}  // namespace patchbay::host
