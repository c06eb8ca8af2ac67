#include "engine/commit_turns.h"

#include <algorithm>

#include "engine/call.h"

namespace patchbay::host {

void CommitTurns::expect(const Lane& lane) {
  const Guard lock(mutex_);
  for (const auto& table : lane.ordered) order_[table].push_back(lane.number);
}

CommitTurns::Turn CommitTurns::turn_of(const Lane& lane) const {
  for (const auto& table : lane.ordered) {
    if (failed_.contains(table)) return Turn::kHeldBack;
    const auto found = order_.find(table);
    if (found != order_.end() && !found->second.empty() && found->second.front() != lane.number)
      return Turn::kWait;
  }
  return Turn::kCome;
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
  return std::none_of(sinks.begin(), sinks.end(),
                      [&](size_t sink) { return holders_.contains(sink); });
}

void CommitTurns::enter(const Lane& lane, const CancelToken& cancel) {
  Lock lock(mutex_);
  if (entered_.contains(lane.number)) return;
  const std::set<size_t> sinks = alone_sinks(lane);
  Turn turn = Turn::kWait;
  // All sinks at once: a lane that has one and waits for another could wait for ever.
  changed_.wait(lock, [&] {
    if (cancel.cancelled() || entered_.contains(lane.number)) return true;
    turn = turn_of(lane);
    return turn == Turn::kHeldBack || (turn == Turn::kCome && is_free(sinks));
  });
  if (cancel.cancelled()) throw Error(Code::kCancelled, "cancelled");
  if (entered_.contains(lane.number)) return;
  if (turn == Turn::kHeldBack) {
    std::string before;
    for (const auto& table : lane.ordered) {
      if (const auto found = failed_.find(table); found != failed_.end()) before = found->second;
    }
    throw NodeError("", Code::kUnavailable,
                    lane.key + ": is held back, since " + before +
                        " failed before it and the later row of a key counts; run it again once "
                        "that one is fixed",
                    "", true);
  }
  for (const size_t sink : sinks) holders_[sink] = lane.number;
  entered_.insert(lane.number);
}

void CommitTurns::leave(const Lane& lane) {
  {
    const Guard lock(mutex_);
    if (entered_.erase(lane.number) == 0) return;
    std::erase_if(holders_, [&](const auto& held) { return held.second == lane.number; });
  }
  changed_.notify_all();
}

void CommitTurns::end(const Lane& lane, bool succeeded) {
  {
    const Guard lock(mutex_);
    for (const auto& table : lane.ordered) {
      std::erase(order_[table], lane.number);
      if (!succeeded) failed_.try_emplace(table, lane.key);
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
