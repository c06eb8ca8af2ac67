// One attempt at one lane: a thread per node, edges between them, epochs committed by the ledger.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/component.h"
#include "engine/epoch_ledger.h"
#include "engine/inbox.h"
#include "engine/outlet.h"
#include "engine/run_context.h"
#include "engine/schema_steps.h"
#include "sync/sync.h"

namespace patchbay::host {

struct LaneSplit {
  SplitPlan plan;
  std::string key;         // under which its state is kept
  std::string state_json;  // of the last committed epoch; empty = from the start
};

struct LaneSource {
  size_t node = 0;
  std::vector<LaneSplit> splits;  // read one after the other
};

struct Lane {
  std::string key;  // stable from run to run: epochs are numbered and recovered by it
  std::vector<LaneSource> sources;
  std::vector<size_t> nodes;  // of the pipeline, in its order, that take part
  bool one_epoch = false;     // everything becomes visible together, at the end
  bool from_start = false;    // a table is replaced: what was read before is read again
};

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
  LaneAttempt(RunContext& run, SchemaSteps& steps, const InstanceSet& instances, const Lane& lane,
              const std::string& txn_prefix, const Collector* collector = nullptr);
  LaneAttempt(const LaneAttempt&) = delete;
  LaneAttempt& operator=(const LaneAttempt&) = delete;

  // Until the lane's end. Throws the first failure; by then the open epochs are aborted, unless
  // recorded.
  void execute();
  // From any thread: execute() then throws kCancelled. May wait for a call that another lane is in.
  void cancel();
  void cancel_calls();  // the first part of it, which never waits
  uint64_t committed_epochs() const { return ledger_.committed(); }

 private:
  friend class SourceStage;
  friend class TransformStage;
  friend class SinkStage;
  friend class CollectorStage;
  friend class StageServices;

  std::vector<LedgerSink> find_sinks() const;
  std::vector<size_t> inputs_of(size_t node) const;
  void connect(size_t node);
  Outlet make_outlet(size_t node);
  template <class Stage, class... Args>
  std::function<void()> stage(Args&&... args);
  void fail(std::exception_ptr error);
  void finish_early();  // the collector has enough
  std::exception_ptr first_failure();

  RunContext& run_;
  SchemaSteps& steps_;
  const InstanceSet& instances_;
  const Lane& lane_;
  const Collector* collector_;
  CancelToken token_;
  EpochLedger ledger_;
  std::map<size_t, std::unique_ptr<Inbox>>
      inboxes_;  // by node; the collector's is under kCollector
  sync::Mutex mutex_;
  std::exception_ptr failure_;
  bool finished_early_ = false;
};

}  // namespace patchbay::host
