// Cancellation that a plugin can put into its poll set.
#pragma once

#include <atomic>
#include <chrono>

namespace patchbay::host {

// Thread-safe. Once cancelled it stays so.
class CancelToken {
 public:
  CancelToken();
  ~CancelToken();
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;

  void cancel();
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  int fd() const { return fd_; }  // readable once cancelled
  // Waits that long, or until cancelled; false when cancelled.
  bool wait_for(std::chrono::nanoseconds time) const;

 private:
  int fd_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace patchbay::host
