#include "patchbay/testing/component_driver.h"

#include <utility>

#include "patchbay/json_value.h"
#include "patchbay/object.h"

namespace patchbay::test {
namespace {

bay_str str(std::string_view text) { return {text.data(), text.size()}; }
bay_bytes bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

constexpr int kMostIdle = 10000;  // a test's source that has nothing left must end

[[noreturn]] void breach(const std::string& what) { throw Error(Code::kInternal, what); }

// A schema in its C form, released at the end.
struct ExportedSchema {
  ArrowSchema c{};
  explicit ExportedSchema(const Schema& schema) { export_schema(schema, &c); }
  ExportedSchema(const ExportedSchema&) = delete;
  ExportedSchema& operator=(const ExportedSchema&) = delete;
  ~ExportedSchema() { c.release(&c); }
};

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

std::vector<Json::Value> parse_all(const std::vector<std::string>& results) {
  std::vector<Json::Value> out;
  for (const auto& result : results) out.push_back(parse_json(result));
  return out;
}

std::vector<Schema> parse_schemas(const std::vector<std::string>& results) {
  std::vector<Schema> out;
  for (const auto& result : results) out.push_back(schema_from_json(parse_json(result)));
  return out;
}

std::string_view kind_name(uint32_t kind) {
  return kind == BAY_SOURCE ? "source" : kind == BAY_TRANSFORM ? "transform" : "sink";
}

}  // namespace

const bay_component& find_component(const bay_plugin& plugin, uint32_t kind,
                                    std::string_view name) {
  for (size_t i = 0; i < plugin.n_components; ++i) {
    const bay_component& component = *plugin.components[i];
    if (component.kind == kind &&
        std::string_view(component.name.data, component.name.size) == name)
      return component;
  }
  breach("the plugin has no " + std::string(kind_name(kind)) + " " + std::string(name));
}

ComponentDriver::ComponentDriver(FakeHost& host, const bay_component& component,
                                 std::string_view config_json)
    : host_(host), component_(component) {
  FakeCall call(host);
  call.check(component.common->create(call.raw(), host.context(), str(config_json), &object_));
  if (!object_) breach("create: succeeded without an object");
}

ComponentDriver::~ComponentDriver() { component_.common->destroy(object_); }

void ComponentDriver::check() {
  if (!BAY_HAS(component_.common, bay_component_vt, check)) return;
  FakeCall call(host_);
  call.check(component_.common->check(call.raw(), object_));
}

void ComponentDriver::interrupt() const {
  if (BAY_HAS(component_.common, bay_component_vt, interrupt))
    component_.common->interrupt(object_);
}

ReaderDriver::ReaderDriver(ReaderDriver&& other) noexcept
    : host_(other.host_),
      table_(other.table_),
      reader_(std::exchange(other.reader_, nullptr)),
      schemas_(std::move(other.schemas_)) {}

ReaderDriver::~ReaderDriver() {
  if (reader_) table_->close(reader_);
}

Event ReaderDriver::stream(bay_event& event) {
  if (!event.schema.release) breach("next: a STREAM event without a schema");
  if (event.stream > schemas_.size()) {
    breach("next: stream " + std::to_string(event.stream) + " begins before stream " +
           std::to_string(schemas_.size()));
  }
  if (event.stream == schemas_.size()) schemas_.emplace_back();
  schemas_[event.stream] = std::make_shared<const Schema>(import_schema(event.schema));
  if (schemas_[event.stream]->name.empty()) breach("next: a stream without a name");
  return StreamBegin{event.stream, schemas_[event.stream]};
}

Event ReaderDriver::batch(bay_event& event) {
  if (event.stream >= schemas_.size()) {
    breach("next: a BATCH of stream " + std::to_string(event.stream) + " before its STREAM event");
  }
  if (!event.array.release) breach("next: a BATCH event without an array");
  const SchemaPtr& schema = schemas_[event.stream];
  validate(*schema, event.array);
  if (event.array.length > host_->max_rows && !is_object_schema(*schema)) {
    breach("next: " + std::to_string(event.array.length) + " rows in a batch where max_rows is " +
           std::to_string(host_->max_rows));
  }
  return BatchEvent{event.stream, Batch(schema, Array(&event.array))};
}

Event ReaderDriver::next() {
  FakeCall call(*host_);
  OwnedEvent owned;
  bay_event& event = owned.event;
  const bay_status status = call.check(table_->next(call.raw(), reader_, &event));
  if (status == BAY_END) return End{};
  if (status != BAY_OK) breach("next: returned status " + std::to_string(status));
  switch (event.kind) {
    case BAY_EVENT_STREAM:
      return stream(event);
    case BAY_EVENT_BATCH:
      return batch(event);
    case BAY_EVENT_BARRIER:
      return Barrier{event.epoch};
    case BAY_EVENT_IDLE:
      if (++idle_ > kMostIdle) breach("next: idle without end");
      return Idle{std::chrono::milliseconds(event.wait_ms)};
    default:
      breach("next: an event of kind " + std::to_string(event.kind));
  }
}

Checkpoint ReaderDriver::checkpoint(Json::Value& state) {
  if (!BAY_HAS(table_, bay_reader_vt, checkpoint)) return Checkpoint::kUnchanged;
  FakeCall call(*host_);
  const bay_status status = call.check(table_->checkpoint(call.raw(), reader_));
  if (status != BAY_OK && !call.results.empty())
    breach("checkpoint: put a state it says it has not");
  if (status == BAY_UNCHANGED) return Checkpoint::kUnchanged;
  if (status == BAY_NOT_NOW) return Checkpoint::kNotNow;
  if (status != BAY_OK || call.results.size() != 1) breach("checkpoint: must put one state");
  state = parse_json(call.results[0]);
  return Checkpoint::kState;
}

void ReaderDriver::committed(uint64_t epoch) {
  if (!BAY_HAS(table_, bay_reader_vt, committed)) return;
  FakeCall call(*host_);
  call.check(table_->committed(call.raw(), reader_, epoch));
}

void ReaderDriver::refused(Code why) {
  if (!BAY_HAS(table_, bay_reader_vt, refused)) return;
  FakeCall call(*host_);
  call.check(table_->refused(call.raw(), reader_, static_cast<bay_status>(why)));
}

std::vector<Event> ReaderDriver::events() {
  std::vector<Event> out;
  for (Event event = next(); !std::holds_alternative<End>(event); event = next()) {
    out.push_back(std::move(event));
  }
  return out;
}

std::vector<Batch> ReaderDriver::batches() {
  std::vector<Batch> out;
  for (Event& event : events()) {
    if (auto* batch = std::get_if<BatchEvent>(&event)) out.push_back(std::move(batch->batch));
  }
  return out;
}

SourceDriver::SourceDriver(FakeHost& host, const bay_plugin& plugin, std::string_view name,
                           const Json::Value& config)
    : ComponentDriver(host, find_component(plugin, BAY_SOURCE, name), write_json(config)) {}

std::vector<Schema> SourceDriver::discover() {
  if (!BAY_HAS(table().source, bay_source_vt, discover)) return {};
  FakeCall call(host());
  call.check(table().source->discover(call.raw(), raw()));
  return parse_schemas(call.results);
}

std::vector<Json::Value> SourceDriver::plan(const std::vector<std::string>& streams,
                                            uint32_t want) {
  auto splits = plan_all(streams, want);
  std::erase_if(splits, [](const Json::Value& split) { return !split.isMember("id"); });
  return splits;
}

std::vector<Json::Value> SourceDriver::plan_all(const std::vector<std::string>& streams,
                                                uint32_t want) {
  Json::Value selection(Json::objectValue);
  for (const auto& stream : streams) selection["streams"].append(stream);
  const std::string text = write_json(selection);
  FakeCall call(host());
  call.check(table().source->plan(call.raw(), raw(), str(text), want));
  return parse_all(call.results);
}

ReaderDriver SourceDriver::open(const Json::Value& split, const Json::Value& state) {
  const std::string split_text = write_json(split);
  const std::string state_text = state.isNull() ? "" : write_json(state);
  FakeCall call(host());
  bay_reader* reader = nullptr;
  call.check(
      table().source->open(call.raw(), raw(), bytes(split_text), bytes(state_text), &reader));
  if (!reader) breach("open: succeeded without a reader");
  return ReaderDriver(host(), *table().reader, reader);
}

std::vector<Batch> SourceDriver::read_all() {
  std::vector<Batch> out;
  for (const auto& split : plan()) {
    for (auto& batch : open(split).batches()) out.push_back(std::move(batch));
  }
  return out;
}

TransformDriver::TransformDriver(FakeHost& host, const bay_plugin& plugin, std::string_view name,
                                 const Json::Value& config)
    : ComponentDriver(host, find_component(plugin, BAY_TRANSFORM, name), write_json(config)) {}

std::vector<Schema> TransformDriver::bind(const std::vector<Schema>& in) {
  if (!BAY_HAS(table().transform, bay_transform_vt, bind)) return {};
  std::deque<ExportedSchema> owned;
  std::vector<const ArrowSchema*> pointers;
  for (const auto& schema : in) pointers.push_back(&owned.emplace_back(schema).c);
  FakeCall call(host());
  call.check(table().transform->bind(call.raw(), raw(), pointers.data(),
                                     static_cast<uint32_t>(pointers.size())));
  return parse_schemas(call.results);
}

ReaderDriver TransformDriver::open(const std::vector<FakeInput*>& inputs) {
  std::vector<bay_input*> pointers;
  for (FakeInput* input : inputs) pointers.push_back(input->raw());
  FakeCall call(host());
  bay_reader* reader = nullptr;
  call.check(table().transform->open(call.raw(), raw(), pointers.data(),
                                     static_cast<uint32_t>(pointers.size()), &reader));
  if (!reader) breach("open: succeeded without a reader");
  return ReaderDriver(host(), *table().reader, reader);
}

std::vector<Batch> TransformDriver::run(const SchemaPtr& schema, std::vector<Batch> batches) {
  FakeInput input;
  input.stream(0, schema);
  for (auto& batch : batches) input.batch(0, std::move(batch));
  return open({&input}).batches();
}

WriterDriver::WriterDriver(WriterDriver&& other) noexcept
    : host_(other.host_), table_(other.table_), writer_(std::exchange(other.writer_, nullptr)) {}

WriterDriver::~WriterDriver() {
  if (writer_) table_->close(writer_);
}

void WriterDriver::write(Batch batch) {
  ArrowArray array;
  batch.take().move_to(&array);
  FakeCall call(*host_);
  call.check(table_->write(call.raw(), writer_, &array));
}

Prepared WriterDriver::prepare() {
  FakeCall call(*host_);
  Prepared prepared;
  call.check(table_->prepare(call.raw(), writer_, &prepared.rows_accepted));
  if (call.results.size() != 1) breach("prepare: must put one token");
  prepared.token = call.results[0];
  return prepared;
}

SinkDriver::SinkDriver(FakeHost& host, const bay_plugin& plugin, std::string_view name,
                       const Json::Value& config)
    : ComponentDriver(host, find_component(plugin, BAY_SINK, name), write_json(config)) {}

Json::Value SinkDriver::plan_schema(const Schema& stream) {
  Json::Value steps(Json::arrayValue);
  if (!BAY_HAS(table().sink, bay_sink_vt, plan_schema)) return steps;
  const ExportedSchema schema(stream);
  FakeCall call(host());
  call.check(table().sink->plan_schema(call.raw(), raw(), &schema.c));
  for (const auto& step : parse_all(call.results)) steps.append(step);
  return steps;
}

void SinkDriver::apply_schema(const Schema& stream, const Json::Value& steps) {
  if (!BAY_HAS(table().sink, bay_sink_vt, apply_schema)) return;
  const ExportedSchema schema(stream);
  const std::string text = write_json(steps);
  FakeCall call(host());
  call.check(table().sink->apply_schema(call.raw(), raw(), &schema.c, str(text)));
}

WriterDriver SinkDriver::open(const Schema& stream, const std::string& txn) {
  const ExportedSchema schema(stream);
  host().epoch.txn = txn;
  FakeCall call(host());
  bay_writer* writer = nullptr;
  call.check(table().sink->open(call.raw(), raw(), &schema.c, str(txn), &writer));
  if (!writer) breach("open: succeeded without a writer");
  return WriterDriver(host(), *table().sink, writer);
}

void SinkDriver::commit(const std::string& txn, uint64_t epoch,
                        const std::vector<std::string>& tokens) {
  std::vector<bay_bytes> views;
  for (const auto& token : tokens) views.push_back(bytes(token));
  host().epoch.txn = txn;
  host().epoch.number = epoch;
  FakeCall call(host());
  call.check(table().sink->commit(call.raw(), raw(), str(txn), epoch, views.data(), views.size()));
}

void SinkDriver::abort(const std::vector<std::string>& txns) {
  std::vector<bay_str> views;
  for (const auto& txn : txns) views.push_back(str(txn));
  FakeCall call(host());
  call.check(table().sink->abort(call.raw(), raw(), views.data(), views.size()));
}

Outcome SinkDriver::outcome(const std::string& txn, const std::vector<std::string>& tokens) {
  if (!BAY_HAS(table().sink, bay_sink_vt, outcome)) return Outcome::kUnknown;
  std::vector<bay_bytes> views;
  for (const auto& token : tokens) views.push_back(bytes(token));
  host().epoch.txn = txn;
  FakeCall call(host());
  int32_t outcome = BAY_OUTCOME_UNKNOWN;
  call.check(
      table().sink->outcome(call.raw(), raw(), str(txn), views.data(), views.size(), &outcome));
  if (outcome < BAY_OUTCOME_UNKNOWN || outcome > BAY_OUTCOME_GONE)
    breach("outcome: wrote " + std::to_string(outcome) + ", which is none");
  return static_cast<Outcome>(outcome);
}

uint64_t SinkDriver::newest() {
  if (!BAY_HAS(table().sink, bay_sink_vt, newest)) return 0;
  FakeCall call(host());
  uint64_t number = 0;
  call.check(table().sink->newest(call.raw(), raw(), &number));
  return number;
}

Prepared SinkDriver::prepare_all(const Schema& stream, const std::string& txn,
                                 std::vector<Batch> batches) {
  apply_schema(stream, plan_schema(stream));
  WriterDriver writer = open(stream, txn);
  for (auto& batch : batches) writer.write(std::move(batch));
  return writer.prepare();
}

Prepared SinkDriver::write_all(const Schema& stream, const std::string& txn,
                               std::vector<Batch> batches) {
  Prepared prepared = prepare_all(stream, txn, std::move(batches));
  commit(txn, 1, {prepared.token});
  return prepared;
}

int64_t count_rows(const std::vector<Batch>& batches) {
  int64_t rows = 0;
  for (const auto& batch : batches) rows += batch.rows();
  return rows;
}

std::vector<std::string> rows_as_json(const std::vector<Batch>& batches) {
  std::vector<std::string> out;
  for (const auto& batch : batches) {
    for (int64_t row = 0; row < batch.rows(); ++row)
      out.push_back(row_to_json(*batch.schema(), batch.array(), row));
  }
  return out;
}

}  // namespace patchbay::test
