/* A source in C: counts from 1 to `rows`, resumes after the number in its state. */
#include <patchbay/abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

#define TEXT(literal) ((bay_str){(literal), sizeof(literal) - 1})

static const bay_host* host;

struct bay_object {
  int64_t rows;
};
struct bay_reader {
  int64_t rows, last;
  int began;
};

static bay_status fail(bay_call* call, bay_status status, bay_str message) {
  host->fail(call, status, message, TEXT(""));
  return status;
}

static bay_status put(bay_call* call, const char* text) {
  return host->put(call, (bay_bytes){(const uint8_t*)text, strlen(text)});
}

/* A terminated copy, so that the C library can search it. */
static char* copy(const void* data, size_t size) {
  char* text = malloc(size + 1);
  if (!text) abort();
  if (size) memcpy(text, data, size);
  text[size] = 0;
  return text;
}

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)context;
  if (config.size < 2 || config.data[0] != '{' || config.data[config.size - 1] != '}')
    return fail(call, BAY_E_CONFIG, TEXT("configuration: must be an object"));
  char* text = copy(config.data, config.size);
  const char* rows = strstr(text, "\"rows\":");
  if (rows) {
    *out = malloc(sizeof **out);
    if (!*out) abort();
    (*out)->rows = strtoll(rows + strlen("\"rows\":"), NULL, 10);
  }
  free(text);
  return rows ? BAY_OK : fail(call, BAY_E_CONFIG, TEXT("rows: missing"));
}

static void destroy(bay_object* object) { free(object); }
static void interrupt(bay_object* object) { (void)object; }

static bay_status check(bay_call* call, bay_object* object) {
  (void)call, (void)object;
  return BAY_OK;
}

static bay_status discover(bay_call* call, bay_object* object) {
  (void)object;
  return put(call,
             "{\"name\":\"numbers\",\"fields\":[{\"name\":\"n\",\"type\":\"int64\","
             "\"nullable\":false}],\"keys\":[\"n\"]}");
}

static bay_status plan(bay_call* call, bay_object* object, bay_str selection, uint32_t want) {
  (void)object, (void)want;
  char* text = copy(selection.data, selection.size);
  const int wanted = !strstr(text, "\"streams\":[\"") || strstr(text, "\"numbers\"");
  free(text);
  return wanted ? put(call, "{\"id\":\"numbers\",\"stream\":\"numbers\"}") : BAY_OK;
}

static bay_status open_split(bay_call* call, bay_object* object, bay_bytes split, bay_bytes state,
                             bay_reader** out) {
  (void)call, (void)split;
  bay_reader* reader = calloc(1, sizeof *reader);
  if (!reader) abort();
  char* text = copy(state.data, state.size);
  reader->rows = object->rows;
  reader->last = strtoll(text, NULL, 10);
  free(text);
  *out = reader;
  return BAY_OK;
}

static void release_schema(struct ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  schema->release = NULL;
}

static void release_array(struct ArrowArray* array) {
  for (int64_t i = 0; i < array->n_children; ++i) {
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free(array->children);
  if (array->n_buffers == 2) free((void*)array->buffers[1]);
  free(array->buffers);
  array->release = NULL;
}

static void make_schema(struct ArrowSchema* out) {
  struct ArrowSchema* column = malloc(sizeof *column);
  struct ArrowSchema** children = malloc(sizeof *children);
  if (!column || !children) abort();
  *column = (struct ArrowSchema){.format = "l", .name = "n", .release = release_schema};
  *children = column;
  *out = (struct ArrowSchema){.format = "+s",
                              .name = "numbers",
                              .n_children = 1,
                              .children = children,
                              .release = release_schema};
}

static void make_array(struct ArrowArray* out, int64_t first, int64_t rows) {
  int64_t* numbers = malloc((size_t)rows * sizeof *numbers);
  const void** column_buffers = calloc(2, sizeof *column_buffers);
  const void** buffers = calloc(1, sizeof *buffers);
  struct ArrowArray* column = malloc(sizeof *column);
  struct ArrowArray** children = malloc(sizeof *children);
  if (!numbers || !column_buffers || !buffers || !column || !children) abort();
  for (int64_t i = 0; i < rows; ++i) numbers[i] = first + i;
  column_buffers[1] = numbers;
  *column = (struct ArrowArray){
      .length = rows, .n_buffers = 2, .buffers = column_buffers, .release = release_array};
  *children = column;
  *out = (struct ArrowArray){.length = rows,
                             .n_buffers = 1,
                             .n_children = 1,
                             .buffers = buffers,
                             .children = children,
                             .release = release_array};
}

static bay_status next(bay_call* call, bay_reader* reader, bay_event* out) {
  if (!reader->began) {
    reader->began = 1;
    out->kind = BAY_EVENT_STREAM;
    make_schema(&out->schema);
    return BAY_OK;
  }
  if (reader->last >= reader->rows) return BAY_END;
  const int64_t left = reader->rows - reader->last, most = host->max_rows(call);
  const int64_t rows = left < most ? left : most;
  out->kind = BAY_EVENT_BATCH;
  make_array(&out->array, reader->last + 1, rows);
  reader->last += rows;
  return BAY_OK;
}

static bay_status checkpoint(bay_call* call, bay_reader* reader) {
  char state[24];
  snprintf(state, sizeof state, "%lld", (long long)reader->last);
  return put(call, state);
}

static bay_status committed(bay_call* call, bay_reader* reader, uint64_t epoch) {
  (void)call, (void)reader, (void)epoch;
  return BAY_OK;
}

static void close_reader(bay_reader* reader) { free(reader); }

static const bay_component_vt common = {.struct_size = sizeof common,
                                        .create = create,
                                        .destroy = destroy,
                                        .interrupt = interrupt,
                                        .check = check};
static const bay_reader_vt reader = {.struct_size = sizeof reader,
                                     .next = next,
                                     .checkpoint = checkpoint,
                                     .committed = committed,
                                     .close = close_reader};
static const bay_source_vt source = {
    .struct_size = sizeof source, .discover = discover, .plan = plan, .open = open_split};
static const bay_component counter = {.struct_size = sizeof counter,
                                      .kind = BAY_SOURCE,
                                      .name = {"counter", sizeof "counter" - 1},
                                      .common = &common,
                                      .reader = &reader,
                                      .source = &source};
static const bay_component* const components[] = {&counter};
static const bay_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor = BAY_ABI_MINOR,
    .id = {PATCHBAY_PLUGIN_ID, sizeof PATCHBAY_PLUGIN_ID - 1},
    .version = {PATCHBAY_PLUGIN_VERSION, sizeof PATCHBAY_PLUGIN_VERSION - 1},
    .components = components,
    .n_components = 1};

const bay_plugin* patchbay_plugin_v1(const bay_host* of) {
  host = of;
  return &plugin;
}
