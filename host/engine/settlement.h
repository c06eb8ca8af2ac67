// What becomes of an epoch: one set of rules for the ledger, which has just prepared it, and for
// recovery, which finds it on record.
//
// An epoch that is recorded is committed by all its sinks. A sink that has lost what it prepared,
// or refuses it, turns that round as long as no other sink shows rows that reading again would
// double: then the epoch never was, and what it read is read again. Otherwise the epoch stays on
// record, and the error says what to do.
#pragma once

#include <string>
#include <vector>

#include "engine/component.h"
#include "engine/run_context.h"
#include "engine/services.h"

namespace patchbay::host {

// A sink of an epoch, with the instance that acts for it.
struct SettledSink {
  size_t node;
  Instance* instance;
};

enum class Settled { kCommitted, kAborted };

// The epoch was aborted although it was recorded: nothing of it is visible, and its rows are to be
// read again. Of code kUnavailable where a sink had lost what it prepared; otherwise the code with
// which it refused it, and once more may help, since another lane or process may have come between.
class EpochAborted : public NodeError {
 public:
  EpochAborted(const NodeError& why, Code code, const std::string& message)
      : NodeError(why.node(), code, message, why.detail_json(), false) {}
};

// The epoch stays on record: a sink lacks its rows, and another would show them twice if they were
// read again. The message has the ways on.
class RowsWouldDouble : public NodeError {
 public:
  using NodeError::NodeError;
};

class Settlement {
 public:
  Settlement(RunContext& run, std::vector<SettledSink> sinks, const CancelToken& cancel);

  // Of an epoch that this process has just recorded. Throws EpochAborted, or NodeError that says
  // why the epoch stays on record.
  void commit(const EpochRecord& record);
  // Of an epoch that an earlier attempt, run or process left. Throws as commit does, but where the
  // epoch was aborted: that is a result.
  Settled recover(const UnfinishedEpoch& epoch);

 private:
  using Names = std::vector<std::string>;
  const PreparedSink* prepared_of(const EpochRecord& record, const SettledSink& sink) const;
  EpochServices services(const SettledSink& sink, const std::string& txn, uint64_t number) const;
  void commit_sink(const EpochRecord& record, const SettledSink& sink);
  void commit_all(const EpochRecord& record);
  void abort_sink(const EpochRecord& record, const SettledSink& sink);
  Settled abort_all(const EpochRecord& record);
  Names who_shows(const EpochRecord& record, const SettledSink& failed, Names kept);
  // Throws where rows of the epoch are visible that reading it again would double.
  void give_up(const EpochRecord& record, const Names& kept, const NodeError& why);
  Outcome outcome_of(const EpochRecord& record, const SettledSink& sink);
  bool is_lost(const EpochRecord& record);
  bool shows(const EpochRecord& record, const SettledSink& sink);
  Settled settle_without(const EpochRecord& record, const std::string& without);
  Settled settle_again(const EpochRecord& record);
  Settled settle_discarded(const EpochRecord& record);
  [[noreturn]] void refuse_to_double(const EpochRecord& record, const Names& kept,
                                     const std::string& lacking, const std::string& why) const;

  RunContext& run_;
  const CancelToken& cancel_;
  std::vector<SettledSink> sinks_;  // in the order in which they commit
};

// The place of a sink in the order of commits: first those that lose what they prepared with their
// process and whose rows may come again, then one whose rows may not, then those that keep it.
int commit_rank(const Node& sink, bool forgets);

}  // namespace patchbay::host
