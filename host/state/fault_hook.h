// Kills this process at a chosen durable step, so that tests can show that recovery works from
// every one of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace patchbay::host {

// Configured by the environment variable PATCHBAY_FAULT: "7" = SIGKILL at the 7th step,
// "state.record:2" = at the second step of that name, "list" = every step to stderr. Thread-safe.
class FaultHook {
 public:
  explicit FaultHook(const char* setting);
  void step(std::string_view name);

 private:
  std::string name_;
  uint64_t kill_at_ = 0;
  bool list_ = false;
  std::atomic<uint64_t> steps_{0};
};

}  // namespace patchbay::host
