// The durable records of runs: what sources resume from, what is being committed, what was refused.
//
// One SQLite file per state directory. Thread-safe. Throws as Database does.
#pragma once

#include <json/value.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "patchbay/sqlite.h"
#include "state/fault_hook.h"
#include "sync/sync.h"

namespace patchbay::host {

struct RunInfo {
  std::string run, pipeline, environment, started;
};

struct RunSummary {
  RunInfo info;
  std::string finished,
      outcome;  // outcome `running` while it does, `crashed` for one that never ended
  int exit_code = 0;
  std::string report_json;
};

struct TransactionRef {
  std::string node, txn;
};

struct EpochBegin {
  std::string run, pipeline, lane;
  std::vector<TransactionRef> txns;
};

struct SplitState {
  std::string split;  // unique within the pipeline
  std::string stream;
  std::string state_json;  // empty = none yet
  bool done = false;       // a split that is read once has been
};

struct PreparedSink {
  std::string node, txn;
  std::vector<std::string> tokens;
};

struct KnownField {
  std::string stream, path, type;
};

struct EpochRecord {
  std::string run, pipeline, lane;
  uint64_t epoch = 0;
  std::vector<SplitState> states;
  std::vector<PreparedSink> sinks;
  std::vector<KnownField> fields;
  Json::Value counts;
};

struct UnfinishedEpoch {
  std::string lane;
  uint64_t epoch = 0;
  bool recorded = false;            // then it is to be committed, otherwise aborted
  std::vector<PreparedSink> sinks;  // not recorded: without tokens
};

struct Reject {
  std::string run, pipeline, lane;
  uint64_t epoch = 0;
  std::string stream, node, code, reason, position_json, row_json;
};

struct StoredReject {
  int64_t id = 0;
  Reject reject;
  bool kept = false;  // false: of an epoch that was aborted because of too many rejects
};

struct HistoryEntry {
  std::string run, stream, split, state_json, at;
};

class StateStore {
 public:
  // Creates directory (0700) and file (0600) where missing; brings an older file to this version's
  // layout.
  StateStore(const std::filesystem::path& dir, FaultHook& faults);

  // `alone`: no other run of this pipeline goes on, so one that never ended becomes `crashed`.
  void begin_run(const RunInfo& run, bool alone);
  void finish_run(const std::string& run, const std::string& finished, const std::string& outcome,
                  int exit_code, const std::string& report_json);
  std::vector<RunSummary> runs(const std::string& pipeline,
                               size_t limit);  // newest first; pipeline empty = all
  std::optional<RunSummary> find_run(const std::string& run);

  // Epochs of a lane are numbered from 1, for ever.
  uint64_t begin_epoch(const EpochBegin& begin);
  void record_epoch(const EpochRecord& record);  // the one durable record: from here on the epoch
                                                 // will be committed
  void committed(const std::string& pipeline, const std::string& lane, uint64_t epoch);
  // Also of a recorded epoch whose data turned out to be gone: its states are forgotten with it.
  void aborted(const std::string& pipeline, const std::string& lane, uint64_t epoch,
               bool keep_rejects);
  std::vector<UnfinishedEpoch> unfinished(const std::string& pipeline);
  // Recorded epochs are to be aborted instead; false where there is none.
  bool give_up_recorded(const std::string& pipeline);

  std::vector<SplitState> states(const std::string& pipeline);  // of committed epochs
  Json::Value stream_states(const std::string& pipeline);       // {"responses": {"sequence": 1300}}
  void set_state(const std::string& pipeline, const std::string& stream,
                 const std::string& state_json);
  void forget(const std::string& pipeline, const std::vector<std::string>& streams);  // empty = all
  std::vector<HistoryEntry> history(const std::string& pipeline, const std::string& stream,
                                    size_t limit);
  std::vector<KnownField> known_fields(const std::string& pipeline, const std::string& stream);
  std::vector<std::string> pipelines();

  void add_reject(const Reject& reject);  // durable with its epoch
  // Oldest first, until `take` returns false. Empty run = all; id 0 = all.
  void rejects(const std::string& pipeline, const std::string& run, int64_t id,
               const std::function<bool(const StoredReject&)>& take);

 private:
  void migrate();
  void flush_rejects();
  void apply_states(const EpochRecord& record);
  template <class Work>
  void transaction(std::string_view step, Work&& work);

  sync::Mutex mutex_;
  FaultHook& faults_;
  Database db_;
  std::vector<Reject> pending_rejects_;
};

}  // namespace patchbay::host
