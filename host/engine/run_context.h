// What all lanes of one run share: the pipeline, the durable state, limits, counts and what the
// report needs.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/call.h"
#include "engine/identities.h"
#include "engine/split_plan.h"
#include "environment/secret_store.h"
#include "pipeline/pipeline.h"
#include "state/state_store.h"
#include "sync/sync.h"

namespace patchbay::host {

struct RunOptions {
  std::vector<std::string> only;  // source streams; empty = all
  std::optional<int64_t> limit;   // rows per stream
  bool full_refresh = false;
  std::optional<std::vector<GivenSplit>> splits;  // just these, in place of what the sources plan
  bool look_only = false;                         // preview: nothing is recorded
  bool one_off = false;                           // copy: there is no next run to think of
  bool replay = false;                            // of rejects: no state is gone on from
  int64_t edge_bytes = 1 << 20;                   // that one input of a node may hold
};

// Rows of one source stream. For a pipeline that only maps, read = written + rejected + dropped.
struct StreamCounts {
  int64_t read = 0;
  int64_t rejected = 0;
  int64_t bytes = 0;
  std::map<std::string, int64_t> written;  // by sink node

  void add(const StreamCounts& other);
  void subtract(const StreamCounts& other);
};
using CountsByStream = std::map<std::string, StreamCounts>;
Json::Value counts_to_json(const CountsByStream& counts);
CountsByStream counts_from_json(const Json::Value& json);

struct SchemaChangeSeen {
  std::string field;
  std::string type;
  std::string action;  // added, ignored, rejected
};

struct StreamOutcome {
  StreamCounts committed;  // with what this run recovered of earlier ones
  StreamCounts recovered;  // that part of it
  StreamCounts aborted;    // of the epochs that a final failure threw away
  StreamCounts unsettled;  // prepared and recorded; the next run commits it, or reads it again
  int64_t epochs = 0;
  uint32_t attempts = 0;
  double seconds = 0;
  std::string source;
  std::set<std::string> sinks;
  std::vector<SchemaChangeSeen> schema_changes;
  bool read_whole = false;  // no state was left: the next run reads it all again
};

// Live figures of one node, over all lanes.
struct NodeFigures {
  std::atomic<int64_t> rows_in{0}, rows_out{0}, bytes{0}, busy_ns{0}, waiting_ns{0},
      queued_bytes{0};

  void add_metric(std::string_view name, double amount);
  std::map<std::string, double> metrics() const;  // what the plugin counts, by name

 private:
  mutable sync::Mutex mutex_;
  std::map<std::string, double> metrics_;
};

// More rows were refused than the pipeline allows.
class TooManyRejects : public Error {
 public:
  using Error::Error;
};

class RunContext {
 public:
  RunContext(const Pipeline& pipeline, const RunOptions& options, std::string environment,
             std::string run_id, StateStore& state, SecretStore& secrets, FaultHook& faults);

  const Pipeline& pipeline;
  const RunOptions& options;
  const std::string environment;
  const std::string run_id;
  StateStore& state;
  SecretStore& secrets;
  FaultHook& faults;
  CancelToken cancel;
  CancelToken cleanup;  // for what still runs after a failure: aborting; cancelled when time is up
  std::vector<NodeFigures> figures;  // by node
  Identities identities;             // of the source streams of this run
  const std::vector<bool> forgets;   // by node: see forgets_prepared
  std::function<void(const std::string& node, const std::string& message)> warn =
      [](const std::string&, const std::string&) {};

  // Told of each stream of records where it is made; may come again, and from several threads.
  std::function<void(const Schema& schema)> schema_seen = [](const Schema&) {};

  RetryLimits retry() const;
  // What a call on the sink about this transaction is told.
  EpochInfo epoch_info(size_t node, std::string txn, uint64_t number) const;
  // Whose epochs the sink counts, and where: both as text.
  std::string place_of(size_t node) const;
  // A name belongs to the lane's node that first claims it. Throws Error kConfig, also where it is
  // one of those that `reads` was told of.
  void claim(const std::string& lane, const std::string& node, const std::string& name);
  // This run reads the object of that name.
  void reads(const std::string& name);

  // Rows that the stream may still read under --limit.
  int64_t remaining(const std::string& stream);
  void take(const std::string& stream, int64_t rows);

  // Counts a rejected row at once, so that all lanes together respect an absolute limit. Throws
  // TooManyRejects.
  // `reason` of these rows goes into the message.
  void count_rejects(const std::string& stream, const RejectedRows& rejected);
  void forget_rejects(const std::string& stream, int64_t rows);  // of an epoch that was aborted
  // Judges a percentage at the end of an epoch. Throws TooManyRejects.
  void judge_rejects(const CountsByStream& epoch);

  ChangeDecision schema_change(const std::string& stream, const std::string& path,
                               const std::string& type, const std::string& node);
  std::vector<KnownField> fields_to_record(const std::string& stream);
  bool source_changed_schema(const std::string& stream);
  void note_schema_change(const std::string& stream, SchemaChangeSeen change);

  void add_committed(const CountsByStream& epoch);
  // Committed by recovery; `of_this_run`: it stood as unsettled until now.
  void add_recovered(const CountsByStream& epoch, bool of_this_run);
  void add_unsettled(const CountsByStream& epoch);
  void forget_unsettled(const CountsByStream& epoch);  // it is aborted after all
  void add_aborted(const CountsByStream& epoch);
  // Names a stream for the report, also when nothing of it arrives.
  void announce(const std::string& stream, const std::string& source,
                const std::vector<std::string>& sinks);
  void note_read_whole(const std::string& stream);
  void count_attempt(const std::string& stream, uint32_t attempt, double seconds);
  std::map<std::string, StreamOutcome> outcomes() const;

  // Calls into plugins that are at work: `clock` tells of one node's in one lane.
  void watch_calls(const CallClock& clock, size_t node);
  void watch_no_more(const CallClock& clock);
  struct CallAtWork {
    const CallClock* clock;
    size_t node;
    CallClock::Call call;
  };
  std::vector<CallAtWork> calls_at_work() const;

 private:
  int64_t allowed_rejects() const;

  mutable sync::Mutex mutex_;
  std::map<std::string, int64_t> taken_;
  std::map<std::string, int64_t> rejects_;
  std::map<std::string, std::map<std::string, std::string>>
      known_;  // stream -> path -> type, this run's and earlier
  std::map<std::string, std::vector<KnownField>> new_fields_;
  std::map<std::string, StreamOutcome> outcomes_;
  struct Owner {
    std::string lane, node;
  };
  std::map<std::string, Owner> claims_;   // by name
  std::unordered_set<std::string> read_;  // names
  mutable sync::Mutex calls_mutex_;
  std::map<const CallClock*, size_t> calls_;  // to the node
};

}  // namespace patchbay::host
