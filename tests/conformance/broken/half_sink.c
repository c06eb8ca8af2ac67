/* A sink without prepare. */
#include <patchbay/abi.h>

#define TEXT(literal) {(literal), sizeof(literal) - 1}

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)call, (void)context, (void)config, (void)out;
  return BAY_OK;
}
static void destroy(bay_object* object) { (void)object; }
static bay_status open_writer(bay_call* call, bay_object* object, const struct ArrowSchema* stream,
                              bay_str txn, bay_writer** out) {
  (void)call, (void)object, (void)stream, (void)txn, (void)out;
  return BAY_OK;
}
static bay_status write_batch(bay_call* call, bay_writer* writer, struct ArrowArray* moved) {
  (void)call, (void)writer;
  moved->release(moved);
  return BAY_OK;
}
static void close_writer(bay_writer* writer) { (void)writer; }
static bay_status commit(bay_call* call, bay_object* object, bay_str txn, uint64_t epoch,
                         const bay_bytes* tokens, size_t n) {
  (void)call, (void)object, (void)txn, (void)epoch, (void)tokens, (void)n;
  return BAY_OK;
}
static bay_status abort_all(bay_call* call, bay_object* object, const bay_str* txns, size_t n) {
  (void)call, (void)object, (void)txns, (void)n;
  return BAY_OK;
}

static const bay_component_vt common = {
    .struct_size = sizeof common, .create = create, .destroy = destroy};
static const bay_sink_vt sink = {.struct_size = sizeof sink,
                                 .open = open_writer,
                                 .write = write_batch,
                                 .close = close_writer,
                                 .commit = commit,
                                 .abort = abort_all};
static const bay_component component = {.struct_size = sizeof component,
                                        .kind = BAY_SINK,
                                        .name = TEXT("broken"),
                                        .common = &common,
                                        .sink = &sink};
static const bay_component* const components[] = {&component};
static const bay_plugin plugin = {.struct_size = sizeof plugin,
                                  .id = TEXT(PATCHBAY_PLUGIN_ID),
                                  .version = TEXT(PATCHBAY_PLUGIN_VERSION),
                                  .components = components,
                                  .n_components = 1};

const bay_plugin* patchbay_plugin_v1(const bay_host* host) { return host ? &plugin : NULL; }
