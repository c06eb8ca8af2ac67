// The host's side of one call into a plugin: what bay_host's functions do.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/retry.h"
#include "loader/crash_guard.h"
#include "patchbay/abi.h"
#include "patchbay/batch.h"
#include "patchbay/error.h"
#include "sync/cancel.h"
#include "sync/sync.h"

namespace patchbay::host {

struct RejectedRows {
  std::string stream;
  std::string code;
  std::string reason;
  std::string position_json;
  Batch rows;
};

struct ChangeDecision {
  int32_t action;           // BAY_CHANGE_*
  std::string agreed_type;  // BAY_CHANGE_EVOLVE
};

// The epoch that a call on a sink is about; the texts outlive the call.
struct EpochInfo {
  std::string scope, txn;
  uint64_t number = 0;
  uint64_t settled = 0;
  bool complete = false;
  bool durable = false;
};

// Which call is at work on a node, for those who tell of calls that take long.
class CallClock {
 public:
  void begin(std::string_view literal) {
    since_ns_ = sync::now().time_since_epoch().count();
    failed_tries_ = 0;
    name_ = literal.data();
  }
  void end() { name_ = nullptr; }
  // The plugin waits to try once more what has failed so many times.
  void tries_again(uint32_t failed) { failed_tries_ = failed; }
  // A literal, and since when; null while none is at work, or one that waits for its own input.
  struct Call {
    const char* name;
    std::chrono::steady_clock::time_point since;
    uint32_t failed_tries;
  };
  Call at_work() const {
    const char* name = name_;
    return {name, std::chrono::steady_clock::time_point(std::chrono::nanoseconds(since_ns_)),
            failed_tries_};
  }

 private:
  std::atomic<const char*> name_{nullptr};
  std::atomic<int64_t> since_ns_{0};
  std::atomic<uint32_t> failed_tries_{0};
};

// What a node may ask of the host while it is called. One per node and lane; the calling thread's
// only.
class NodeServices {
 public:
  virtual ~NodeServices() = default;
  CallClock clock;
  virtual const CancelToken& cancel() const = 0;
  virtual RetryLimits retry() const = 0;
  virtual std::string secret(std::string_view name) = 0;
  virtual bay_status input_next(bay_call* call, bay_input* input, bay_event* out) = 0;
  virtual bay_status reject(RejectedRows rejected) = 0;
  virtual int64_t max_rows() = 0;
  virtual ChangeDecision schema_change(std::string_view stream, std::string_view path,
                                       std::string_view type) = 0;
  virtual void durable_step(std::string_view name) = 0;
  virtual const EpochInfo* epoch() const = 0;           // null outside of calls on a sink
  virtual void claim(std::string_view name) = 0;        // throws kConfig where another lane has it
  virtual bool is_done(std::string_view split_id) = 0;  // of a source's `plan`
};

// A component's logging and metrics. Thread-safe, outlives the component.
class NodeLog {
 public:
  virtual ~NodeLog() = default;
  virtual bool enabled(uint32_t level) const = 0;
  virtual void log(uint32_t level, std::string_view message, std::string_view fields_json) = 0;
  virtual void metric_add(std::string_view name, double amount) = 0;
};

// The functions that every plugin gets.
const bay_host* host_table();

// An Error that knows the node it came from.
class NodeError : public Error {
 public:
  NodeError(std::string node, Code code, const std::string& message, std::string detail_json,
            bool exhausted)
      : Error(code, message, std::move(detail_json)),
        node_(std::move(node)),
        exhausted_(exhausted) {}
  const std::string& node() const { return node_; }
  bool exhausted() const {
    return exhausted_;
  }  // its retries are used up: the lane is not tried again

 private:
  std::string node_;
  bool exhausted_;
};

}  // namespace patchbay::host

struct bay_context {
  patchbay::host::NodeLog* log;
};

struct bay_call {
  patchbay::host::NodeServices& services;
  patchbay::host::CrashGuard guard;
  std::string_view plugin, node, name;

  bay_status status = BAY_OK;
  std::string message;
  std::string detail_json;
  std::vector<std::string> results;
  std::string agreed_type;
  std::optional<patchbay::host::Backoff> backoff;
  bool exhausted = false;

  bay_call(patchbay::host::NodeServices& node_services, std::string_view plugin_id,
           std::string_view node_id, std::string_view call_name)
      : services(node_services),
        guard({plugin_id, node_id, call_name}),
        plugin(plugin_id),
        node(node_id),
        name(call_name) {
    services.clock.begin(call_name);
  }
  ~bay_call() { services.clock.end(); }
  bay_call(const bay_call&) = delete;
  bay_call& operator=(const bay_call&) = delete;

  // Throws NodeError for a negative status; otherwise returns it.
  bay_status check(bay_status returned);
};
