// C++ handles over a plugin's tables. Every call may throw NodeError; each handle is used by one
// thread at a time.
#pragma once

#include <json/value.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/call.h"
#include "engine/split_plan.h"
#include "patchbay/abi.h"
#include "patchbay/batch.h"
#include "patchbay/plugin.h"

namespace patchbay::host {

// What `next` gave: owned by the host from here on.
struct HostEvent {
  uint32_t kind = 0;  // BAY_EVENT_*; 0 = end
  uint32_t stream = 0;
  std::chrono::milliseconds wait{0};
  uint64_t epoch = 0;
  SchemaPtr schema;  // STREAM
  Array array;       // BATCH
};

class Instance;

class ReaderHandle {
 public:
  ReaderHandle(const Instance& instance, bay_reader* reader)
      : instance_(instance), reader_(reader) {}
  ~ReaderHandle();
  ReaderHandle(const ReaderHandle&) = delete;
  ReaderHandle& operator=(const ReaderHandle&) = delete;

  HostEvent next(NodeServices& services);
  // BAY_OK with `state_json` filled, BAY_UNCHANGED or BAY_NOT_NOW.
  bay_status checkpoint(NodeServices& services, std::string& state_json);
  void committed(NodeServices& services, uint64_t epoch);
  void refused(NodeServices& services, Code why);

 private:
  const Instance& instance_;
  bay_reader* reader_;
};

struct PreparedWriter {
  std::string token;
  int64_t rows_accepted = 0;
};

class WriterHandle {
 public:
  WriterHandle(const Instance& instance, bay_writer* writer)
      : instance_(instance), writer_(writer) {}
  ~WriterHandle();
  WriterHandle(const WriterHandle&) = delete;
  WriterHandle& operator=(const WriterHandle&) = delete;

  void write(NodeServices& services, Array array);
  PreparedWriter prepare(NodeServices& services);

 private:
  const Instance& instance_;
  bay_writer* writer_;
};

// One configured component. Outlives its readers and writers.
class Instance {
 public:
  Instance(const bay_component& component, std::string plugin, std::string node, NodeLog& log,
           const std::string& config_json, NodeServices& services);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  void check(NodeServices& services);
  void interrupt() const;  // any thread

  std::vector<Json::Value> discover(NodeServices& services);
  std::vector<SplitPlan> plan(NodeServices& services, const std::vector<std::string>& streams,
                              uint32_t want);
  std::unique_ptr<ReaderHandle> open_split(NodeServices& services, const std::string& split_json,
                                           const std::string& state_json);

  std::vector<Schema> bind(NodeServices& services, const std::vector<SchemaPtr>& in);
  std::unique_ptr<ReaderHandle> open_inputs(NodeServices& services,
                                            std::span<bay_input* const> inputs);
  // Nothing where the plugin makes no file of what it refused.
  std::optional<std::string> file_of(NodeServices& services,
                                     const std::vector<std::string>& records);

  Json::Value plan_schema(NodeServices& services, const Schema& stream);
  void apply_schema(NodeServices& services, const Schema& stream, const Json::Value& steps);
  std::unique_ptr<WriterHandle> open_writer(NodeServices& services, const Schema& stream,
                                            const std::string& txn);
  void commit(NodeServices& services, const std::string& txn, uint64_t epoch,
              std::span<const std::string> tokens);
  void abort(NodeServices& services, std::span<const std::string> txns);
  // Unknown where the plugin can't say.
  Outcome outcome(NodeServices& services, const std::string& txn,
                  std::span<const std::string> tokens);
  uint64_t newest(NodeServices& services);  // 0 where the plugin can't say

  const bay_component& table() const { return component_; }
  const std::string& plugin() const { return plugin_; }
  const std::string& node() const { return node_; }

 private:
  const bay_component& component_;
  std::string plugin_;
  std::string node_;
  bay_context context_;
  bay_object* object_ = nullptr;
};

}  // namespace patchbay::host
