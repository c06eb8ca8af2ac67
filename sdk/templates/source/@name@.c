// Reads the lines of a text file, each once. Replace next() by what reads your system.
#include <errno.h>
#include <inttypes.h>
#include <patchbay/abi.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

#define TEXT(literal) ((bay_str){(literal), sizeof(literal) - 1})

static const bay_host* host;

// Tells the host what failed; the message begins with the option, path or row.
__attribute__((format(printf, 3, 4))) static bay_status fail(bay_call* call, bay_status status,
                                                             const char* format, ...) {
  char message[1024];
  va_list values;
  va_start(values, format);
  vsnprintf(message, sizeof message, format, values);
  va_end(values);
  host->fail(call, status, (bay_str){message, strlen(message)}, TEXT(""));
  return status;
}

static void* allocate(size_t size) {
  void* memory = calloc(1, size ? size : 1);
  if (!memory) abort();
  return memory;
}

// A terminated copy.
static char* copy(const void* data, size_t size) {
  char* text = allocate(size + 1);
  if (size) memcpy(text, data, size);
  return text;
}

// The text of an option, which the caller frees. The configuration is what the manifest's schema
// lets through; NULL where it has no such text, or one with other escapes than \" \\ and \/.
static char* text_option(bay_str config, const char* option) {
  char* json = copy(config.data, config.size);
  char key[64];
  snprintf(key, sizeof key, "\"%s\"", option);
  char* out = NULL;
  char* at = json[0] == '{' ? strstr(json, key) : NULL;
  if (at) at = strchr(at + strlen(key), '"');
  if (at) {
    char* end = out = allocate(strlen(at));
    for (++at; *at && *at != '"'; ++at) {
      if (*at == '\\' && !strchr("\"\\/", *++at)) break;
      *end++ = *at;
    }
    if (*at != '"') {
      free(out);
      out = NULL;
    }
  }
  free(json);
  return out;
}

enum { kLineBytes = 64 << 10, kBatchRows = 4096 };

struct bay_object {
  char* path;
};

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)context;
  char* path = text_option(config, "path");
  if (!path) return fail(call, BAY_E_CONFIG, "path: must be a text without escapes");
  *out = allocate(sizeof **out);
  (*out)->path = path;
  return BAY_OK;
}

static void destroy(bay_object* object) {
  free(object->path);
  free(object);
}

struct bay_reader {
  const char* path;
  FILE* file;
  int64_t line, offset;  // of what was returned
  int begun;
};

static FILE* open_file(bay_call* call, const char* path) {
  FILE* file = fopen(path, "rbe");
  if (!file) fail(call, BAY_E_NOT_FOUND, "path: %s: %s", path, strerror(errno));
  return file;
}

static bay_status check(bay_call* call, bay_object* object) {
  FILE* file = open_file(call, object->path);
  if (!file) return BAY_E_NOT_FOUND;
  fclose(file);
  return BAY_OK;
}

static bay_status put(bay_call* call, const char* text) {
  return host->put(call, (bay_bytes){(const uint8_t*)text, strlen(text)});
}

static bay_status discover(bay_call* call, bay_object* object) {
  (void)object;
  return put(
      call,
      "{\"name\":\"lines\",\"fields\":[{\"name\":\"line\",\"type\":\"int64\",\"nullable\":"
      "false},{\"name\":\"text\",\"type\":\"utf8\",\"nullable\":false}],\"keys\":[\"line\"]}");
}

static bay_status plan(bay_call* call, bay_object* object, bay_str selection, uint32_t want) {
  (void)object, (void)want;
  char* text = copy(selection.data, selection.size);
  const int wanted = !strchr(text, '[') || strstr(text, "[]") || strstr(text, "\"lines\"");
  free(text);
  return wanted ? put(call, "{\"id\":\"lines\",\"stream\":\"lines\"}") : BAY_OK;
}

// A number of the state that checkpoint put.
static int64_t number_in(const char* state, const char* key) {
  const char* at = strstr(state, key);
  at = at ? strchr(at, ':') : NULL;
  return at ? strtoll(at + 1, NULL, 10) : 0;
}

static bay_status open_split(bay_call* call, bay_object* object, bay_bytes split, bay_bytes state,
                             bay_reader** out) {
  (void)split;
  FILE* file = open_file(call, object->path);
  if (!file) return BAY_E_NOT_FOUND;
  bay_reader* reader = allocate(sizeof *reader);
  char* text = copy(state.data, state.size);
  *reader = (bay_reader){object->path, file, number_in(text, "\"line\""),
                         number_in(text, "\"offset\""), 0};
  free(text);
  fseek(file, 0, SEEK_END);
  if (ftell(file) < reader->offset) {
    fclose(file);
    free(reader);
    return fail(call, BAY_E_DATA,
                "path: %s: is shorter than when it was last read; "
                "`patchbay run --full-refresh` reads all of it",
                object->path);
  }
  fseek(file, (long)reader->offset, SEEK_SET);
  *out = reader;
  return BAY_OK;
}

// Both serve a parent and its children: what they own was allocated one by one.
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
  for (int64_t i = 0; i < array->n_buffers; ++i) free((void*)array->buffers[i]);
  free(array->buffers);
  array->release = NULL;
}

static struct ArrowSchema* make_column(const char* name, const char* format) {
  struct ArrowSchema* column = allocate(sizeof *column);
  *column = (struct ArrowSchema){.format = format, .name = name, .release = release_schema};
  return column;
}

static void make_schema(struct ArrowSchema* out) {
  struct ArrowSchema** children = allocate(2 * sizeof *children);
  children[0] = make_column("line", "l");
  children[1] = make_column("text", "u");
  *out = (struct ArrowSchema){.format = "+s",
                              .name = "lines",
                              .n_children = 2,
                              .children = children,
                              .release = release_schema};
}

static struct ArrowArray* make_array(int64_t rows, int64_t n_buffers, void* values, void* bytes) {
  struct ArrowArray* array = allocate(sizeof *array);
  const void** buffers = allocate((size_t)n_buffers * sizeof *buffers);
  if (n_buffers > 1) buffers[1] = values;
  if (n_buffers > 2) buffers[2] = bytes;
  *array = (struct ArrowArray){
      .length = rows, .n_buffers = n_buffers, .buffers = buffers, .release = release_array};
  return array;
}

static int is_utf8(const unsigned char* text, size_t size) {
  for (size_t i = 0; i < size;) {
    const unsigned lead = text[i++];
    if (lead < 0x80) continue;
    const size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || more > size - i) return 0;
    if ((lead == 0xe0 && text[i] < 0xa0) || (lead == 0xed && text[i] > 0x9f) ||
        (lead == 0xf0 && text[i] < 0x90) || (lead == 0xf4 && text[i] > 0x8f))
      return 0;
    for (size_t k = 0; k < more; ++k, ++i)
      if ((text[i] & 0xc0) != 0x80) return 0;
  }
  return 1;
}

// The size of the next whole line without its newline, -1 where there is none.
static int64_t read_line(bay_reader* reader, char* into) {
  int64_t size = 0;
  for (int c; (c = getc_unlocked(reader->file)) != EOF;) {
    if (c == '\n') return size;
    if (size == kLineBytes - 1) return kLineBytes;
    into[size++] = (char)c;
  }
  return -1;
}

struct columns {
  int64_t* numbers;
  int32_t* offsets;
  char* text;
  int64_t rows;
};

static bay_status read_batch(bay_call* call, bay_reader* reader, int64_t most,
                             struct columns* out) {
  char line[kLineBytes];
  while (out->rows < most) {
    const int64_t size = read_line(reader, line);
    if (size < 0) return BAY_OK;
    const char* why = size == kLineBytes ? "is longer than 65535 bytes"
                      : !is_utf8((const unsigned char*)line, (size_t)size) ? "is no UTF-8"
                                                                           : NULL;
    if (why)
      return fail(call, BAY_E_DATA, "%s: line %" PRId64 ": %s", reader->path, reader->line + 1,
                  why);
    const int32_t begin = out->offsets[out->rows];
    char* grown = realloc(out->text, (size_t)begin + (size_t)size + 1);
    if (!grown) abort();
    out->text = grown;
    memcpy(out->text + begin, line, (size_t)size);
    out->numbers[out->rows++] = ++reader->line;
    out->offsets[out->rows] = begin + (int32_t)size;
    reader->offset += size + 1;
  }
  return BAY_OK;
}

static bay_status next(bay_call* call, bay_reader* reader, bay_event* out) {
  struct pollfd cancelled = {.fd = host->cancel_fd(call), .events = POLLIN};
  if (poll(&cancelled, 1, 0) > 0) return fail(call, BAY_E_CANCELLED, "cancelled");
  if (!reader->begun) {
    reader->begun = 1;
    out->kind = BAY_EVENT_STREAM;
    make_schema(&out->schema);
    return BAY_OK;
  }
  const int64_t allowed = host->max_rows(call);
  const size_t most = (size_t)(allowed < kBatchRows ? allowed : kBatchRows);
  struct columns columns = {allocate(most * sizeof(int64_t)),
                            allocate((most + 1) * sizeof(int32_t)), allocate(1), 0};
  const bay_status status = read_batch(call, reader, (int64_t)most, &columns);
  struct ArrowArray* rows = make_array(columns.rows, 1, NULL, NULL);
  rows->n_children = 2;
  rows->children = allocate(2 * sizeof *rows->children);
  rows->children[0] = make_array(columns.rows, 2, columns.numbers, NULL);
  rows->children[1] = make_array(columns.rows, 3, columns.offsets, columns.text);
  if (status == BAY_OK && columns.rows > 0) {
    out->kind = BAY_EVENT_BATCH;
    out->array = *rows;
  } else {
    rows->release(rows);
  }
  free(rows);
  return status != BAY_OK ? status : columns.rows ? BAY_OK : BAY_END;
}

// What resumes after the rows returned so far.
static bay_status checkpoint(bay_call* call, bay_reader* reader) {
  char state[80];
  snprintf(state, sizeof state, "{\"line\":%" PRId64 ",\"offset\":%" PRId64 "}", reader->line,
           reader->offset);
  return put(call, state);
}

static void close_reader(bay_reader* reader) {
  fclose(reader->file);
  free(reader);
}

static const bay_component_vt common = {
    .struct_size = sizeof common, .create = create, .destroy = destroy, .check = check};
static const bay_reader_vt reader = {
    .struct_size = sizeof reader, .next = next, .checkpoint = checkpoint, .close = close_reader};
static const bay_source_vt source = {
    .struct_size = sizeof source, .discover = discover, .plan = plan, .open = open_split};

static const bay_component component = {.struct_size = sizeof component,
                                        .kind = BAY_SOURCE,
                                        .name = {PATCHBAY_PLUGIN_ID, sizeof PATCHBAY_PLUGIN_ID - 1},
                                        .common = &common,
                                        .reader = &reader,
                                        .source = &source};
static const bay_component* const components[] = {&component};
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
