// The epochs of one lane attempt: what was read, refused and prepared in each, and their commit.
//
// Epochs are counted from 0 within the attempt; the state store numbers them for ever. The source
// ends one with its states, every sink prepares it, and the thread of the last sink writes the one
// durable record and commits.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/commit_turns.h"
#include "engine/lane.h"
#include "engine/run_context.h"
#include "engine/settlement.h"
#include "sync/sync.h"

namespace patchbay::host {

class EpochLedger {
 public:
  EpochLedger(RunContext& run, CommitTurns& turns, const Lane& lane, std::string txn_prefix,
              std::vector<SettledSink> sinks);

  void count(uint64_t epoch, const std::string& stream, const StreamCounts& counts);
  bool has_rejects(uint64_t epoch) const;
  // Has abort_open left an epoch that is, or may be, on record?
  bool is_on_record() const;
  void keep_reject(uint64_t epoch, const std::string& node, const std::string& stream,
                   const RejectedRows& rejected);
  // Durable, before the first writer of the epoch opens: recovery then knows which transactions may
  // exist.
  void begin(uint64_t epoch);
  std::string txn(uint64_t epoch, size_t node) const;
  // What a call on the sink is about. The epoch has begun.
  EpochInfo info(uint64_t epoch, size_t node) const;
  void add_states(uint64_t epoch, std::vector<SplitState> states);
  // The sink has rows of the stream, under the name that it has there.
  void note_written(uint64_t epoch, size_t node, const std::string& stream);

  // Before the sink prepares its first writer of an epoch: waits for the lane's turn.
  void enter_commit(const CancelToken& cancel);
  // Returns once the epoch is committed. Throws kCancelled when the lane failed meanwhile.
  void sink_prepared(uint64_t epoch, size_t node, std::vector<std::string> tokens,
                     const CancelToken& cancel);
  uint64_t committed() const;            // how many epochs
  bool wait_committed(uint64_t epochs);  // until so many are; false when the lane failed meanwhile
  uint64_t number_of(uint64_t epoch) const;  // the state store's, of a committed epoch

  void fail();  // wakes whoever waits here
  // After a failure, once no other thread uses the lane: drops what the epochs without a record
  // wrote. Keeps their rejects where they are the reason. Returns what they had counted.
  CountsByStream abort_open(bool rejects_are_evidence);

 private:
  struct Epoch {
    bool begun = false;
    bool goes_on_record = false;
    bool recorded = false;
    bool aborted = false;  // though it was recorded
    uint64_t number = 0;
    std::vector<SplitState> states;
    std::map<size_t, std::vector<std::string>> tokens;  // by node
    std::map<size_t, std::set<std::string>> written;    // by node: streams
    size_t sinks_prepared = 0;
    CountsByStream counts;
  };
  void begin_locked(uint64_t last);  // and those before it
  void commit(uint64_t epoch, const CancelToken& cancel);
  EpochRecord make_record(uint64_t epoch, Epoch& open);
  // False where a sink could not be asked: the next attempt or run does it.
  bool abort_epoch(uint64_t epoch, const Epoch& open, bool keep_rejects);
  void leave_on_record();

  RunContext& run_;
  CommitTurns& turns_;
  const Lane& lane_;
  const std::string txn_prefix_;
  const std::vector<SettledSink> sinks_;

  mutable sync::Mutex mutex_;
  sync::Condition changed_;
  std::map<uint64_t, Epoch> open_;
  std::map<uint64_t, uint64_t> numbers_;  // of committed epochs
  uint64_t committed_ = 0;
  bool failed_ = false, is_on_record_ = false;
};

}  // namespace patchbay::host
