#include "patchbay/call.h"

#include <poll.h>

#include <limits>

#include "patchbay/builder.h"

namespace patchbay {
namespace {

bay_str str(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

bool Context::log_enabled(uint32_t level) const { return host_->log_enabled(context_, level) != 0; }

void Context::log(uint32_t level, std::string_view message, std::string_view fields_json) {
  host_->log(context_, level, str(message), str(fields_json));
}

void Context::metric_add(std::string_view name, double amount) {
  host_->metric_add(context_, str(name), amount);
}

const void* Context::extension(std::string_view id) const { return host_->extension(str(id)); }

int Call::cancel_fd() const { return host_->cancel_fd(call_); }

bool Call::cancelled() const {
  pollfd fd{cancel_fd(), POLLIN, 0};
  return poll(&fd, 1, 0) > 0;
}

void Call::throw_if_cancelled() const {
  if (cancelled()) throw Error(Code::kCancelled, "cancelled");
}

std::chrono::steady_clock::time_point Call::deadline() const {
  using std::chrono::steady_clock;
  const int64_t ns = host_->deadline_ns(call_);
  return ns == std::numeric_limits<int64_t>::max()
             ? steady_clock::time_point::max()
             : steady_clock::time_point(std::chrono::nanoseconds(ns));
}

std::string Call::secret(const Secret& secret) const {
  std::string value;
  const auto use = [](void* out, bay_bytes bytes) {
    static_cast<std::string*>(out)->assign(reinterpret_cast<const char*>(bytes.data), bytes.size);
  };
  const bay_status status = host_->secret(call_, str(secret.name), use, &value);
  if (status != BAY_OK) throw HostRefusal(status, "secret " + secret.name);
  return value;
}

int64_t Call::max_rows() const { return host_->max_rows(call_); }

std::optional<std::chrono::nanoseconds> Call::backoff(
    uint32_t attempt, std::optional<std::chrono::nanoseconds> retry_after) {
  const int64_t wait = host_->backoff(call_, attempt, retry_after ? retry_after->count() : -1);
  if (wait < 0) return std::nullopt;
  return std::chrono::nanoseconds(wait);
}

void Call::reject(const Rejection& why, Batch rows) {
  ArrowSchema schema;
  export_schema(*rows.schema(), &schema);
  ArrowArray array;
  rows.take().move_to(&array);
  const bay_rejected rejected{
      sizeof(bay_rejected),  0, str(why.stream), &schema, &array, str(why.code), str(why.reason),
      str(why.position_json)};
  const bay_status status = host_->reject(call_, &rejected);
  if (status != BAY_OK) throw HostRefusal(status, "reject");
}

void Call::reject_record(const Rejection& why, std::string_view record_json) {
  static const auto schema =
      std::make_shared<const Schema>(Schema{"rejects", {{"record", json_text(), false}}, {}});
  BatchBuilder record(schema);
  record.column<Utf8Builder>(0).append(record_json);
  reject(why, record.finish());
}

Change Call::schema_change(std::string_view stream, std::string_view path, const Type& found) {
  const std::string type = type_name(found);
  bay_str agreed{};
  const int32_t action = host_->schema_change(call_, str(stream), str(path), str(type), &agreed);
  switch (action) {
    case BAY_CHANGE_IGNORE:
      return {ChangeAction::kIgnore, found};
    case BAY_CHANGE_REJECT:
      return {ChangeAction::kReject, found};
    case BAY_CHANGE_EVOLVE:
      return {ChangeAction::kEvolve, parse_type({agreed.data, agreed.size})};
    case BAY_CHANGE_FAIL:
      throw Error(Code::kSchema, std::string(path) + ": new field of type " + type + " in stream " +
                                     std::string(stream) +
                                     "; set on_schema_change to ignore, reject or evolve to go on");
    default:
      throw HostRefusal(action, "schema_change");
  }
}

void Call::durable_step(std::string_view name) { host_->durable_step(call_, str(name)); }

Epoch Call::epoch() const {
  if (!BAY_HAS(host_, bay_host, epoch)) return {};
  bay_epoch epoch{};
  epoch.struct_size = sizeof epoch;
  const bay_status status = host_->epoch(call_, &epoch);
  if (status != BAY_OK) throw HostRefusal(status, "epoch");
  return {std::string(epoch.scope.data, epoch.scope.size),
          std::string(epoch.txn.data, epoch.txn.size), epoch.number, epoch.settled,
          (epoch.flags & BAY_EPOCH_COMPLETE) != 0,
          (epoch.flags & BAY_EPOCH_DURABLE) != 0};
}

void Call::claim(std::string_view name) {
  if (!BAY_HAS(host_, bay_host, claim)) return;
  const bay_status status = host_->claim(call_, str(name));
  if (status != BAY_OK) throw HostRefusal(status, "claim");
}

bool Call::is_done(std::string_view split_id) {
  return BAY_HAS(host_, bay_host, is_done) && host_->is_done(call_, str(split_id)) == 1;
}

void Call::put(std::string_view result) {
  const bay_status status =
      host_->put(call_, {reinterpret_cast<const uint8_t*>(result.data()), result.size()});
  if (status != BAY_OK) throw HostRefusal(status, "put");
}

namespace {

// Releases what an event still holds when its reading fails half-way.
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

}  // namespace

Event Input::next(Call& call) {
  OwnedEvent owned;
  bay_event& event = owned.event;
  const bay_status status = call.host()->input_next(call.raw(), input_, &event);
  if (status == BAY_END) return End{};
  if (status < 0) throw HostRefusal(status, "input_next");
  switch (event.kind) {
    case BAY_EVENT_STREAM:
      if (event.stream >= schemas_.size()) schemas_.resize(event.stream + 1);
      schemas_[event.stream] = std::make_shared<const Schema>(import_schema(event.schema));
      return StreamBegin{event.stream, schemas_[event.stream]};
    case BAY_EVENT_BATCH:
      return BatchEvent{event.stream, Batch(schemas_.at(event.stream), Array(&event.array))};
    case BAY_EVENT_BARRIER:
      return Barrier{event.epoch};
    case BAY_EVENT_IDLE:
      return Idle{std::chrono::milliseconds(event.wait_ms)};
    default:
      throw Error(Code::kInternal, "the host put an event of unknown kind");
  }
}

}  // namespace patchbay
