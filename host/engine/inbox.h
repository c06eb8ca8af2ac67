// The incoming edges of one node: bounded queues by bytes, one per input.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "patchbay/batch.h"
#include "sync/sync.h"

namespace patchbay::host {

struct EdgeEvent {
  enum class Kind : uint8_t { kStream, kBatch, kBarrier, kEnd };
  Kind kind = Kind::kEnd;
  uint32_t stream = 0;
  uint64_t epoch = 0;  // kBarrier: counted within the lane
  SchemaPtr schema;    // kStream
  std::string origin;  // kStream: the source's stream that it comes from, for counting
  Batch batch;         // kBatch
  int64_t bytes = 0;   // kBatch

  bool is_data() const { return kind == Kind::kStream || kind == Kind::kBatch; }
};

// One consumer, one producer per input. Closing wakes both ends, so that neither waits for a dead
// other.
class Inbox {
 public:
  Inbox(size_t inputs, int64_t max_bytes);

  // Waits while the input holds max_bytes; one event always fits. False once closed.
  bool push(size_t input, EdgeEvent event);
  // The next event of the input. Nothing once closed; what is queued then is dropped.
  std::optional<EdgeEvent> pop(size_t input);
  // The next event of any input that is not held back. An input is exhausted after kEnd.
  std::optional<std::pair<size_t, EdgeEvent>> pop_any(const std::vector<bool>& held_back);
  // The input that pop_any would take from, once there is one. Nothing once closed.
  std::optional<size_t> wait_any(const std::vector<bool>& held_back);
  void close();
  // From now on streams and batches are dropped as they come, so that nobody waits for room.
  void discard();

  size_t inputs() const { return queues_.size(); }
  int64_t queued_bytes() const;

 private:
  struct Queue {
    std::deque<EdgeEvent> events;
    int64_t bytes = 0;
  };
  EdgeEvent take(Queue& queue);
  // Waits for an input that is not held back to have an event.
  size_t await(Lock& lock, const std::vector<bool>& held_back);
  size_t find_ready(const std::vector<bool>& held_back) const;

  const int64_t max_bytes_;
  mutable sync::Mutex mutex_;
  sync::Condition not_empty_;
  sync::Condition not_full_;
  std::vector<Queue> queues_;
  size_t next_ = 0;  // where pop_any looks first, so that no input starves
  uint32_t waiting_producers_ = 0;
  bool waiting_consumer_ = false;
  bool closed_ = false;
  bool discards_ = false;
};

}  // namespace patchbay::host
