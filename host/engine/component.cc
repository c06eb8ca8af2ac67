#include "engine/component.h"

#include <json/reader.h>
#include <json/writer.h>

namespace patchbay::host {
namespace {

bay_str str(std::string_view text) { return {text.data(), text.size()}; }
bay_bytes bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string write_json(const Json::Value& value) {
  static const Json::StreamWriterBuilder builder = [] {
    Json::StreamWriterBuilder b;
    b["indentation"] = "";
    b["emitUTF8"] = true;
    return b;
  }();
  return Json::writeString(builder, value);
}

[[noreturn]] void broken(const Instance& instance, const std::string& what) {
  throw NodeError(instance.node(), Code::kInternal,
                  "plugin " + instance.plugin() + ": " + what + "; this is a bug of the plugin", "",
                  false);
}

Json::Value parse_json(const Instance& instance, const std::string& text, const char* call) {
  Json::Value value;
  std::string errors;
  const std::unique_ptr<Json::CharReader> reader(Json::CharReaderBuilder().newCharReader());
  if (!reader->parse(text.data(), text.data() + text.size(), &value, &errors)) {
    broken(instance, std::string(call) + " put text that is no JSON");
  }
  return value;
}

class ExportedSchema {
 public:
  explicit ExportedSchema(const Schema& schema) { export_schema(schema, &schema_); }
  ~ExportedSchema() { schema_.release(&schema_); }
  ExportedSchema(const ExportedSchema&) = delete;
  ExportedSchema& operator=(const ExportedSchema&) = delete;
  const ArrowSchema* get() const { return &schema_; }

 private:
  ArrowSchema schema_;
};

// Whatever a plugin left in an event is released, also on the error paths.
struct OwnedEvent {
  bay_event event{};
  OwnedEvent() { event.struct_size = sizeof event; }
  OwnedEvent(const OwnedEvent&) = delete;
  OwnedEvent& operator=(const OwnedEvent&) = delete;
  ~OwnedEvent() {
    if (event.schema.release) event.schema.release(&event.schema);
    if (event.array.release) event.array.release(&event.array);
  }
};

bay_call make_call(const Instance& instance, NodeServices& services, std::string_view name) {
  return bay_call(services, instance.plugin(), instance.node(), name);
}

}  // namespace

Instance::Instance(const bay_component& component, std::string plugin, std::string node,
                   NodeLog& log, const std::string& config_json, NodeServices& services)
    : component_(component), plugin_(std::move(plugin)), node_(std::move(node)), context_{&log} {
  auto call = make_call(*this, services, "create");
  call.check(component_.common->create(&call, &context_, str(config_json), &object_));
  if (!object_) broken(*this, "create returned no object");
}

Instance::~Instance() {
  if (!object_) return;
  const CrashGuard guard({plugin_, node_, "destroy"});
  component_.common->destroy(object_);
}

void Instance::check(NodeServices& services) {
  if (!BAY_HAS(component_.common, bay_component_vt, check)) return;
  auto call = make_call(*this, services, "check");
  call.check(component_.common->check(&call, object_));
}

void Instance::interrupt() const {
  if (!BAY_HAS(component_.common, bay_component_vt, interrupt)) return;
  const CrashGuard guard({plugin_, node_, "interrupt"});
  component_.common->interrupt(object_);
}

std::vector<Json::Value> Instance::discover(NodeServices& services) {
  auto call = make_call(*this, services, "discover");
  if (!BAY_HAS(component_.source, bay_source_vt, discover)) return {};
  call.check(component_.source->discover(&call, object_));
  std::vector<Json::Value> streams;
  for (const auto& text : call.results) {
    streams.push_back(parse_json(*this, text, "discover"));
    if (!streams.back().isObject() || !streams.back()["name"].isString()) {
      broken(*this, "discover put a stream without a name");
    }
  }
  return streams;
}

std::vector<SplitPlan> Instance::plan(NodeServices& services,
                                      const std::vector<std::string>& streams, uint32_t want) {
  Json::Value selection(Json::objectValue);
  selection["streams"] = Json::arrayValue;
  for (const auto& stream : streams) selection["streams"].append(stream);
  const std::string selection_json = write_json(selection);
  auto call = make_call(*this, services, "plan");
  call.check(component_.source->plan(&call, object_, str(selection_json), want));
  std::vector<SplitPlan> splits;
  for (const auto& text : call.results) {
    try {
      splits.push_back(parse_split(text));
    } catch (const Error& error) {
      broken(*this, std::string("plan put ") + error.what());
    }
  }
  return splits;
}

std::unique_ptr<ReaderHandle> Instance::open_split(NodeServices& services,
                                                   const std::string& split_json,
                                                   const std::string& state_json) {
  auto call = make_call(*this, services, "open");
  bay_reader* reader = nullptr;
  call.check(
      component_.source->open(&call, object_, bytes(split_json), bytes(state_json), &reader));
  if (!reader) broken(*this, "open returned no reader");
  return std::make_unique<ReaderHandle>(*this, reader);
}

std::vector<Schema> Instance::bind(NodeServices& services, const std::vector<SchemaPtr>& in) {
  if (!BAY_HAS(component_.transform, bay_transform_vt, bind)) return {};
  std::vector<std::unique_ptr<ExportedSchema>> owned;
  std::vector<const ArrowSchema*> schemas;
  for (const auto& schema : in) {
    owned.push_back(std::make_unique<ExportedSchema>(*schema));
    schemas.push_back(owned.back()->get());
  }
  auto call = make_call(*this, services, "bind");
  call.check(component_.transform->bind(&call, object_, schemas.data(),
                                        static_cast<uint32_t>(schemas.size())));
  std::vector<Schema> out;
  for (const auto& text : call.results)
    out.push_back(schema_from_json(parse_json(*this, text, "bind")));
  return out;
}

std::unique_ptr<ReaderHandle> Instance::open_inputs(NodeServices& services,
                                                    std::span<bay_input* const> inputs) {
  auto call = make_call(*this, services, "open");
  bay_reader* reader = nullptr;
  call.check(component_.transform->open(&call, object_, inputs.data(),
                                        static_cast<uint32_t>(inputs.size()), &reader));
  if (!reader) broken(*this, "open returned no reader");
  return std::make_unique<ReaderHandle>(*this, reader);
}

std::optional<std::string> Instance::file_of(NodeServices& services,
                                             const std::vector<std::string>& records) {
  if (!BAY_HAS(component_.transform, bay_transform_vt, file_of)) return std::nullopt;
  std::vector<bay_bytes> texts;
  for (const auto& record : records) texts.push_back(bytes(record));
  auto call = make_call(*this, services, "file_of");
  call.check(component_.transform->file_of(&call, object_, texts.data(), texts.size()));
  if (call.results.empty()) return std::nullopt;
  return std::move(call.results[0]);
}

Json::Value Instance::plan_schema(NodeServices& services, const Schema& stream) {
  Json::Value steps(Json::arrayValue);
  if (!BAY_HAS(component_.sink, bay_sink_vt, plan_schema)) return steps;
  const ExportedSchema schema(stream);
  auto call = make_call(*this, services, "plan_schema");
  call.check(component_.sink->plan_schema(&call, object_, schema.get()));
  for (const auto& text : call.results) {
    steps.append(parse_json(*this, text, "plan_schema"));
    const Json::Value& step = steps[steps.size() - 1];
    if (!step.isObject() || !step["action"].isString())
      broken(*this, "plan_schema put a step without action");
  }
  return steps;
}

void Instance::apply_schema(NodeServices& services, const Schema& stream,
                            const Json::Value& steps) {
  if (!BAY_HAS(component_.sink, bay_sink_vt, apply_schema)) return;
  const ExportedSchema schema(stream);
  const std::string text = write_json(steps);
  auto call = make_call(*this, services, "apply_schema");
  call.check(component_.sink->apply_schema(&call, object_, schema.get(), str(text)));
}

std::unique_ptr<WriterHandle> Instance::open_writer(NodeServices& services, const Schema& stream,
                                                    const std::string& txn) {
  const ExportedSchema schema(stream);
  auto call = make_call(*this, services, "open");
  bay_writer* writer = nullptr;
  call.check(component_.sink->open(&call, object_, schema.get(), str(txn), &writer));
  if (!writer) broken(*this, "open returned no writer");
  return std::make_unique<WriterHandle>(*this, writer);
}

void Instance::commit(NodeServices& services, const std::string& txn, uint64_t epoch,
                      std::span<const std::string> tokens) {
  std::vector<bay_bytes> borrowed;
  for (const auto& token : tokens) borrowed.push_back(bytes(token));
  auto call = make_call(*this, services, "commit");
  call.check(
      component_.sink->commit(&call, object_, str(txn), epoch, borrowed.data(), borrowed.size()));
}

void Instance::abort(NodeServices& services, std::span<const std::string> txns) {
  std::vector<bay_str> borrowed;
  for (const auto& txn : txns) borrowed.push_back(str(txn));
  auto call = make_call(*this, services, "abort");
  call.check(component_.sink->abort(&call, object_, borrowed.data(), borrowed.size()));
}

Outcome Instance::outcome(NodeServices& services, const std::string& txn,
                          std::span<const std::string> tokens) {
  if (!BAY_HAS(component_.sink, bay_sink_vt, outcome)) return Outcome::kUnknown;
  std::vector<bay_bytes> borrowed;
  for (const auto& token : tokens) borrowed.push_back(bytes(token));
  auto call = make_call(*this, services, "outcome");
  int32_t outcome = BAY_OUTCOME_UNKNOWN;
  call.check(component_.sink->outcome(&call, object_, str(txn), borrowed.data(), borrowed.size(),
                                      &outcome));
  switch (outcome) {
    case BAY_OUTCOME_COMMITTED:
      return Outcome::kCommitted;
    case BAY_OUTCOME_PREPARED:
      return Outcome::kPrepared;
    case BAY_OUTCOME_GONE:
      return Outcome::kGone;
    case BAY_OUTCOME_UNKNOWN:
      return Outcome::kUnknown;
    default:
      broken(*this, "outcome wrote " + std::to_string(outcome) + ", which is none");
  }
}

uint64_t Instance::newest(NodeServices& services) {
  if (!BAY_HAS(component_.sink, bay_sink_vt, newest)) return 0;
  auto call = make_call(*this, services, "newest");
  uint64_t number = 0;
  call.check(component_.sink->newest(&call, object_, &number));
  return number;
}

ReaderHandle::~ReaderHandle() {
  const CrashGuard guard({instance_.plugin(), instance_.node(), "close"});
  instance_.table().reader->close(reader_);
}

HostEvent ReaderHandle::next(NodeServices& services) {
  auto call = make_call(instance_, services, "next");
  OwnedEvent owned;
  if (call.check(instance_.table().reader->next(&call, reader_, &owned.event)) == BAY_END)
    return {};
  HostEvent event;
  event.kind = owned.event.kind;
  event.stream = owned.event.stream;
  event.epoch = owned.event.epoch;
  event.wait = std::chrono::milliseconds(owned.event.wait_ms);
  if (event.kind == BAY_EVENT_STREAM) {
    if (!owned.event.schema.release) broken(instance_, "a STREAM event without a schema");
    event.schema = std::make_shared<Schema>(import_schema(owned.event.schema));
  } else if (event.kind == BAY_EVENT_BATCH) {
    if (!owned.event.array.release) broken(instance_, "a BATCH event without an array");
    event.array = Array(&owned.event.array);
  } else if (event.kind != BAY_EVENT_BARRIER && event.kind != BAY_EVENT_IDLE) {
    broken(instance_, "an event of unknown kind " + std::to_string(event.kind));
  }
  return event;
}

bay_status ReaderHandle::checkpoint(NodeServices& services, std::string& state_json) {
  if (!BAY_HAS(instance_.table().reader, bay_reader_vt, checkpoint)) return BAY_UNCHANGED;
  auto call = make_call(instance_, services, "checkpoint");
  const bay_status status = call.check(instance_.table().reader->checkpoint(&call, reader_));
  if (status != BAY_OK) return status;
  if (call.results.size() != 1 || call.results[0].empty()) {
    broken(instance_, "checkpoint put no state; it must be one JSON value, or UNCHANGED");
  }
  parse_json(instance_, call.results[0], "checkpoint");
  state_json = std::move(call.results[0]);
  return BAY_OK;
}

void ReaderHandle::committed(NodeServices& services, uint64_t epoch) {
  if (!BAY_HAS(instance_.table().reader, bay_reader_vt, committed)) return;
  auto call = make_call(instance_, services, "committed");
  call.check(instance_.table().reader->committed(&call, reader_, epoch));
}

void ReaderHandle::refused(NodeServices& services, Code why) {
  if (!BAY_HAS(instance_.table().reader, bay_reader_vt, refused)) return;
  auto call = make_call(instance_, services, "refused");
  call.check(instance_.table().reader->refused(&call, reader_, static_cast<bay_status>(why)));
}

WriterHandle::~WriterHandle() {
  const CrashGuard guard({instance_.plugin(), instance_.node(), "close"});
  instance_.table().sink->close(writer_);
}

void WriterHandle::write(NodeServices& services, Array array) {
  ArrowArray moved;
  array.move_to(&moved);
  auto call = make_call(instance_, services, "write");
  call.check(instance_.table().sink->write(&call, writer_, &moved));
}

PreparedWriter WriterHandle::prepare(NodeServices& services) {
  PreparedWriter prepared;
  auto call = make_call(instance_, services, "prepare");
  call.check(instance_.table().sink->prepare(&call, writer_, &prepared.rows_accepted));
  if (call.results.size() != 1) broken(instance_, "prepare must put exactly one token");
  prepared.token = std::move(call.results[0]);
  return prepared;
}

}  // namespace patchbay::host
