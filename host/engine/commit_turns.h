// Whose turn it is to commit, among lanes side by side.
//
// Two rules. Lanes that write one table by keys take effect in the order of the plan, since of
// several rows with one key the last counts; a lane that fails holds back those after it. And into
// a sink whose rows are judged against each other (manifest: "commits": "alone") one lane at a time
// goes from prepare to commit.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/lane.h"
#include "pipeline/pipeline.h"
#include "sync/cancel.h"
#include "sync/sync.h"

namespace patchbay::host {

class CommitTurns {
 public:
  explicit CommitTurns(const Pipeline& pipeline) : pipeline_(pipeline) {}

  // Before any lane runs, in the order of the plan.
  void expect(const Lane& lane);

  // Before the first prepare of an epoch; more calls in the same epoch return at once. Waits for
  // the lanes before this one, then for the sinks that it must have to itself. Throws NodeError
  // kUnavailable, not to be tried again, where a lane before it failed; kCancelled.
  void enter(const Lane& lane, const CancelToken& cancel);
  // After the epoch's commit, or once nothing of the attempt is at work any more. With
  // `is_on_record` its rows are prepared and not committed: it keeps its turn until they are, or to
  // the lane's end; a lane that ends so holds back those that need the same sinks.
  void leave(const Lane& lane, bool is_on_record = false);
  // The lane is over.
  void end(const Lane& lane, bool succeeded);
  void wake();  // whoever waits looks at its `cancel` again

 private:
  const std::string* failed_before(const Lane& lane, const std::set<size_t>& alone) const;
  void release(const Lane& lane);
  bool is_turn_of(const Lane& lane) const;
  std::set<size_t> alone_sinks(const Lane& lane) const;
  bool is_free(const std::set<size_t>& sinks) const;

  const Pipeline& pipeline_;
  sync::Mutex mutex_;
  sync::Condition changed_;
  std::map<std::string, std::vector<size_t>> order_;  // by table: lanes that did not succeed yet
  std::map<size_t, std::string> failed_;              // by lane: its key
  std::map<size_t, size_t> holders_;                  // by sink: the lane that has it
  std::set<size_t> entered_;                          // lanes
};

}  // namespace patchbay::host
