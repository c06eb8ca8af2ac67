#include "engine/call.h"

#include <cstdint>
#include <cstring>
#include <limits>

#include "engine/input_services.h"
#include "patchbay/posix_error.h"
#include "sync/sync.h"

namespace patchbay::host {
namespace {

std::string_view view(bay_str s) { return {s.data, s.size}; }

// A host function must not let an exception into the plugin: it becomes the call's failure.
template <class Work>
bay_status guarded(bay_call* call, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    call->status = static_cast<bay_status>(error.code());
    call->message = error.what();
    call->detail_json = error.detail_json();
  } catch (const std::exception& exception) {
    const Error error = error_of(exception);
    call->status = static_cast<bay_status>(error.code());
    call->message = error.what();
  }
  return call->status;
}

// A struct of the plugin's that is smaller than in ABI 1.0 would be read or written past its end.
void require_size(const char* what, uint32_t size, size_t least) {
  if (size >= least) return;
  throw Error(Code::kInternal, std::string(what) + " has struct_size " + std::to_string(size) +
                                   ", ABI 1.0 has " + std::to_string(least) +
                                   "; this is a bug of the plugin");
}

constexpr size_t kEventSize = offsetof(bay_event, array) + sizeof(bay_event::array);
constexpr size_t kRejectedSize =
    offsetof(bay_rejected, position_json) + sizeof(bay_rejected::position_json);

void fail(bay_call* call, bay_status status, bay_str message, bay_str detail_json) {
  call->status = status;
  call->message = view(message);
  call->detail_json = view(detail_json);
}

int32_t cancel_fd(const bay_call* call) { return call->services.cancel().fd(); }
int64_t deadline_ns(const bay_call*) { return std::numeric_limits<int64_t>::max(); }

bay_status put(bay_call* call, bay_bytes result) {
  return guarded(call, [&] {
    call->results.emplace_back(reinterpret_cast<const char*>(result.data), result.size);
    return BAY_OK;
  });
}

bay_status secret(bay_call* call, bay_str name, void (*use)(void*, bay_bytes), void* data) {
  return guarded(call, [&] {
    struct Wiped {
      std::string value;
      ~Wiped() { explicit_bzero(value.data(), value.size()); }
    } const secret{call->services.secret(view(name))};
    use(data, {reinterpret_cast<const uint8_t*>(secret.value.data()), secret.value.size()});
    return BAY_OK;
  });
}

bay_status input_next(bay_call* call, bay_input* input, bay_event* out) {
  return guarded(call, [&] {
    require_size("input_next: the event", out->struct_size, kEventSize);
    call->services.clock.end();  // whoever it waits for is told of by itself
    const bay_status status = call->services.input_next(call, input, out);
    call->services.clock.begin(call->name);
    return status;
  });
}

bay_status reject(bay_call* call, const bay_rejected* rejected) {
  return guarded(call, [&] {
    require_size("reject: bay_rejected", rejected->struct_size, kRejectedSize);
    if (!rejected->rows || !rejected->rows->release)
      throw Error(Code::kInternal, "reject: has no rows; this is a bug of the plugin");
    Array rows(rejected->rows);
    SchemaPtr schema;
    if (rejected->schema) {
      struct Owner {
        ArrowSchema* schema;
        ~Owner() {
          if (schema->release) schema->release(schema);
        }
      } owner{rejected->schema};
      schema = std::make_shared<Schema>(import_schema(*rejected->schema));
    }
    return call->services.reject(
        {std::string(view(rejected->stream)), std::string(view(rejected->code)),
         std::string(view(rejected->reason)), std::string(view(rejected->position_json)),
         Batch(std::move(schema), std::move(rows))});
  });
}

uint32_t log_enabled(bay_context* context, uint32_t level) { return context->log->enabled(level); }
void log(bay_context* context, uint32_t level, bay_str message, bay_str fields_json) {
  context->log->log(level, view(message), view(fields_json));
}
void metric_add(bay_context* context, bay_str name, double amount) {
  context->log->metric_add(view(name), amount);
}
const void* extension(bay_str id) {
  return view(id) == BAY_INPUTS_EXTENSION ? inputs_table() : nullptr;
}

int64_t max_rows(const bay_call* call) { return call->services.max_rows(); }

int64_t backoff(bay_call* call, uint32_t attempt, int64_t retry_after_ns) {
  using std::chrono::nanoseconds;
  if (!call->backoff || attempt <= 1) call->backoff.emplace(call->services.retry());
  const auto wish =
      retry_after_ns < 0 ? std::nullopt : std::optional<nanoseconds>(nanoseconds(retry_after_ns));
  const auto wait = call->backoff->after(attempt, sync::now(), sync::uniform_random(), wish);
  call->exhausted = !wait;
  if (wait) call->services.clock.tries_again(attempt);
  return wait ? wait->count() : -1;
}

int32_t schema_change(bay_call* call, bay_str stream, bay_str path, bay_str type,
                      bay_str* agreed_type) {
  return guarded(call, [&] {
    ChangeDecision decision = call->services.schema_change(view(stream), view(path), view(type));
    call->agreed_type = std::move(decision.agreed_type);
    if (agreed_type) *agreed_type = {call->agreed_type.data(), call->agreed_type.size()};
    return decision.action;
  });
}

void durable_step(bay_call* call, bay_str name) { call->services.durable_step(view(name)); }

bay_status epoch(const bay_call* call, bay_epoch* out) {
  constexpr size_t kLeast = offsetof(bay_epoch, settled) + sizeof(bay_epoch::settled);
  const EpochInfo* const info = call->services.epoch();
  // The call is the host's own; only its type is const, as for whoever just looks.
  auto* const own = const_cast<bay_call*>(call);
  return guarded(own, [&] {
    require_size("epoch: bay_epoch", out->struct_size, kLeast);
    if (!info) {
      throw Error(Code::kInternal,
                  "epoch: asked in a call that is about none; this is a bug of the plugin");
    }
    out->flags =
        (info->complete ? BAY_EPOCH_COMPLETE : 0) | (info->durable ? BAY_EPOCH_DURABLE : 0);
    out->scope = {info->scope.data(), info->scope.size()};
    out->txn = {info->txn.data(), info->txn.size()};
    out->number = info->number;
    out->settled = info->settled;
    return BAY_OK;
  });
}

bay_status claim(bay_call* call, bay_str name) {
  return guarded(call, [&] {
    call->services.claim(view(name));
    return BAY_OK;
  });
}

int32_t is_done(bay_call* call, bay_str split_id) {
  return guarded(call, [&] { return call->services.is_done(view(split_id)) ? 1 : 0; });
}

}  // namespace

const bay_host* host_table() {
  static const bay_host table{
      sizeof(bay_host), BAY_ABI_MINOR, fail,         cancel_fd, deadline_ns, put,       secret,
      input_next,       reject,        log_enabled,  log,       metric_add,  extension, max_rows,
      backoff,          schema_change, durable_step, epoch,     claim,       is_done};
  return &table;
}

}  // namespace patchbay::host

bay_status bay_call::check(bay_status returned) {
  using patchbay::Code;
  if (returned >= 0) return returned;
  const bool known = returned >= BAY_E_SCHEMA;
  if (status != returned || message.empty()) {
    message = "plugin " + std::string(plugin) + " failed in " + std::string(name) +
              " with status " + std::to_string(returned) +
              " and no message; this is a bug of the plugin";
  }
  throw patchbay::host::NodeError(std::string(node),
                                  known ? static_cast<Code>(returned) : Code::kInternal, message,
                                  detail_json, exhausted);
}
