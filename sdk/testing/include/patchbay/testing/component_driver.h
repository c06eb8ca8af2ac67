// Drives one component of a plugin as the host does, through the C tables. Everything throws Error
// with the plugin's text; breaches of the event protocol are kInternal.
//
//   FakeHost host;
//   SourceDriver source(host, *plugin, "numbers", config);
//   auto batches = source.read_all();
#pragma once

#include <json/value.h>

#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "patchbay/testing/fake_host.h"

namespace patchbay::test {

const bay_component& find_component(const bay_plugin& plugin, uint32_t kind, std::string_view name);

// A created component.
class ComponentDriver {
 public:
  ComponentDriver(FakeHost& host, const bay_component& component, std::string_view config_json);
  ~ComponentDriver();
  ComponentDriver(const ComponentDriver&) = delete;
  ComponentDriver& operator=(const ComponentDriver&) = delete;

  void check();
  void interrupt() const;  // any thread
  FakeHost& host() const { return host_; }
  const bay_component& table() const { return component_; }
  bay_object* raw() const { return object_; }

 private:
  FakeHost& host_;
  const bay_component& component_;
  bay_object* object_ = nullptr;
};

// An open reader. Checks every event: streams before their batches, indices in order, arrays that
// keep to their schema, not more rows than allowed.
class ReaderDriver {
 public:
  ReaderDriver(FakeHost& host, const bay_reader_vt& table, bay_reader* moved)
      : host_(&host), table_(&table), reader_(moved) {}
  ReaderDriver(ReaderDriver&& other) noexcept;
  ReaderDriver& operator=(ReaderDriver&&) = delete;
  ~ReaderDriver();

  Event next();
  Checkpoint checkpoint(Json::Value& state);
  void committed(uint64_t epoch);
  void refused(Code why);

  std::vector<Event> events();   // up to the end, without it
  std::vector<Batch> batches();  // of the events up to the end

 private:
  Event stream(bay_event& event);
  Event batch(bay_event& event);

  FakeHost* host_;
  const bay_reader_vt* table_;
  bay_reader* reader_;
  std::vector<SchemaPtr> schemas_;  // by stream
  int idle_ = 0;
};

class SourceDriver : public ComponentDriver {
 public:
  SourceDriver(FakeHost& host, const bay_plugin& plugin, std::string_view name,
               const Json::Value& config);
  std::vector<Schema> discover();
  std::vector<Json::Value> plan(const std::vector<std::string>& streams = {}, uint32_t want = 1);
  // Also those without an id, which only say that their stream is there.
  std::vector<Json::Value> plan_all(const std::vector<std::string>& streams = {},
                                    uint32_t want = 1);
  ReaderDriver open(const Json::Value& split, const Json::Value& state = {});
  std::vector<Batch> read_all();  // of all splits, one after the other
};

// The inputs outlive the reader.
class TransformDriver : public ComponentDriver {
 public:
  TransformDriver(FakeHost& host, const bay_plugin& plugin, std::string_view name,
                  const Json::Value& config);
  std::vector<Schema> bind(const std::vector<Schema>& in);
  ReaderDriver open(const std::vector<FakeInput*>& inputs);
  // One input with one stream of these batches.
  std::vector<Batch> run(const SchemaPtr& schema, std::vector<Batch> batches);
};

class WriterDriver {
 public:
  WriterDriver(FakeHost& host, const bay_sink_vt& table, bay_writer* moved)
      : host_(&host), table_(&table), writer_(moved) {}
  WriterDriver(WriterDriver&& other) noexcept;
  WriterDriver& operator=(WriterDriver&&) = delete;
  ~WriterDriver();

  void write(Batch batch);
  Prepared prepare();

 private:
  FakeHost* host_;
  const bay_sink_vt* table_;
  bay_writer* writer_;
};

class SinkDriver : public ComponentDriver {
 public:
  SinkDriver(FakeHost& host, const bay_plugin& plugin, std::string_view name,
             const Json::Value& config);
  Json::Value plan_schema(const Schema& stream);
  void apply_schema(const Schema& stream, const Json::Value& steps);
  WriterDriver open(const Schema& stream, const std::string& txn);
  void commit(const std::string& txn, uint64_t epoch, const std::vector<std::string>& tokens);
  void abort(const std::vector<std::string>& txns);
  Outcome outcome(const std::string& txn, const std::vector<std::string>& tokens);
  uint64_t newest();

  // Plans and applies the schema, writes, and prepares: one writer's part of an epoch.
  Prepared prepare_all(const Schema& stream, const std::string& txn, std::vector<Batch> batches);
  // The same and commits.
  Prepared write_all(const Schema& stream, const std::string& txn, std::vector<Batch> batches);
};

int64_t count_rows(const std::vector<Batch>& batches);
std::vector<std::string> rows_as_json(const std::vector<Batch>& batches);

}  // namespace patchbay::test
