// One attempt at one lane: a thread per node, edges between them, epochs committed by the ledger.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/commit_turns.h"
#include "engine/component.h"
#include "engine/epoch_ledger.h"
#include "engine/inbox.h"
#include "engine/lane.h"
#include "engine/outlet.h"
#include "engine/run_context.h"
#include "engine/schema_steps.h"
#include "sync/sync.h"

namespace patchbay::host {

// The instances of the pipeline's nodes, used by one lane at a time; null for nodes that take no
// part.
struct InstanceSet {
  std::vector<std::unique_ptr<Instance>> instances;
};

// Receives what a node puts out instead of its readers. False = enough.
struct Collector {
  size_t node;
  std::function<bool(const SchemaPtr& schema, const Batch& batch)> take;
};

class LaneAttempt {
 public:
  // `txn_prefix` is unique to the attempt. All references outlive the object.
  LaneAttempt(RunContext& run, SchemaSteps& steps, CommitTurns& turns, const InstanceSet& instances,
              const Lane& lane, const std::string& txn_prefix,
              const Collector* collector = nullptr);
  LaneAttempt(const LaneAttempt&) = delete;
  LaneAttempt& operator=(const LaneAttempt&) = delete;

  // Until the lane's end. Throws the first failure; by then the open epochs are aborted, unless
  // recorded.
  void execute();
  // From any thread: execute() then throws kCancelled. May wait for a call that another lane is in.
  void cancel();
  void cancel_calls();  // the first part of it, which never waits
  uint64_t committed_epochs() const { return ledger_.committed(); }
  bool is_on_record() const { return ledger_.is_on_record(); }

 private:
  friend class SourceStage;
  friend class TransformStage;
  friend class SinkStage;
  friend class CollectorStage;
  friend class StageServices;

  std::vector<SettledSink> find_sinks() const;
  bool is_complete() const;
  bool goes_on() const;
  std::vector<size_t> inputs_of(size_t node) const;
  void connect(size_t node);
  Outlet make_outlet(size_t node);
  template <class Stage, class... Args>
  std::function<void()> stage(Args&&... args);
  template <class Stage>
  std::function<void()> guarded(std::shared_ptr<Stage> made);
  void fail(std::exception_ptr error);
  void finish_early();  // the collector has enough
  // The node takes no more of what comes: a limit is reached.
  void satisfy(size_t node);
  bool all_satisfied(size_t source);  // every reader of the source
  std::exception_ptr first_failure();

  RunContext& run_;
  SchemaSteps& steps_;
  const InstanceSet& instances_;
  const Lane& lane_;
  const Collector* collector_;
  const bool resumes_;   // every split goes on from a state
  const bool complete_;  // the streams are read from their start to their end, in one epoch
  CancelToken token_;
  EpochLedger ledger_;
  std::map<size_t, std::unique_ptr<Inbox>>
      inboxes_;  // by node; the collector's is under kCollector
  sync::Mutex mutex_;
  std::exception_ptr failure_;
  bool finished_early_ = false;
  std::set<size_t> satisfied_;
};

}  // namespace patchbay::host
