#include "engine/commit_turns.h"

#include <algorithm>

#include "engine/call.h"
#include "sync/planted.h"

namespace patchbay::host {

void CommitTurns::expect(const Lane& lane) {
  const Guard lock(mutex_);
  for (const auto& table : lane.ordered) order_[table].push_back(lane.number);
}

// The lane before this one that failed, or one that failed with its rows prepared in a sink that
// this one needs to itself.
const std::string* CommitTurns::failed_before(const Lane& lane,
                                              const std::set<size_t>& alone) const {
  if (PLANTED(failed_lane_holds_nobody)) return nullptr;
  for (const auto& [sink, holder] : holders_) {
    const auto failed = failed_.find(holder);
    if (alone.contains(sink) && holder != lane.number && failed != failed_.end())
      return &failed->second;
  }
  for (const auto& table : lane.ordered) {
    for (const size_t other : order_.at(table)) {
      if (other == lane.number) break;
      const auto failed = failed_.find(other);
      if (failed != failed_.end()) return &failed->second;
    }
  }
  return nullptr;
}

bool CommitTurns::is_turn_of(const Lane& lane) const {
  if (PLANTED(any_lane_commits)) return true;
  return std::all_of(lane.ordered.begin(), lane.ordered.end(), [&](const std::string& table) {
    return order_.at(table).front() == lane.number;
  });
}

std::set<size_t> CommitTurns::alone_sinks(const Lane& lane) const {
  std::set<size_t> sinks;
  for (const size_t i : lane.nodes) {
    const Node& node = pipeline_.nodes[i];
    if (node.kind == Kind::kSink && node.component->commits_alone) sinks.insert(i);
  }
  return sinks;
}

bool CommitTurns::is_free(const std::set<size_t>& sinks) const {
  if (PLANTED(exclusive_is_not)) return true;
  return std::none_of(sinks.begin(), sinks.end(),
                      [&](size_t sink) { return holders_.contains(sink); });
}

void CommitTurns::enter(const Lane& lane, const CancelToken& cancel) {
  Lock lock(mutex_);
  if (entered_.contains(lane.number)) return;
  const std::set<size_t> sinks = alone_sinks(lane);
  const std::string* failed = nullptr;
  // All sinks at once: a lane that has one and waits for another could wait for ever.
  changed_.wait(lock, [&] {
    if (cancel.cancelled() || entered_.contains(lane.number)) return true;
    failed = failed_before(lane, sinks);
    return failed || (is_turn_of(lane) && is_free(sinks));
  });
  if (cancel.cancelled()) throw Error(Code::kCancelled, "cancelled");
  if (entered_.contains(lane.number)) return;
  if (failed) {
    throw NodeError("", Code::kUnavailable,
                    lane.key + ": is held back, since " + *failed +
                        " failed before it, and its rows come first; run it again once that one is "
                        "fixed",
                    "", true);
  }
  for (const size_t sink : sinks) holders_[sink] = lane.number;
  entered_.insert(lane.number);
}

void CommitTurns::release(const Lane& lane) {
  entered_.erase(lane.number);
  std::erase_if(holders_, [&](const auto& held) { return held.second == lane.number; });
}

void CommitTurns::leave(const Lane& lane, bool is_on_record) {
  {
    const Guard lock(mutex_);
    if (is_on_record || !entered_.contains(lane.number)) return;
    release(lane);
  }
  if (PLANTED(turn_is_not_told)) return;
  changed_.notify_all();
}

void CommitTurns::end(const Lane& lane, bool succeeded) {
  {
    const Guard lock(mutex_);
    if (succeeded || PLANTED(failed_lane_holds_nobody)) {
      for (const auto& table : lane.ordered) std::erase(order_[table], lane.number);
      release(lane);
    } else {
      failed_[lane.number] = lane.key;
    }
  }
  changed_.notify_all();
}

void CommitTurns::wake() {
  {
    const Guard lock(mutex_);
  }  // nobody is between its look and its wait
  changed_.notify_all();
}

}  // namespace patchbay::host
