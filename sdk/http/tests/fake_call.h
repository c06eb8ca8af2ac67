// A call whose back-off and cancellation a test decides on.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "patchbay/call.h"

namespace patchbay {

class FakeCall {
 public:
  struct Asked {
    uint32_t attempt;
    int64_t retry_after_ns;
  };

  // Allows so many repeats in all, after `wait` each.
  explicit FakeCall(int repeats = 0, std::chrono::nanoseconds wait = {})
      : repeats_(repeats), wait_(wait), cancel_(eventfd(0, EFD_CLOEXEC)) {
    host_.struct_size = sizeof host_;
    host_.cancel_fd = [](const bay_call* call) { return self(call)->cancel_; };
    host_.deadline_ns = [](const bay_call* call) { return self(call)->deadline_ns_; };
    host_.backoff = [](bay_call* call, uint32_t attempt, int64_t retry_after) {
      return self(call)->backoff(attempt, retry_after);
    };
  }
  ~FakeCall() { close(cancel_); }
  FakeCall(const FakeCall&) = delete;
  FakeCall& operator=(const FakeCall&) = delete;

  Call& call() { return call_; }
  void cancel() { eventfd_write(cancel_, 1); }
  void set_deadline(std::chrono::steady_clock::time_point time) {
    deadline_ns_ = std::chrono::nanoseconds(time.time_since_epoch()).count();
  }
  void on_backoff(std::function<void()> then) { then_ = std::move(then); }
  const std::vector<Asked>& asked() const { return asked_; }

 private:
  static FakeCall* self(const bay_call* call) {
    return reinterpret_cast<FakeCall*>(const_cast<bay_call*>(call));
  }
  int64_t backoff(uint32_t attempt, int64_t retry_after) {
    asked_.push_back({attempt, retry_after});
    if (then_) then_();
    return repeats_-- > 0 ? wait_.count() : -1;
  }

  int repeats_;
  const std::chrono::nanoseconds wait_;
  const int cancel_;
  int64_t deadline_ns_ = std::numeric_limits<int64_t>::max();
  std::function<void()> then_;
  std::vector<Asked> asked_;
  bay_host host_{};
  Call call_{&host_, reinterpret_cast<bay_call*>(this)};
};

// The error that `action` ends with; fails the test's expectations where it ends without one.
template <class F>
Error error_of(F action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kInternal, "no error");
}

}  // namespace patchbay
