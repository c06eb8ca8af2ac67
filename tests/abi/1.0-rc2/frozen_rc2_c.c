/* A source in C, from the header of 1.0-rc2 alone: numbers in two pieces that are read once each.
 * Tells in a file what the host says of its rows. */
#include <patchbay/abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "frozen_rc2_c"
#define VERSION "1.0.0"
BAY_PLUGIN_NOTE(ID, VERSION, 0);

#define TEXT(literal) ((bay_str){(literal), sizeof(literal) - 1})

static const bay_host* host;

struct bay_object {
  int64_t rows;
  char* heard; /* where is noted what was refused; NULL = nowhere */
};
struct bay_reader {
  const struct bay_object* of;
  int64_t first, given;
  int began;
};

static bay_status fail(bay_call* call, bay_status status, bay_str message) {
  host->fail(call, status, message, TEXT(""));
  return status;
}

static bay_status put(bay_call* call, const char* text) {
  return host->put(call, (bay_bytes){(const uint8_t*)text, strlen(text)});
}

static char* copy(const void* data, size_t size) {
  char* text = malloc(size + 1);
  if (!text) abort();
  if (size) memcpy(text, data, size);
  text[size] = 0;
  return text;
}

/* What stands behind the member, up to `end`; NULL without one. */
static char* member(const char* json, const char* name, char end) {
  const char* at = strstr(json, name);
  if (!at) return NULL;
  at += strlen(name);
  const char* stop = strchr(at, end);
  return stop ? copy(at, (size_t)(stop - at)) : NULL;
}

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)context;
  char* json = copy(config.data, config.size);
  const char* rows = strstr(json, "\"rows\":");
  const int is_object = json[0] == '{' && json[config.size - 1] == '}';
  if (rows && is_object) {
    *out = malloc(sizeof **out);
    if (!*out) abort();
    (*out)->rows = strtoll(rows + strlen("\"rows\":"), NULL, 10);
    (*out)->heard = member(json, "\"heard\":\"", '"');
  }
  free(json);
  if (!is_object) return fail(call, BAY_E_CONFIG, TEXT("configuration: must be an object"));
  return rows ? BAY_OK : fail(call, BAY_E_CONFIG, TEXT("rows: missing"));
}

static void destroy(bay_object* object) {
  free(object->heard);
  free(object);
}

static bay_status discover(bay_call* call, bay_object* object) {
  (void)object;
  return put(call, "{\"name\":\"numbers\",\"fields\":[{\"name\":\"n\",\"type\":\"int64\"}]}");
}

static bay_status plan(bay_call* call, bay_object* object, bay_str selection, uint32_t want) {
  (void)object, (void)want;
  char* json = copy(selection.data, selection.size);
  const int wanted = !strstr(json, "\"streams\":[\"") || strstr(json, "\"numbers\"");
  free(json);
  if (!wanted) return BAY_OK;
  for (int piece = 0; piece < 2; ++piece) {
    const char id[] = {(char)('a' + piece), '#', '1'};
    if (BAY_HAS(host, bay_host, is_done) && host->is_done(call, (bay_str){id, sizeof id}) == 1)
      continue;
    char split[200];
    snprintf(split, sizeof split,
             "{\"id\":\"%.3s\",\"of\":\"%c\",\"stream\":\"numbers\",\"once\":true,"
             "\"complete\":true,\"identity\":{\"counter\":\"two pieces\"}}",
             id, 'a' + piece);
    const bay_status status = put(call, split);
    if (status != BAY_OK) return status;
  }
  return put(call, "{\"stream\":\"numbers\"}");
}

static bay_status open_split(bay_call* call, bay_object* object, bay_bytes split, bay_bytes state,
                             bay_reader** out) {
  (void)state;
  char* json = copy(split.data, split.size);
  char* id = member(json, "\"id\":\"", '#');
  free(json);
  if (!id) return fail(call, BAY_E_DATA, TEXT("the split has no id"));
  bay_reader* reader = calloc(1, sizeof *reader);
  if (!reader) abort();
  reader->of = object;
  reader->first = id[0] == 'a' ? 1 : 1 + object->rows;
  free(id);
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
  *column = (struct ArrowSchema){
      .format = "l", .name = "n", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
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
  const int64_t left = reader->of->rows - reader->given, most = host->max_rows(call);
  if (left == 0) return BAY_END;
  const int64_t rows = left < most ? left : most;
  out->kind = BAY_EVENT_BATCH;
  make_array(&out->array, reader->first + reader->given, rows);
  reader->given += rows;
  return BAY_OK;
}

static bay_status checkpoint(bay_call* call, bay_reader* reader) {
  (void)call, (void)reader;
  return BAY_UNCHANGED; /* a piece is read whole */
}

static bay_status committed(bay_call* call, bay_reader* reader, uint64_t epoch) {
  (void)call, (void)reader, (void)epoch;
  return BAY_OK;
}

static void close_reader(bay_reader* reader) { free(reader); }

static bay_status refused(bay_call* call, bay_reader* reader, bay_status why) {
  if (!reader->of->heard) return BAY_OK;
  FILE* file = fopen(reader->of->heard, "a");
  if (!file) return fail(call, BAY_E_UNAVAILABLE, TEXT("heard: can't be written"));
  fprintf(file, "%lld refused: %d\n", (long long)reader->first, (int)why);
  fclose(file);
  return BAY_OK;
}

static const bay_component_vt common = {sizeof common, 0, create, destroy, NULL, NULL};
static const bay_reader_vt reader = {sizeof reader, 0,      next, checkpoint, committed,
                                     close_reader,  refused};
static const bay_source_vt source = {sizeof source, 0, discover, plan, open_split};
static const bay_component pieces = {.struct_size = sizeof pieces,
                                     .kind = BAY_SOURCE,
                                     .name = {ID, sizeof ID - 1},
                                     .common = &common,
                                     .reader = &reader,
                                     .source = &source};
static const bay_component* const components[] = {&pieces};
static const bay_plugin plugin = {.struct_size = sizeof plugin,
                                  .abi_minor = BAY_ABI_MINOR,
                                  .id = {ID, sizeof ID - 1},
                                  .version = {VERSION, sizeof VERSION - 1},
                                  .components = components,
                                  .n_components = 1};

const bay_plugin* patchbay_plugin_v1(const bay_host* of) {
  host = of;
  return &plugin;
}
