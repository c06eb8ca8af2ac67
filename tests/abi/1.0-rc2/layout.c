/* Every public struct as 1.0-rc2 has it: compiled with the header of that time and with today's,
 * whose structs may only have grown at their end. Never edited. */
#include <patchbay/abi.h>

#define SAME(struct, field, type, offset)                                             \
  _Static_assert(offsetof(struct, field) == (offset), #struct "." #field " moved");   \
  _Static_assert(__builtin_types_compatible_p(__typeof__(((struct*)0)->field), type), \
                 #struct "." #field " has another type")
#define FIXED(struct, size) _Static_assert(sizeof(struct) == (size), #struct " has another size")
#define GROWS(struct, size) _Static_assert(sizeof(struct) >= (size), #struct " shrank")
#define VALUE(name, value) _Static_assert((name) == (value), #name " has another value")

/* clang-format off */

FIXED(struct ArrowSchema, 72u);
SAME(struct ArrowSchema, format, const char*, 0u);
SAME(struct ArrowSchema, name, const char*, 8u);
SAME(struct ArrowSchema, metadata, const char*, 16u);
SAME(struct ArrowSchema, flags, int64_t, 24u);
SAME(struct ArrowSchema, n_children, int64_t, 32u);
SAME(struct ArrowSchema, children, struct ArrowSchema**, 40u);
SAME(struct ArrowSchema, dictionary, struct ArrowSchema*, 48u);
SAME(struct ArrowSchema, release, void (*)(struct ArrowSchema*), 56u);
SAME(struct ArrowSchema, private_data, void*, 64u);

FIXED(struct ArrowArray, 80u);
SAME(struct ArrowArray, length, int64_t, 0u);
SAME(struct ArrowArray, null_count, int64_t, 8u);
SAME(struct ArrowArray, offset, int64_t, 16u);
SAME(struct ArrowArray, n_buffers, int64_t, 24u);
SAME(struct ArrowArray, n_children, int64_t, 32u);
SAME(struct ArrowArray, buffers, const void**, 40u);
SAME(struct ArrowArray, children, struct ArrowArray**, 48u);
SAME(struct ArrowArray, dictionary, struct ArrowArray*, 56u);
SAME(struct ArrowArray, release, void (*)(struct ArrowArray*), 64u);
SAME(struct ArrowArray, private_data, void*, 72u);

FIXED(bay_str, 16u);
SAME(bay_str, data, const char*, 0u);
SAME(bay_str, size, size_t, 8u);

FIXED(bay_bytes, 16u);
SAME(bay_bytes, data, const uint8_t*, 0u);
SAME(bay_bytes, size, size_t, 8u);

GROWS(bay_event, 176u);
SAME(bay_event, struct_size, uint32_t, 0u);
SAME(bay_event, kind, uint32_t, 4u);
SAME(bay_event, stream, uint32_t, 8u);
SAME(bay_event, wait_ms, uint32_t, 12u);
SAME(bay_event, epoch, uint64_t, 16u);
SAME(bay_event, schema, struct ArrowSchema, 24u);
SAME(bay_event, array, struct ArrowArray, 96u);

GROWS(bay_rejected, 88u);
SAME(bay_rejected, struct_size, uint32_t, 0u);
SAME(bay_rejected, reserved, uint32_t, 4u);
SAME(bay_rejected, stream, bay_str, 8u);
SAME(bay_rejected, schema, struct ArrowSchema*, 24u);
SAME(bay_rejected, rows, struct ArrowArray*, 32u);
SAME(bay_rejected, code, bay_str, 40u);
SAME(bay_rejected, reason, bay_str, 56u);
SAME(bay_rejected, position_json, bay_str, 72u);

GROWS(bay_epoch, 56u);
SAME(bay_epoch, struct_size, uint32_t, 0u);
SAME(bay_epoch, flags, uint32_t, 4u);
SAME(bay_epoch, scope, bay_str, 8u);
SAME(bay_epoch, txn, bay_str, 24u);
SAME(bay_epoch, number, uint64_t, 40u);
SAME(bay_epoch, settled, uint64_t, 48u);

GROWS(bay_host, 152u);
SAME(bay_host, struct_size, uint32_t, 0u);
SAME(bay_host, abi_minor, uint32_t, 4u);
SAME(bay_host, fail, __typeof__(void (*)(bay_call*, bay_status, bay_str message, bay_str detail_json)), 8u);
SAME(bay_host, cancel_fd, int32_t (*)(const bay_call*), 16u);
SAME(bay_host, deadline_ns, int64_t (*)(const bay_call*), 24u);
SAME(bay_host, put, __typeof__(bay_status (*)(bay_call*, bay_bytes result)), 32u);
SAME(bay_host, secret, __typeof__(bay_status (*)(bay_call*, bay_str name, void (*use)(void*, bay_bytes), void*)), 40u);
SAME(bay_host, input_next, __typeof__(bay_status (*)(bay_call*, bay_input*, bay_event* out)), 48u);
SAME(bay_host, reject, __typeof__(bay_status (*)(bay_call*, const bay_rejected*)), 56u);
SAME(bay_host, log_enabled, __typeof__(uint32_t (*)(bay_context*, uint32_t level)), 64u);
SAME(bay_host, log, __typeof__(void (*)(bay_context*, uint32_t level, bay_str message, bay_str fields_json)), 72u);
SAME(bay_host, metric_add, __typeof__(void (*)(bay_context*, bay_str name_in_manifest, double)), 80u);
SAME(bay_host, extension, const void* (*)(bay_str id), 88u);
SAME(bay_host, max_rows, int64_t (*)(const bay_call*), 96u);
SAME(bay_host, backoff, __typeof__(int64_t (*)(bay_call*, uint32_t attempt, int64_t retry_after_ns)), 104u);
SAME(bay_host, schema_change, __typeof__(int32_t (*)(bay_call*, bay_str stream, bay_str path, bay_str type, bay_str* agreed_type)), 112u);
SAME(bay_host, durable_step, __typeof__(void (*)(bay_call*, bay_str name)), 120u);
SAME(bay_host, epoch, __typeof__(bay_status (*)(const bay_call*, bay_epoch* out)), 128u);
SAME(bay_host, claim, __typeof__(bay_status (*)(bay_call*, bay_str name)), 136u);
SAME(bay_host, is_done, __typeof__(int32_t (*)(bay_call*, bay_str split_id)), 144u);

GROWS(bay_component_vt, 40u);
SAME(bay_component_vt, struct_size, uint32_t, 0u);
SAME(bay_component_vt, flags, uint32_t, 4u);
SAME(bay_component_vt, create, __typeof__(bay_status (*)(bay_call*, bay_context*, bay_str config_json, bay_object** out)), 8u);
SAME(bay_component_vt, destroy, void (*)(bay_object*), 16u);
SAME(bay_component_vt, interrupt, void (*)(bay_object*), 24u);
SAME(bay_component_vt, check, __typeof__(bay_status (*)(bay_call*, bay_object*)), 32u);

GROWS(bay_reader_vt, 48u);
SAME(bay_reader_vt, struct_size, uint32_t, 0u);
SAME(bay_reader_vt, flags, uint32_t, 4u);
SAME(bay_reader_vt, next, __typeof__(bay_status (*)(bay_call*, bay_reader*, bay_event* out)), 8u);
SAME(bay_reader_vt, checkpoint, __typeof__(bay_status (*)(bay_call*, bay_reader*)), 16u);
SAME(bay_reader_vt, committed, __typeof__(bay_status (*)(bay_call*, bay_reader*, uint64_t epoch)), 24u);
SAME(bay_reader_vt, close, void (*)(bay_reader*), 32u);
SAME(bay_reader_vt, refused, __typeof__(bay_status (*)(bay_call*, bay_reader*, bay_status why)), 40u);

GROWS(bay_source_vt, 32u);
SAME(bay_source_vt, struct_size, uint32_t, 0u);
SAME(bay_source_vt, flags, uint32_t, 4u);
SAME(bay_source_vt, discover, __typeof__(bay_status (*)(bay_call*, bay_object*)), 8u);
SAME(bay_source_vt, plan, __typeof__(bay_status (*)(bay_call*, bay_object*, bay_str selection_json, uint32_t want)), 16u);
SAME(bay_source_vt, open, __typeof__(bay_status (*)(bay_call*, bay_object*, bay_bytes split, bay_bytes state, bay_reader** out)), 24u);

GROWS(bay_transform_vt, 32u);
SAME(bay_transform_vt, struct_size, uint32_t, 0u);
SAME(bay_transform_vt, flags, uint32_t, 4u);
SAME(bay_transform_vt, bind, __typeof__(bay_status (*)(bay_call*, bay_object*, const struct ArrowSchema* const* in, uint32_t n)), 8u);
SAME(bay_transform_vt, open, __typeof__(bay_status (*)(bay_call*, bay_object*, bay_input* const* in, uint32_t n, bay_reader** out)), 16u);
SAME(bay_transform_vt, file_of, __typeof__(bay_status (*)(bay_call*, bay_object*, const bay_bytes* records, size_t n)), 24u);

GROWS(bay_sink_vt, 88u);
SAME(bay_sink_vt, struct_size, uint32_t, 0u);
SAME(bay_sink_vt, flags, uint32_t, 4u);
SAME(bay_sink_vt, plan_schema, __typeof__(bay_status (*)(bay_call*, bay_object*, const struct ArrowSchema* stream)), 8u);
SAME(bay_sink_vt, apply_schema, __typeof__(bay_status (*)(bay_call*, bay_object*, const struct ArrowSchema* stream, bay_str steps_json)), 16u);
SAME(bay_sink_vt, open, __typeof__(bay_status (*)(bay_call*, bay_object*, const struct ArrowSchema* stream, bay_str txn, bay_writer** out)), 24u);
SAME(bay_sink_vt, write, __typeof__(bay_status (*)(bay_call*, bay_writer*, struct ArrowArray* moved)), 32u);
SAME(bay_sink_vt, prepare, __typeof__(bay_status (*)(bay_call*, bay_writer*, int64_t* rows_accepted)), 40u);
SAME(bay_sink_vt, close, void (*)(bay_writer*), 48u);
SAME(bay_sink_vt, commit, __typeof__(bay_status (*)(bay_call*, bay_object*, bay_str txn, uint64_t epoch, const bay_bytes* tokens, size_t n)), 56u);
SAME(bay_sink_vt, abort, __typeof__(bay_status (*)(bay_call*, bay_object*, const bay_str* txns, size_t n)), 64u);
SAME(bay_sink_vt, outcome, __typeof__(bay_status (*)(bay_call*, bay_object*, bay_str txn, const bay_bytes* tokens, size_t n, int32_t* outcome)), 72u);
SAME(bay_sink_vt, newest, __typeof__(bay_status (*)(bay_call*, bay_object*, uint64_t* number)), 80u);

GROWS(bay_component, 64u);
SAME(bay_component, struct_size, uint32_t, 0u);
SAME(bay_component, kind, uint32_t, 4u);
SAME(bay_component, name, bay_str, 8u);
SAME(bay_component, common, const bay_component_vt*, 24u);
SAME(bay_component, reader, const bay_reader_vt*, 32u);
SAME(bay_component, source, const bay_source_vt*, 40u);
SAME(bay_component, transform, const bay_transform_vt*, 48u);
SAME(bay_component, sink, const bay_sink_vt*, 56u);

GROWS(bay_plugin, 56u);
SAME(bay_plugin, struct_size, uint32_t, 0u);
SAME(bay_plugin, abi_minor, uint32_t, 4u);
SAME(bay_plugin, id, bay_str, 8u);
SAME(bay_plugin, version, bay_str, 24u);
SAME(bay_plugin, components, const bay_component* const*, 40u);
SAME(bay_plugin, n_components, size_t, 48u);

VALUE(BAY_ABI_MAJOR, 1u);
VALUE(BAY_OK, 0);
VALUE(BAY_END, 1);
VALUE(BAY_UNCHANGED, 2);
VALUE(BAY_NOT_NOW, 3);
VALUE(BAY_E_CONFIG, (-1));
VALUE(BAY_E_AUTH, (-2));
VALUE(BAY_E_UNAVAILABLE, (-3));
VALUE(BAY_E_NOT_FOUND, (-4));
VALUE(BAY_E_DATA, (-5));
VALUE(BAY_E_REMOTE, (-6));
VALUE(BAY_E_CANCELLED, (-7));
VALUE(BAY_E_INTERNAL, (-8));
VALUE(BAY_E_SCHEMA, (-9));
VALUE(BAY_EVENT_STREAM, 1u);
VALUE(BAY_EVENT_BATCH, 2u);
VALUE(BAY_EVENT_BARRIER, 3u);
VALUE(BAY_EVENT_IDLE, 4u);
VALUE(BAY_CHANGE_FAIL, 1);
VALUE(BAY_CHANGE_IGNORE, 2);
VALUE(BAY_CHANGE_REJECT, 3);
VALUE(BAY_CHANGE_EVOLVE, 4);
VALUE(BAY_LOG_ERROR, 1u);
VALUE(BAY_LOG_WARN, 2u);
VALUE(BAY_LOG_INFO, 3u);
VALUE(BAY_LOG_DEBUG, 4u);
VALUE(BAY_LOG_TRACE, 5u);
VALUE(BAY_EPOCH_COMPLETE, 1u);
VALUE(BAY_OUTCOME_UNKNOWN, 0);
VALUE(BAY_OUTCOME_COMMITTED, 1);
VALUE(BAY_OUTCOME_PREPARED, 2);
VALUE(BAY_OUTCOME_GONE, 3);
VALUE(BAY_SOURCE, 1u);
VALUE(BAY_TRANSFORM, 2u);
VALUE(BAY_SINK, 3u);
VALUE(BAY_NOTE_TYPE, 1u);
