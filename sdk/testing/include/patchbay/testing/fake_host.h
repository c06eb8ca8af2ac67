// A host inside a unit test: tells a plugin what the test says and keeps what the plugin does.
//
//   FakeHost host;
//   host.secrets["key"] = "s3cret";
//   const bay_plugin* plugin = patchbay_plugin_v1(FakeHost::table());
//
// Waits are zero, policies are fixed values, nothing leaves the process.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "patchbay/abi.h"
#include "patchbay/call.h"

namespace patchbay::test {

struct LogLine {
  uint32_t level;
  std::string message;
  std::string fields_json;
};

struct RejectedRows {
  Rejection why;
  SchemaPtr schema;  // null where the rows have the stream's own
  Batch rows;        // without a schema where `schema` is null
  int64_t count = 0;
};

struct AskedChange {
  std::string stream, path, type;
};

// Readers of one component may call it from several threads; the fields are the test's to read once
// those have ended.
class FakeHost {
 public:
  FakeHost();
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  static const bay_host* table();  // one for all hosts of a process: the calls tell them apart
  bay_context* context() { return reinterpret_cast<bay_context*>(this); }
  void cancel();   // every call, from now on; any thread
  void restore();  // takes cancel() back

  // What the plugin is told.
  std::map<std::string, std::string, std::less<>> secrets;  // another name is BAY_E_AUTH
  std::optional<std::string> any_secret;                    // the value of all names but those
  int64_t max_rows = 65536;
  uint32_t attempts = 5;  // backoff gives up after so many
  std::optional<std::chrono::steady_clock::time_point> deadline;
  int32_t on_schema_change = BAY_CHANGE_FAIL;
  std::map<std::string, std::string, std::less<>> agreed_types;  // by path; default: as found
  uint32_t log_level = BAY_LOG_TRACE;
  int64_t max_rejects = INT64_MAX;  // past it reject returns BAY_E_CANCELLED
  std::string throw_at_step;        // durable_step throws "crash at STEP" there
  // What epoch() returns in every call; SinkDriver keeps txn and number up to date.
  Epoch epoch{"store/local/test/sink", "", 1, 0, false};
  std::string lane = "lane";                // that claims names
  std::set<std::string, std::less<>> done;  // ids of splits that is_done knows

  // What the plugin did.
  std::vector<LogLine> logs;
  std::map<std::string, double, std::less<>> metrics;
  std::vector<RejectedRows> rejects;
  std::vector<AskedChange> asked_changes;
  std::vector<int64_t> retry_afters;  // nanoseconds, -1 without a wish; one per backoff
  std::vector<std::string> steps;
  std::map<std::string, std::string, std::less<>> claims;  // by name: the lane that has it
  int64_t rows_rejected = 0;

 private:
  friend struct HostFunctions;
  std::mutex mutex_;
  int cancel_fd_;
};

// One call into the plugin.
class FakeCall {
 public:
  explicit FakeCall(FakeHost& owner) : host(&owner) {}
  bay_call* raw() { return reinterpret_cast<bay_call*>(this); }
  // Throws what the plugin, or this host, said. A failure without text is kInternal.
  bay_status check(bay_status returned) const;

  FakeHost* host;
  bay_status status = BAY_OK;
  std::string message;
  std::string detail_json;
  std::vector<std::string> results;
  std::string agreed_type;
};

// A transform's incoming edge: yields its events in order, then the end.
class FakeInput {
 public:
  explicit FakeInput(std::deque<Event> queue = {}) : events(std::move(queue)) {}
  bay_input* raw() { return reinterpret_cast<bay_input*>(this); }
  void stream(uint32_t index, SchemaPtr schema) { events.push_back(StreamBegin{index, schema}); }
  void batch(uint32_t index, Batch batch) { events.push_back(BatchEvent{index, std::move(batch)}); }
  void barrier(uint64_t epoch) { events.push_back(Barrier{epoch}); }

  std::deque<Event> events;
  std::optional<Error> failure;  // after the events, in place of the end
};

}  // namespace patchbay::test
