#include "engine/inbox.h"
#include "sync/planted.h"

namespace patchbay::host {

Inbox::Inbox(size_t inputs, int64_t max_bytes) : max_bytes_(max_bytes), queues_(inputs) {}

bool Inbox::push(size_t input, EdgeEvent event) {
  Lock lock(mutex_);
  Queue& queue = queues_[input];
  const auto fits = [&] {
    return closed_ || discards_ || queue.bytes == 0 || queue.bytes + event.bytes <= max_bytes_;
  };
  while (!fits()) {
    ++waiting_producers_;
    not_full_.wait(lock);
    --waiting_producers_;
  }
  if (closed_) return false;
  if (discards_ && event.is_data()) return true;
  queue.bytes += event.bytes;
  queue.events.push_back(std::move(event));
  // Notifying a consumer that is awake costs a system call for nothing.
  if (std::exchange(waiting_consumer_, false)) not_empty_.notify_one();
  return true;
}

EdgeEvent Inbox::take(Queue& queue) {
  EdgeEvent event = std::move(queue.events.front());
  queue.events.pop_front();
  queue.bytes -= discards_ ? 0 : event.bytes;
  if (waiting_producers_ > 0) not_full_.notify_all();
  return event;
}

std::optional<EdgeEvent> Inbox::pop(size_t input) {
  Lock lock(mutex_);
  Queue& queue = queues_[input];
  while (!closed_ && queue.events.empty()) {
    waiting_consumer_ = true;
    not_empty_.wait(lock);
  }
  if (closed_) return std::nullopt;
  return take(queue);
}

size_t Inbox::find_ready(const std::vector<bool>& held_back) const {
  for (size_t i = 0; i < queues_.size(); ++i) {
    const size_t at = (next_ + i) % queues_.size();
    if (!held_back[at] && !queues_[at].events.empty()) return at;
  }
  return queues_.size();
}

size_t Inbox::await(Lock& lock, const std::vector<bool>& held_back) {
  size_t ready = queues_.size();
  while (!closed_ && (ready = find_ready(held_back)) == queues_.size()) {
    waiting_consumer_ = true;
    not_empty_.wait(lock);
  }
  if (!closed_) next_ = (ready + 1) % queues_.size();
  return ready;
}

std::optional<std::pair<size_t, EdgeEvent>> Inbox::pop_any(const std::vector<bool>& held_back) {
  Lock lock(mutex_);
  const size_t ready = await(lock, held_back);
  if (closed_) return std::nullopt;
  return std::pair(ready, take(queues_[ready]));
}

std::optional<size_t> Inbox::wait_any(const std::vector<bool>& held_back) {
  Lock lock(mutex_);
  const size_t ready = await(lock, held_back);
  if (closed_) return std::nullopt;
  return ready;
}

void Inbox::close() {
  const Guard lock(mutex_);
  closed_ = true;
  for (auto& queue : queues_) queue = {};
  if (!PLANTED(closed_inbox_sleeps)) not_empty_.notify_all();
  not_full_.notify_all();
}

void Inbox::discard() {
  const Guard lock(mutex_);
  discards_ = true;
  for (auto& queue : queues_) {
    std::erase_if(queue.events, [](const EdgeEvent& event) { return event.is_data(); });
    queue.bytes = 0;
  }
  not_full_.notify_all();
}

int64_t Inbox::queued_bytes() const {
  const Guard lock(mutex_);
  int64_t bytes = 0;
  for (const auto& queue : queues_) bytes += queue.bytes;
  return bytes;
}

}  // namespace patchbay::host
