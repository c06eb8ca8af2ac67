/* A plugin of one transform: ONE_TRANSFORM(create), which never gets further, or ONE_READER(next),
 * whose reader's `next` is given and finds the host's table and its input in `host` and `input`. */
#include <patchbay/abi.h>
#include <stddef.h>

#define TEXT(literal) {(literal), sizeof(literal) - 1}

static void destroy(bay_object* object) { (void)object; }
static bay_status next_end(bay_call* call, bay_reader* reader, bay_event* out) {
  (void)call, (void)reader, (void)out;
  return BAY_END;
}
static const bay_host* host;
static bay_input* input;
static bay_status make(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)call, (void)context, (void)config;
  *out = (bay_object*)&host;
  return BAY_OK;
}
static void close_reader(bay_reader* reader) { (void)reader; }
static bay_status open_reader(bay_call* call, bay_object* object, bay_input* const* in, uint32_t n,
                              bay_reader** out) {
  (void)call, (void)object, (void)n;
  input = in[0];
  *out = (bay_reader*)&input;
  return BAY_OK;
}

#define ONE_TRANSFORM(create) PLUGIN(create, next_end)
#define ONE_READER(next) PLUGIN(make, next)
#define PLUGIN(made, given_next)                                                \
  static const bay_component_vt common = {                                      \
      .struct_size = sizeof common, .create = made, .destroy = destroy};        \
  static const bay_reader_vt reader = {                                         \
      .struct_size = sizeof reader, .next = given_next, .close = close_reader}; \
  static const bay_transform_vt transform = {.struct_size = sizeof transform,   \
                                             .open = open_reader};              \
  static const bay_component component = {.struct_size = sizeof component,      \
                                          .kind = BAY_TRANSFORM,                \
                                          .name = TEXT("broken"),               \
                                          .common = &common,                    \
                                          .reader = &reader,                    \
                                          .transform = &transform};             \
  static const bay_component* const components[] = {&component};                \
  static const bay_plugin plugin = {.struct_size = sizeof plugin,               \
                                    .id = TEXT(PATCHBAY_PLUGIN_ID),             \
                                    .version = TEXT(PATCHBAY_PLUGIN_VERSION),   \
                                    .components = components,                   \
                                    .n_components = 1};                         \
  const bay_plugin* patchbay_plugin_v1(const bay_host* given) {                 \
    host = given;                                                               \
    (void)make, (void)next_end;                                                 \
    return host ? &plugin : NULL;                                               \
  }
