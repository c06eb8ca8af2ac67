#include "patchbay/testing/fake_host.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <system_error>

#include "patchbay/inputs.h"

namespace patchbay::test {
namespace {

std::string_view view(bay_str s) { return {s.data, s.size}; }

FakeCall& call_of(bay_call* call) { return *reinterpret_cast<FakeCall*>(call); }
FakeHost& host_of(bay_context* context) { return *reinterpret_cast<FakeHost*>(context); }

FakeHost& host_of(const bay_call* call) { return *reinterpret_cast<const FakeCall*>(call)->host; }

bay_status refuse(bay_call* call, bay_status status, std::string message) {
  call_of(call).status = status;
  call_of(call).message = std::move(message);
  return status;
}

void put_event(Event& event, bay_event* out) {
  if (auto* begin = std::get_if<StreamBegin>(&event)) {
    out->kind = BAY_EVENT_STREAM;
    out->stream = begin->stream;
    export_schema(*begin->schema, &out->schema);
  } else if (auto* batch = std::get_if<BatchEvent>(&event)) {
    out->kind = BAY_EVENT_BATCH;
    out->stream = batch->stream;
    batch->batch.take().move_to(&out->array);
  } else if (auto* barrier = std::get_if<Barrier>(&event)) {
    out->kind = BAY_EVENT_BARRIER;
    out->epoch = barrier->epoch;
  } else if (auto* idle = std::get_if<Idle>(&event)) {
    out->kind = BAY_EVENT_IDLE;
    out->wait_ms = static_cast<uint32_t>(idle->wait.count());
  }
}

}  // namespace

// The functions of the table; a struct, so that it can see the host's private parts.
struct HostFunctions {
  static void fail(bay_call* call, bay_status status, bay_str message, bay_str detail_json) {
    refuse(call, status, std::string(view(message)));
    call_of(call).detail_json = view(detail_json);
  }

  static int32_t cancel_fd(const bay_call* call) { return host_of(call).cancel_fd_; }

  static int64_t deadline_ns(const bay_call* call) {
    const auto& deadline = host_of(call).deadline;
    return deadline ? std::chrono::nanoseconds(deadline->time_since_epoch()).count()
                    : std::numeric_limits<int64_t>::max();
  }

  static bay_status put(bay_call* call, bay_bytes result) {
    call_of(call).results.emplace_back(reinterpret_cast<const char*>(result.data), result.size);
    return BAY_OK;
  }

  static bay_status secret(bay_call* call, bay_str name, void (*use)(void*, bay_bytes),
                           void* data) {
    const FakeHost& host = host_of(call);
    const auto found = host.secrets.find(view(name));
    if (found == host.secrets.end() && !host.any_secret) {
      return refuse(call, BAY_E_AUTH, "secret " + std::string(view(name)) + ": is not set");
    }
    const std::string value = found == host.secrets.end() ? *host.any_secret : found->second;
    use(data, {reinterpret_cast<const uint8_t*>(value.data()), value.size()});
    return BAY_OK;
  }

  static bay_status input_next(bay_call* call, bay_input* raw, bay_event* out) {
    auto& input = *reinterpret_cast<FakeInput*>(raw);
    if (out->struct_size < sizeof *out)
      return refuse(call, BAY_E_INTERNAL, "input_next: the event's struct_size is too small");
    if (Call(FakeHost::table(), call).cancelled())
      return refuse(call, BAY_E_CANCELLED, "cancelled");
    if (input.events.empty() && input.failure) {
      return refuse(call, static_cast<bay_status>(input.failure->code()), input.failure->what());
    }
    if (input.events.empty()) return BAY_END;
    Event event = std::move(input.events.front());
    input.events.pop_front();
    put_event(event, out);
    return std::holds_alternative<End>(event) ? BAY_END : BAY_OK;
  }

  static bay_status reject(bay_call* call, const bay_rejected* rejected) {
    if (rejected->struct_size < sizeof *rejected || !rejected->rows || !rejected->rows->release)
      return refuse(call, BAY_E_INTERNAL,
                    "reject: its struct_size is too small, or it has no rows");
    RejectedRows entry;
    Array rows(rejected->rows);
    if (rejected->schema) {
      entry.schema = std::make_shared<const Schema>(import_schema(*rejected->schema));
      rejected->schema->release(rejected->schema);
    }
    entry.why = {std::string(view(rejected->stream)), std::string(view(rejected->code)),
                 std::string(view(rejected->reason)), std::string(view(rejected->position_json))};
    entry.count = rows.get().length;
    entry.rows = Batch(entry.schema, std::move(rows));
    FakeHost& host = host_of(call);
    const std::lock_guard lock(host.mutex_);
    host.rows_rejected += entry.count;
    host.rejects.push_back(std::move(entry));
    if (host.rows_rejected <= host.max_rejects) return BAY_OK;
    return refuse(call, BAY_E_CANCELLED, "more rejects than the pipeline allows");
  }

  static uint32_t log_enabled(bay_context* context, uint32_t level) {
    return level <= host_of(context).log_level ? 1 : 0;
  }

  static void log(bay_context* context, uint32_t level, bay_str message, bay_str fields_json) {
    FakeHost& host = host_of(context);
    const std::lock_guard lock(host.mutex_);
    host.logs.push_back({level, std::string(view(message)), std::string(view(fields_json))});
  }

  static void metric_add(bay_context* context, bay_str name, double amount) {
    FakeHost& host = host_of(context);
    const std::lock_guard lock(host.mutex_);
    host.metrics[std::string(view(name))] += amount;
  }

  // The events of a test are all there, so any input is ready: the last one, since nobody may count
  // on an order.
  static int32_t ready(bay_call* call, const uint32_t*, uint32_t n) {
    if (Call(FakeHost::table(), call).cancelled())
      return refuse(call, BAY_E_CANCELLED, "cancelled");
    return static_cast<int32_t>(n) - 1;
  }
  static bay_str from(bay_call*, uint32_t) { return {}; }

  static const void* extension(bay_str id) {
    static const bay_inputs_v1 inputs{sizeof(bay_inputs_v1), 0, ready, from};
    return view(id) == BAY_INPUTS_EXTENSION ? &inputs : nullptr;
  }

  static int64_t max_rows(const bay_call* call) { return host_of(call).max_rows; }

  static int64_t backoff(bay_call* call, uint32_t attempt, int64_t retry_after_ns) {
    FakeHost& host = host_of(call);
    const std::lock_guard lock(host.mutex_);
    host.retry_afters.push_back(retry_after_ns);
    return attempt < host.attempts ? 0 : -1;
  }

  static int32_t schema_change(bay_call* call, bay_str stream, bay_str path, bay_str type,
                               bay_str* agreed_type) {
    FakeHost& host = host_of(call);
    const std::lock_guard lock(host.mutex_);
    host.asked_changes.push_back(
        {std::string(view(stream)), std::string(view(path)), std::string(view(type))});
    const auto agreed = host.agreed_types.find(view(path));
    std::string& kept = call_of(call).agreed_type;
    kept = agreed == host.agreed_types.end() ? view(type) : std::string_view(agreed->second);
    *agreed_type = {kept.data(), kept.size()};
    return host.on_schema_change;
  }

  static bay_status epoch(const bay_call* call, bay_epoch* out) {
    const Epoch& epoch = host_of(call).epoch;
    out->flags =
        (epoch.complete ? BAY_EPOCH_COMPLETE : 0) | (epoch.durable ? BAY_EPOCH_DURABLE : 0);
    out->scope = {epoch.scope.data(), epoch.scope.size()};
    out->txn = {epoch.txn.data(), epoch.txn.size()};
    out->number = epoch.number;
    out->settled = epoch.settled;
    return BAY_OK;
  }

  static bay_status claim(bay_call* call, bay_str name) {
    FakeHost& host = host_of(call);
    const std::lock_guard lock(host.mutex_);
    const auto [found, is_new] = host.claims.emplace(std::string(view(name)), host.lane);
    if (is_new || found->second == host.lane) return BAY_OK;
    return refuse(call, BAY_E_CONFIG,
                  std::string(view(name)) + ": " + found->second + " writes it already");
  }

  static int32_t is_done(bay_call* call, bay_str split_id) {
    return host_of(call).done.contains(view(split_id)) ? 1 : 0;
  }

  // The exception ends in the SDK's boundary, as a crash of the process would end the run.
  static void durable_step(bay_call* call, bay_str name) {
    FakeHost& host = host_of(call);
    const std::lock_guard lock(host.mutex_);
    host.steps.emplace_back(view(name));
    if (!host.throw_at_step.empty() && host.throw_at_step == view(name)) {
      throw Error(Code::kInternal, "crash at " + host.throw_at_step);
    }
  }
};

const bay_host* FakeHost::table() {
  using F = HostFunctions;
  static const bay_host table{sizeof(bay_host), BAY_ABI_MINOR,  F::fail,    F::cancel_fd,
                              F::deadline_ns,   F::put,         F::secret,  F::input_next,
                              F::reject,        F::log_enabled, F::log,     F::metric_add,
                              F::extension,     F::max_rows,    F::backoff, F::schema_change,
                              F::durable_step,  F::epoch,       F::claim,   F::is_done};
  return &table;
}

FakeHost::FakeHost() : cancel_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (cancel_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

FakeHost::~FakeHost() { close(cancel_fd_); }

void FakeHost::cancel() { eventfd_write(cancel_fd_, 1); }

void FakeHost::restore() {
  eventfd_t count;
  eventfd_read(cancel_fd_, &count);
}

bay_status FakeCall::check(bay_status returned) const {
  if (returned >= 0) return returned;
  if (status != returned || message.empty()) {
    throw Error(Code::kInternal,
                "failed with status " + std::to_string(returned) + " and no message");
  }
  throw Error(static_cast<Code>(returned), message, detail_json);
}

}  // namespace patchbay::test
