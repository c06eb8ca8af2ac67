// What a plugin sees of the host during one call, and for as long as its component lives.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "patchbay/abi.h"
#include "patchbay/batch.h"
#include "patchbay/config.h"

namespace patchbay {

// Lives as long as the component. Thread-safe.
class Context {
 public:
  Context(const bay_host* host, bay_context* context) : host_(host), context_(context) {}

  bool log_enabled(uint32_t level) const;
  // `fields_json` is a JSON object or empty. Never a value of a record, never a secret, never "it
  // worked".
  void log(uint32_t level, std::string_view message, std::string_view fields_json = {});
  void metric_add(std::string_view name_in_manifest, double amount);
  const void* extension(std::string_view id) const;

 private:
  const bay_host* host_;
  bay_context* context_;
};

enum class ChangeAction { kFail, kIgnore, kReject, kEvolve };
struct Change {
  ChangeAction action;
  Type type;  // kEvolve: the agreed type of the column
};

struct Rejection {
  std::string stream;
  std::string code;           // "type", "unknown_field", "constraint", ...
  std::string reason;         // never a value of the record
  std::string position_json;  // {"sequence": 17}; may be empty
};

// The epoch that a call on a sink is about; see bay_epoch.
struct Epoch {
  std::string scope, txn;
  uint64_t number = 0;
  uint64_t settled = 0;   // what is remembered of epochs up to this one may be forgotten
  bool complete = false;  // prepare: the stream was read from its start to its end
  bool durable = false;   // what is prepared has to outlive the process: BAY_EPOCH_DURABLE
};

// One call into the plugin. Valid until that call returns; the call's thread only.
class Call {
 public:
  Call(const bay_host* host, bay_call* call) : host_(host), call_(call) {}

  int cancel_fd() const;  // readable once cancelled: add it to every poll
  bool cancelled() const;
  void throw_if_cancelled() const;  // kCancelled
  std::chrono::steady_clock::time_point deadline() const;
  std::string secret(const Secret& secret) const;  // throws kAuth where it can't be had
  int64_t max_rows() const;                        // of the batch that `next` returns
  // How long to wait before attempt + 1 of something safe to repeat; nothing = give up.
  std::optional<std::chrono::nanoseconds> backoff(
      uint32_t attempt, std::optional<std::chrono::nanoseconds> retry_after = {});

  // `rows` have their batch's schema. Throws kCancelled once the pipeline's limit is passed.
  void reject(const Rejection& why, Batch rows);
  // A record that fits no schema, as its JSON text.
  void reject_record(const Rejection& why, std::string_view record_json);
  // Asks the pipeline's policy about a field the schema lacks; throws kSchema where it is `fail`.
  Change schema_change(std::string_view stream, std::string_view path, const Type& found);
  void durable_step(std::string_view name);  // before and after each durable effect

  // In calls on a sink. All empty where the host is older.
  Epoch epoch() const;
  // A name that is unique in the world: an absolute path, an object's URI. Throws kConfig where
  // another lane of the run writes it.
  void claim(std::string_view name);
  // In `plan`: a split that is read once has been, and need not be returned.
  bool is_done(std::string_view split_id);

  void put(std::string_view result);
  bay_call* raw() const { return call_; }
  const bay_host* host() const { return host_; }

 private:
  const bay_host* host_;
  bay_call* call_;
};

// What comes along an edge.
struct End {};
struct StreamBegin {
  uint32_t stream;
  SchemaPtr schema;
};
struct BatchEvent {
  uint32_t stream;
  Batch batch;
};
struct Barrier {
  uint64_t epoch;
};
struct Idle {
  std::chrono::milliseconds wait;
};
using Event = std::variant<End, StreamBegin, BatchEvent, Barrier, Idle>;

// A transform's incoming edge. Remembers the schemas of its streams, so that batches arrive with
// theirs.
class Input {
 public:
  explicit Input(bay_input* input) : input_(input) {}
  Event next(Call& call);

 private:
  bay_input* input_;
  std::vector<SchemaPtr> schemas_;
};

}  // namespace patchbay
