#include <atomic>

#include "patchbay/json_value.h"
#include "patchbay/plugin.h"
#include "patchbay/posix_error.h"

namespace patchbay::boundary {
namespace {

// Set once by the entry, before any component exists.
std::atomic<const bay_host*> the_host{nullptr};

bay_str str(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(bay_str s) { return {s.data, s.size}; }
std::string_view view(bay_bytes b) { return {reinterpret_cast<const char*>(b.data), b.size}; }

Object& object_of(bay_object* object) { return *reinterpret_cast<Object*>(object); }

template <class T>
T& as(bay_object* object) {
  return static_cast<T&>(*object_of(object).component);
}

Call make_call(bay_call* call) { return Call(host(), call); }

void fail(bay_call* call, Code code, std::string_view message, std::string_view detail) {
  host()->fail(call, static_cast<bay_status>(code), str(message), str(detail));
}

Reader& reader_of(bay_reader* reader) { return *reinterpret_cast<Reader*>(reader); }

struct WriterBox {
  std::unique_ptr<Writer> writer;
  SchemaPtr schema;
};
WriterBox& writer_of(bay_writer* writer) { return *reinterpret_cast<WriterBox*>(writer); }

struct PutEvent {
  bay_event* out;

  bay_status operator()(End&) const { return BAY_END; }
  bay_status operator()(StreamBegin& begin) const {
    if (!begin.schema) throw Error(Code::kInternal, "next: returned a stream without a schema");
    out->kind = BAY_EVENT_STREAM;
    out->stream = begin.stream;
    export_schema(*begin.schema, &out->schema);
    return BAY_OK;
  }
  bay_status operator()(BatchEvent& event) const {
    Array array = event.batch.take();
    if (!array) throw Error(Code::kInternal, "next: returned an empty batch event");
    out->kind = BAY_EVENT_BATCH;
    out->stream = event.stream;
    array.move_to(&out->array);
    return BAY_OK;
  }
  bay_status operator()(Barrier& barrier) const {
    out->kind = BAY_EVENT_BARRIER;
    out->epoch = barrier.epoch;
    return BAY_OK;
  }
  bay_status operator()(Idle& idle) const {
    out->kind = BAY_EVENT_IDLE;
    out->wait_ms = static_cast<uint32_t>(idle.wait.count());
    return BAY_OK;
  }
};

bay_status reader_next(bay_call* call, bay_reader* reader, bay_event* out) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    Event event = reader_of(reader).next(c);
    return std::visit(PutEvent{out}, event);
  });
}

bay_status reader_checkpoint(bay_call* call, bay_reader* reader) noexcept {
  return guarded(call, [&]() -> bay_status {
    Call c = make_call(call);
    Json::Value state;
    switch (reader_of(reader).checkpoint(c, state)) {
      case Checkpoint::kUnchanged:
        return BAY_UNCHANGED;
      case Checkpoint::kNotNow:
        return BAY_NOT_NOW;
      case Checkpoint::kState:
        break;
    }
    c.put(write_json(state));
    return BAY_OK;
  });
}

bay_status reader_committed(bay_call* call, bay_reader* reader, uint64_t epoch) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    reader_of(reader).committed(c, epoch);
    return BAY_OK;
  });
}

bay_status reader_refused(bay_call* call, bay_reader* reader, bay_status why) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    reader_of(reader).refused(c, static_cast<Code>(why));
    return BAY_OK;
  });
}

void reader_close(bay_reader* reader) noexcept { delete &reader_of(reader); }

bay_status give_reader(std::unique_ptr<Reader> reader, bay_reader** out) {
  if (!reader) throw Error(Code::kInternal, "open: returned no reader");
  *out = reinterpret_cast<bay_reader*>(reader.release());
  return BAY_OK;
}

bay_status source_discover(bay_call* call, bay_object* object) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    for (const auto& schema : as<Source>(object).discover(c)) {
      Json::Value description = to_json(schema);
      if (schema.fields.empty()) description.removeMember("fields");
      c.put(write_json(description));
    }
    return BAY_OK;
  });
}

bay_status source_plan(bay_call* call, bay_object* object, bay_str selection_json,
                       uint32_t want) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    std::vector<std::string> streams;
    const Json::Value selection =
        selection_json.size == 0 ? Json::Value() : parse_json(view(selection_json));
    for (const auto& stream : selection["streams"]) streams.push_back(stream.asString());
    for (const auto& split : as<Source>(object).plan(c, streams, want)) {
      Json::Value json = split.detail.isObject() ? split.detail : Json::Value(Json::objectValue);
      if (!split.id.empty()) json["id"] = split.id;
      json["stream"] = split.stream;
      if (split.once) json["once"] = true;
      if (!split.resumes) json["resumes"] = false;
      if (!split.of.empty()) json["of"] = split.of;
      if (split.complete) json["complete"] = true;
      if (!split.identity.isNull()) json["identity"] = split.identity;
      c.put(write_json(json));
    }
    return BAY_OK;
  });
}

bay_status source_open(bay_call* call, bay_object* object, bay_bytes split, bay_bytes state,
                       bay_reader** out) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    Json::Value json = parse_json(view(split));
    const Json::Value from = state.size == 0 ? Json::Value() : parse_json(view(state));
    const Split parsed{json["id"].asString(),
                       json["stream"].asString(),
                       json["once"].asBool(),
                       json,
                       json.get("resumes", true).asBool(),
                       json["of"].asString(),
                       json["complete"].asBool(),
                       json["identity"]};
    return give_reader(as<Source>(object).open(c, parsed, from), out);
  });
}

bay_status transform_bind(bay_call* call, bay_object* object, const ArrowSchema* const* in,
                          uint32_t n) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    std::vector<SchemaPtr> schemas;
    for (uint32_t i = 0; i < n; ++i)
      schemas.push_back(std::make_shared<const Schema>(import_schema(*in[i])));
    for (const auto& schema : as<Transform>(object).bind(c, schemas))
      c.put(write_json(to_json(schema)));
    return BAY_OK;
  });
}

bay_status transform_open(bay_call* call, bay_object* object, bay_input* const* in, uint32_t n,
                          bay_reader** out) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    std::vector<Input> inputs;
    for (uint32_t i = 0; i < n; ++i) inputs.emplace_back(in[i]);
    return give_reader(as<Transform>(object).open(c, std::move(inputs)), out);
  });
}

bay_status transform_file_of(bay_call* call, bay_object* object, const bay_bytes* records,
                             size_t n) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    std::vector<std::string_view> texts;
    for (size_t i = 0; i < n; ++i)
      texts.emplace_back(reinterpret_cast<const char*>(records[i].data), records[i].size);
    const auto file = as<Transform>(object).file_of(c, texts);
    if (file) c.put(*file);
    return BAY_OK;
  });
}

SchemaPtr import_shared(const ArrowSchema* schema) {
  return std::make_shared<const Schema>(import_schema(*schema));
}

bay_status sink_plan_schema(bay_call* call, bay_object* object,
                            const ArrowSchema* stream) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    for (const auto& step : as<Sink>(object).plan_schema(c, import_shared(stream)))
      c.put(write_json(step));
    return BAY_OK;
  });
}

bay_status sink_apply_schema(bay_call* call, bay_object* object, const ArrowSchema* stream,
                             bay_str steps_json) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    as<Sink>(object).apply_schema(c, import_shared(stream), parse_json(view(steps_json)));
    return BAY_OK;
  });
}

bay_status sink_open(bay_call* call, bay_object* object, const ArrowSchema* stream, bay_str txn,
                     bay_writer** out) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    SchemaPtr schema = import_shared(stream);
    auto writer = as<Sink>(object).open(c, schema, std::string(view(txn)));
    if (!writer) throw Error(Code::kInternal, "open: returned no writer");
    *out = reinterpret_cast<bay_writer*>(new WriterBox{std::move(writer), std::move(schema)});
    return BAY_OK;
  });
}

bay_status sink_write(bay_call* call, bay_writer* writer, ArrowArray* moved) noexcept {
  Array array(moved);
  return guarded(call, [&] {
    Call c = make_call(call);
    WriterBox& box = writer_of(writer);
    box.writer->write(c, Batch(box.schema, std::move(array)));
    return BAY_OK;
  });
}

bay_status sink_prepare(bay_call* call, bay_writer* writer, int64_t* rows_accepted) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    const Prepared prepared = writer_of(writer).writer->prepare(c);
    *rows_accepted = prepared.rows_accepted;
    c.put(prepared.token);
    return BAY_OK;
  });
}

void sink_close(bay_writer* writer) noexcept { delete reinterpret_cast<WriterBox*>(writer); }

bay_status sink_commit(bay_call* call, bay_object* object, bay_str txn, uint64_t epoch,
                       const bay_bytes* tokens, size_t n) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    std::vector<std::string> copies;
    for (size_t i = 0; i < n; ++i) copies.emplace_back(view(tokens[i]));
    as<Sink>(object).commit(c, std::string(view(txn)), epoch, copies);
    return BAY_OK;
  });
}

bay_status sink_abort(bay_call* call, bay_object* object, const bay_str* txns, size_t n) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    std::vector<std::string> copies;
    for (size_t i = 0; i < n; ++i) copies.emplace_back(view(txns[i]));
    as<Sink>(object).abort(c, copies);
    return BAY_OK;
  });
}

bay_status sink_outcome(bay_call* call, bay_object* object, bay_str txn, const bay_bytes* tokens,
                        size_t n, int32_t* outcome) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    std::vector<std::string> copies;
    for (size_t i = 0; i < n; ++i) copies.emplace_back(view(tokens[i]));
    switch (as<Sink>(object).outcome(c, std::string(view(txn)), copies)) {
      case Outcome::kUnknown:
        *outcome = BAY_OUTCOME_UNKNOWN;
        break;
      case Outcome::kCommitted:
        *outcome = BAY_OUTCOME_COMMITTED;
        break;
      case Outcome::kPrepared:
        *outcome = BAY_OUTCOME_PREPARED;
        break;
      case Outcome::kGone:
        *outcome = BAY_OUTCOME_GONE;
    }
    return BAY_OK;
  });
}

bay_status sink_newest(bay_call* call, bay_object* object, uint64_t* number) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    *number = as<Sink>(object).newest(c);
    return BAY_OK;
  });
}

}  // namespace

const bay_host* host() { return the_host.load(std::memory_order_acquire); }
void set_host(const bay_host* host) { the_host.store(host, std::memory_order_release); }

bay_status fail_with_current_exception(bay_call* call) noexcept {
  try {
    throw;
  } catch (const HostRefusal& refusal) {
    return static_cast<bay_status>(refusal.code());
  } catch (const Error& error) {
    fail(call, error.code(), error.what(), error.detail_json());
    return static_cast<bay_status>(error.code());
  } catch (const std::exception& exception) {
    const Error error = error_of(exception);
    fail(call, error.code(), error.what(), {});
    return static_cast<bay_status>(error.code());
  } catch (...) {
    fail(call, Code::kInternal, "an exception that is no std::exception", {});
  }
  return BAY_E_INTERNAL;
}

bay_status create(bay_call* call, bay_context* context, bay_str config_json, bay_object** out,
                  Construct construct) noexcept {
  return guarded(call, [&] {
    auto object = std::make_unique<Object>(Object{Context(host(), context), nullptr});
    try {
      object->component = construct(object->context, Config::parse(view(config_json)));
    } catch (const Json::Exception& error) {  // an option read as what it is not
      throw Error(Code::kConfig, std::string("configuration: ") + error.what());
    }
    *out = reinterpret_cast<bay_object*>(object.release());
    return BAY_OK;
  });
}

void destroy(bay_object* object) noexcept { delete &object_of(object); }
void interrupt(bay_object* object) noexcept { object_of(object).component->interrupt(); }

bay_status check(bay_call* call, bay_object* object) noexcept {
  return guarded(call, [&] {
    Call c = make_call(call);
    object_of(object).component->check(c);
    return BAY_OK;
  });
}

const bay_reader_vt kReaderTable{
    sizeof(bay_reader_vt), 0, reader_next, reader_checkpoint, reader_committed, reader_close,
    reader_refused};
const bay_source_vt kSourceTable{sizeof(bay_source_vt), 0, source_discover, source_plan,
                                 source_open};
const bay_transform_vt kTransformTable{sizeof(bay_transform_vt), 0, transform_bind, transform_open,
                                       transform_file_of};
const bay_sink_vt kSinkTable{sizeof(bay_sink_vt), 0,          sink_plan_schema, sink_apply_schema,
                             sink_open,           sink_write, sink_prepare,     sink_close,
                             sink_commit,         sink_abort, sink_outcome,     sink_newest};

}  // namespace patchbay::boundary

namespace patchbay {

const bay_plugin* make_plugin(const bay_host* host, const char* id, const char* version,
                              std::vector<const bay_component*> components) {
  static std::vector<const bay_component*> kept;
  static bay_plugin plugin;
  // The functions of minor 0 are used without asking, so a host that lacks one gets no table.
  if (!host || !BAY_HAS(host, bay_host, durable_step)) return nullptr;
  kept = std::move(components);
  boundary::set_host(host);
  plugin = {sizeof(bay_plugin),
            BAY_ABI_MINOR,
            {id, std::char_traits<char>::length(id)},
            {version, std::char_traits<char>::length(version)},
            kept.data(),
            kept.size()};
  return &plugin;
}

}  // namespace patchbay
