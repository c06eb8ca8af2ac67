// Whether the states on record are states of what this run reads and writes.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "engine/split_plan.h"
#include "pipeline/pipeline.h"
#include "state/state_store.h"
#include "sync/sync.h"

namespace patchbay::host {

class Identities {
 public:
  Identities(const Pipeline& pipeline, const std::string& environment, StateStore& state)
      : pipeline_(pipeline), environment_(environment), state_(state) {}

  // Once the sources have planned, with one split of each of their streams: computes what each
  // stream is. With `compare`, throws Error kConfig where a state is kept that is of something
  // else, or of a node that the pipeline no longer has while one like it has none, or where this
  // pipeline has none and another that reads and appends the same has one; both values and the
  // commands that go on are in the message. `accepted` is told of each stream whose state is taken
  // for granted, once.
  void learn(const std::map<StreamRef, SplitPlan>& streams, bool compare,
             const std::function<void(const std::string& stream)>& accepted);

  // As it is kept with a state; the targets count as delivered to.
  std::string of(const StreamRef& stream) const;
  // Were rows of the source's stream, by its name, delivered to this sink by an earlier run that
  // left a state?
  bool was_delivered(const std::string& stream, const std::string& sink) const;

  // Throws Error kConfig where a sink of the record is not the pipeline's any more, or writes
  // elsewhere now.
  void require_same_targets(const EpochRecord& record) const;

 private:
  Json::Value identity(const StreamRef& of, const SplitPlan& split) const;
  void compare(const StreamState& kept) const;
  void refuse_orphans(const std::vector<StreamState>& kept) const;
  void refuse_renamed_streams(const std::vector<StreamState>& kept) const;
  void refuse_renamed() const;

  const Pipeline& pipeline_;
  const std::string& environment_;
  StateStore& state_;
  std::map<StreamRef, Json::Value> now_;
  std::map<StreamRef, Json::Value> kept_;  // where it is not taken for granted
};

}  // namespace patchbay::host
