// The durable records of one pipeline: what its sources resume from, what is being committed, what
// was refused.
//
// A SQLite file per pipeline, so that no pipeline waits for another's. Thread-safe. Throws as
// Database does.
#pragma once

#include <json/value.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
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
  std::string finished;
  std::string outcome;  // `running` while it does, `crashed` for one that never ended
  int exit_code = 0;
  std::string report_json;
};

struct TransactionRef {
  std::string node, txn;
};

struct EpochBegin {
  std::string run, lane;
  std::vector<TransactionRef> txns;
};

// A stream of a source: its node's id and its own name.
struct StreamRef {
  std::string node, stream;
  auto operator<=>(const StreamRef&) const = default;
};

struct SplitState {
  StreamRef of;
  std::string split;       // the source's own id of it
  std::string state_json;  // empty = none
  bool done = false;       // a split that is read once has been read to its end
  bool ended = false;      // the epoch has its last rows
};

struct PreparedSink {
  std::string node, txn;
  std::vector<std::string> tokens;
  std::string target;   // JSON that says which sink, and where it writes
  std::string place{};  // whose epochs it counts and where, whatever its tables
};

// The last epoch that a sink has committed.
struct Delivered {
  uint64_t epoch = 0;
  std::string place;
  bool keeps_books = false;  // the sink has reported an epoch before
};

struct KnownField {
  std::string stream, path, type;
};

struct StreamIdentity {
  StreamRef of;
  std::string identity_json;
};

// What an epoch is, once everything of it is prepared.
struct EpochRecord {
  std::string run, lane;
  uint64_t epoch = 0;
  std::vector<SplitState> states;
  std::vector<PreparedSink> sinks;
  std::vector<KnownField> fields;
  std::vector<StreamIdentity> identities;
  // Streams whose states of earlier runs these states replace: a full refresh.
  std::vector<StreamRef> refreshed;
  Json::Value counts;
  // Of a discarded one "again": true, or "without": NODE, or neither. "reported": the sinks of
  // which the user heard that they show rows of the run that another sink lacks; it is there, and
  // maybe empty, once the user heard any such thing of the pipeline.
  Json::Value discard;
};

enum class EpochPhase { kBegun, kRecorded, kDiscarded };

struct UnfinishedEpoch {
  EpochPhase phase = EpochPhase::kBegun;
  // Of a begun one: run, lane, number and the sinks, without tokens.
  EpochRecord record;
};

struct Reject {
  std::string run, lane;
  uint64_t epoch = 0;
  std::string stream, node, code, reason, position_json, row_json;
  std::string schema_json;  // of the row; empty where it has none of its own
};

struct StoredReject {
  int64_t id = 0;
  Reject reject;
  bool kept = false;  // false: of an epoch that was aborted because of too many rejects
  std::string at;
};

// Rejects that came from one node in one run: rows of one schema, or records of one file. Of epochs
// that are committed only, or their rows would be read again by themselves.
struct RejectGroup {
  std::string node, run, stream;
  int64_t schema = 0;  // its number on record
  std::string schema_json;
  std::string file;  // by their positions; empty where they name none
  int64_t rows = 0;
};

// As the node of a state: the replay of rejects. The split is group_json's, the state {"to": ID}:
// where it is committed, the group's rejects up to that one are deleted.
inline constexpr const char* kReplayNode = "(rejects)";
std::string group_json(const RejectGroup& group);
RejectGroup group_from_json(const std::string& json);

struct RejectText {
  int64_t id = 0;
  std::string row_json;
};

struct HistoryEntry {
  std::string run, stream, split, state_json, at;
};

// A stream of which a state is kept.
struct StreamState {
  StreamRef of;
  std::string identity_json;  // empty: the next run's is taken for granted
  int64_t states = 0;         // splits with a state
  int64_t done = 0;           // splits that were read for good
};

// The splits of a source that were read for good.
using DoneSplits = std::unordered_set<std::string>;

class StateStore {
 public:
  enum class Open {
    kCreate,  // directory (0700) and file (0600) where missing; an older layout is brought up to
              // date
    kLook,    // nothing is made: without a file all is empty
  };
  StateStore(const std::filesystem::path& dir, const std::string& pipeline, FaultHook& faults,
             Open open = Open::kCreate);

  const std::string& id() const { return id_; }  // of this file, for ever
  const std::string& pipeline() const { return pipeline_; }
  // Calls `take` for each stream of which another pipeline of the directory keeps a state, or has
  // one on record that is not committed yet, until it returns false. Records that cannot be read
  // are passed over: they are not this run's.
  void each_neighbour(
      const std::function<bool(const std::string& pipeline, const StreamState&)>& take) const;

  // `alone`: no other run of this pipeline goes on, so one that never ended becomes `crashed`, and
  // no name is claimed.
  void begin_run(const RunInfo& run, bool alone);
  void finish_run(const std::string& run, const std::string& finished, const std::string& outcome,
                  int exit_code, const std::string& report_json);
  std::vector<RunSummary> runs(size_t limit);  // newest first
  // Is there nothing but runs on record, whose rows were not kept?
  bool has_only_runs();
  void take_runs(const std::vector<RunSummary>& newest_first);  // from other records
  std::optional<RunSummary> find_run(const std::string& run);

  // Epochs are numbered from 1, for ever; no number comes twice.
  uint64_t begin_epoch(const EpochBegin& begin);
  uint64_t next_epoch();
  uint64_t settled();  // every epoch up to it has its end
  // The one durable record: from here on the epoch will be committed.
  void record_epoch(const EpochRecord& record);
  // Its end: the states become what the next run starts from.
  void committed(uint64_t epoch);
  // Its other end, also of a recorded epoch of which nothing is to be seen: it never was.
  void aborted(uint64_t epoch, bool keep_rejects);
  std::vector<UnfinishedEpoch> unfinished();  // by number
  // The user gives up what is recorded: the next run asks the sinks first. `how` is
  // EpochRecord::discard without what was reported. How many epochs it concerns, also those
  // discarded before.
  int64_t discard_recorded(const Json::Value& how);
  // The user hears that the sinks show rows of the run's epochs, and decides anew.
  void note_reported(const std::string& run, const std::vector<std::string>& sinks);

  // What the sink took last; nothing where it took none, or nothing is known of it.
  std::optional<Delivered> delivered(const std::string& node);
  // The sink knows epoch `newest`: what it took beyond it is given up, or was never there.
  void note_newest(const std::string& node, uint64_t newest);

  // Of committed epochs, of one run or (empty) any; empty = none.
  std::string state(const StreamRef& of, const std::string& split, const std::string& run = {});
  bool is_done(const StreamRef& of, const std::string& split, const std::string& run = {});
  // The same of any stream of a source.
  bool is_done_at(const std::string& node, const std::string& split);
  DoneSplits done_splits(const std::string& node);
  std::vector<StreamState> streams();
  // {"responses": {"sequence": 1300}}; of splits that are read once how many were.
  Json::Value stream_states();
  // Each state with its split; what `state set` said of a stream that was never read is of no node.
  void each_state(const std::function<void(const SplitState&)>& take);
  std::optional<std::string> given_state(const std::string& stream);

  void set_state(const std::string& stream, const std::string& state_json);
  void forget(const std::vector<std::string>& streams);  // empty = all
  // The next run takes its own identity for that of the states, and what the sinks know beyond them
  // for known. How many streams it concerns.
  int64_t accept(const std::vector<std::string>& streams);
  bool is_accepted();
  // From now on the stream's states are of this: the run that takes them for granted is there.
  void adopt(const StreamIdentity& identity);
  // A sink knows epochs up to this number: the next one's is greater.
  void skip_epochs(uint64_t number);
  // Renames the source in all that is known of it. False where there is nothing.
  bool move_node(const std::string& from, const std::string& to);
  std::vector<HistoryEntry> history(const std::string& stream, size_t limit);
  std::vector<KnownField> known_fields(const std::string& stream);

  // Takes a name for `owner`, or returns who has it.
  std::optional<std::string> claim(const std::string& name, const std::string& owner);

  void add_reject(const Reject& reject);  // durable with its epoch
  // Oldest first, until `take` returns false. Empty run = all; id 0 = all.
  void rejects(const std::string& run, int64_t id,
               const std::function<bool(const StoredReject&)>& take);
  // Deletes those of a run (empty = all) that are older than `before` (ISO time; empty = all).
  int64_t clear_rejects(const std::string& run, const std::string& before);
  // Deletes runs that began before (ISO time), but for the last one; returns how many.
  int64_t clear_runs(const std::string& before);
  // What can be replayed, the oldest first; empty run = all.
  std::vector<RejectGroup> reject_groups(const std::string& run);
  std::vector<RejectText> rejects_of(const RejectGroup& group, int64_t after, int64_t limit);

 private:
  void migrate(const std::filesystem::path& dir);
  void create(const std::filesystem::path& dir);
  int64_t stream_number(const StreamRef& of);
  void put_rejects();
  void apply(const EpochRecord& record);
  void apply_state(const SplitState& state, const std::string& run);
  void delete_replayed(const SplitState& state);
  template <class Work>
  void transaction(std::string_view step, Work&& work);

  sync::Mutex mutex_;
  const std::filesystem::path dir_;
  FaultHook& faults_;
  const std::string pipeline_;
  Database db_;
  std::string id_;
  std::vector<Reject> pending_rejects_;
};

template <class Work>
void StateStore::transaction(std::string_view step, Work&& work) {
  faults_.step(std::string(step) + ".before");
  Transaction transaction(db_);
  work();
  transaction.commit();
  faults_.step(std::string(step) + ".after");
}

}  // namespace patchbay::host
