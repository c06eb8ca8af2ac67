// Puts a prefix before the name of every column. Replace rename_columns by what your rows need.
#include <patchbay/abi.h>
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

struct bay_object {
  char* prefix;
};

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)context;
  char* prefix = text_option(config, "prefix");
  if (!prefix) return fail(call, BAY_E_CONFIG, "prefix: must be a text without escapes");
  *out = allocate(sizeof **out);
  (*out)->prefix = prefix;
  return BAY_OK;
}

static void destroy(bay_object* object) {
  free(object->prefix);
  free(object);
}

struct bay_reader {
  const char* prefix;
  bay_input* input;
};

static bay_status open_inputs(bay_call* call, bay_object* object, bay_input* const* in, uint32_t n,
                              bay_reader** out) {
  if (n != 1) return fail(call, BAY_E_CONFIG, "from: must name one node, not %u", n);
  *out = allocate(sizeof **out);
  **out = (bay_reader){object->prefix, in[0]};
  return BAY_OK;
}

// Other names for the columns of a schema that stays whole behind them.
struct renamed {
  struct ArrowSchema inner;
  struct ArrowSchema* columns;
};

static void release_column(struct ArrowSchema* column) {
  free(column->private_data);
  column->release = NULL;
}

static void release_renamed(struct ArrowSchema* schema) {
  struct renamed* kept = schema->private_data;
  for (int64_t i = 0; i < schema->n_children; ++i) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
  }
  kept->inner.release(&kept->inner);
  free(kept->columns);
  free(schema->children);
  free(kept);
  schema->release = NULL;
}

static void rename_columns(const char* prefix, struct ArrowSchema* schema) {
  struct renamed* kept = allocate(sizeof *kept);
  kept->inner = *schema;
  kept->columns = allocate((size_t)schema->n_children * sizeof *kept->columns);
  schema->children = allocate((size_t)schema->n_children * sizeof *schema->children);
  for (int64_t i = 0; i < schema->n_children; ++i) {
    struct ArrowSchema* column = &kept->columns[i];
    *column = *kept->inner.children[i];
    const size_t size = strlen(prefix) + strlen(column->name) + 1;
    char* name = allocate(size);
    snprintf(name, size, "%s%s", prefix, column->name);
    column->name = column->private_data = name;
    column->release = release_column;
    schema->children[i] = column;
  }
  schema->metadata = NULL;  // it may name keys, which have other names now
  schema->private_data = kept;
  schema->release = release_renamed;
}

// Batches and barriers pass as they are: names are no part of them.
static bay_status next(bay_call* call, bay_reader* reader, bay_event* out) {
  const bay_status status = host->input_next(call, reader->input, out);
  if (status == BAY_OK && out->kind == BAY_EVENT_STREAM)
    rename_columns(reader->prefix, &out->schema);
  return status;
}

static void close_reader(bay_reader* reader) { free(reader); }

static const bay_component_vt common = {
    .struct_size = sizeof common, .create = create, .destroy = destroy};
static const bay_reader_vt reader = {
    .struct_size = sizeof reader, .next = next, .close = close_reader};
static const bay_transform_vt transform = {.struct_size = sizeof transform, .open = open_inputs};

static const bay_component component = {.struct_size = sizeof component,
                                        .kind = BAY_TRANSFORM,
                                        .name = {PATCHBAY_PLUGIN_ID, sizeof PATCHBAY_PLUGIN_ID - 1},
                                        .common = &common,
                                        .reader = &reader,
                                        .transform = &transform};
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
