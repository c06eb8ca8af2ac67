// Writes rows as files of JSON lines. Replace the files by your system; what each step promises
// stays.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <patchbay/abi.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
  char* folder;
  unsigned opened;
};

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)context;
  char* folder = text_option(config, "folder");
  if (!folder) return fail(call, BAY_E_CONFIG, "folder: must be a text without escapes");
  *out = allocate(sizeof **out);
  (*out)->folder = folder;
  return BAY_OK;
}

static void destroy(bay_object* object) {
  free(object->folder);
  free(object);
}

enum { kNameBytes = 240 };

struct column {
  char* name;
  char format;
};

struct bay_writer {
  char* folder;
  char name[kNameBytes];  // txn.number: the token
  char* path;             // hidden until commit
  FILE* file;
  struct column* columns;
  int64_t n_columns, rows;
  int prepared;
};

static bay_status fail_path(bay_call* call, const char* path) {
  return fail(call, errno == ENOSPC ? BAY_E_UNAVAILABLE : BAY_E_REMOTE, "folder: %s: %s", path,
              strerror(errno));
}

static char* path_of(const char* folder, const char* before, const char* name, const char* after) {
  const size_t size = strlen(folder) + strlen(before) + strlen(name) + strlen(after) + 1;
  char* path = allocate(size);
  snprintf(path, size, "%s%s%s%s", folder, before, name, after);
  return path;
}

static bay_status check(bay_call* call, bay_object* object) {
  if (access(object->folder, W_OK | X_OK) != 0 && errno != ENOENT)
    return fail_path(call, object->folder);
  return BAY_OK;
}

static bay_status sync_folder(bay_call* call, const char* folder) {
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int ok = fd >= 0 && fsync(fd) == 0;
  const bay_status status = ok ? BAY_OK : fail_path(call, folder);
  if (fd >= 0) close(fd);
  return status;
}

static void close_writer(bay_writer* writer) {
  if (writer->file) fclose(writer->file);
  if (writer->file && !writer->prepared) unlink(writer->path);
  for (int64_t i = 0; i < writer->n_columns; ++i) free(writer->columns[i].name);
  free(writer->columns);
  free(writer->path);
  free(writer->folder);
  free(writer);
}

// int64, float64 and utf8; a sink of yours will know more.
static bay_status take_columns(bay_call* call, bay_writer* writer,
                               const struct ArrowSchema* stream) {
  writer->columns = allocate((size_t)stream->n_children * sizeof *writer->columns);
  for (int64_t i = 0; i < stream->n_children; ++i) {
    const struct ArrowSchema* child = stream->children[i];
    if (strlen(child->format) != 1 || !strchr("lgu", child->format[0]))
      return fail(call, BAY_E_SCHEMA,
                  "column %s: its type is %s; only int64, float64 and utf8 are written",
                  child->name, child->format);
    writer->columns[i] = (struct column){copy(child->name, strlen(child->name)), child->format[0]};
    writer->n_columns = i + 1;
  }
  return BAY_OK;
}

static bay_status open_writer(bay_call* call, bay_object* object, const struct ArrowSchema* stream,
                              bay_str txn, bay_writer** out) {
  if (mkdir(object->folder, 0777) != 0 && errno != EEXIST) return fail_path(call, object->folder);
  bay_writer* writer = allocate(sizeof *writer);
  bay_status status = take_columns(call, writer, stream);
  writer->folder = copy(object->folder, strlen(object->folder));
  snprintf(writer->name, sizeof writer->name, "%.*s.%u", (int)txn.size, txn.data, object->opened++);
  writer->path = path_of(writer->folder, "/.", writer->name, "");
  if (status == BAY_OK) {
    writer->file = fopen(writer->path, "wbe");
    if (!writer->file) status = fail_path(call, writer->path);
  }
  if (status != BAY_OK) {
    close_writer(writer);
    return status;
  }
  *out = writer;
  return BAY_OK;
}

static void write_text(FILE* file, const char* text, size_t size) {
  putc('"', file);
  for (size_t i = 0; i < size; ++i) {
    const unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') {
      fprintf(file, "\\%c", c);
    } else if (c == '\n') {
      fputs("\\n", file);
    } else if (c < 0x20) {
      fprintf(file, "\\u%04x", c);
    } else {
      putc(c, file);
    }
  }
  putc('"', file);
}

static int is_null(const struct ArrowArray* array, int64_t row) {
  const uint8_t* valid = array->buffers[0];
  return array->null_count != 0 && valid && !(valid[row / 8] >> (row % 8) & 1);
}

static void write_number(FILE* file, double value) {
  char text[32];
  for (int digits = 15; digits <= 17; ++digits) {  // the fewest that read back as the same number
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  fputs(value - value == 0 ? text : "null", file);
}

static void write_value(FILE* file, char format, const struct ArrowArray* array, int64_t row) {
  row += array->offset;
  if (is_null(array, row)) {
    fputs("null", file);
  } else if (format == 'l') {
    fprintf(file, "%" PRId64, ((const int64_t*)array->buffers[1])[row]);
  } else if (format == 'g') {
    write_number(file, ((const double*)array->buffers[1])[row]);
  } else {
    const int32_t* ends = array->buffers[1];
    write_text(file, (const char*)array->buffers[2] + ends[row],
               (size_t)(ends[row + 1] - ends[row]));
  }
}

// The array is this plugin's to release, whatever comes out.
static bay_status write_batch(bay_call* call, bay_writer* writer, struct ArrowArray* moved) {
  struct pollfd cancelled = {.fd = host->cancel_fd(call), .events = POLLIN};
  const int stop = poll(&cancelled, 1, 0) > 0;
  for (int64_t row = 0; row < moved->length && !stop; ++row) {
    for (int64_t i = 0; i < writer->n_columns; ++i) {
      putc(i ? ',' : '{', writer->file);
      write_text(writer->file, writer->columns[i].name, strlen(writer->columns[i].name));
      putc(':', writer->file);
      write_value(writer->file, writer->columns[i].format, moved->children[i], moved->offset + row);
    }
    fputs(writer->n_columns ? "}\n" : "{}\n", writer->file);
  }
  writer->rows += moved->length;
  moved->release(moved);
  if (stop) return fail(call, BAY_E_CANCELLED, "cancelled");
  return ferror(writer->file) ? fail_path(call, writer->path) : BAY_OK;
}

// Durable, and hidden. The token is all that commit needs, in any process.
static bay_status prepare(bay_call* call, bay_writer* writer, int64_t* rows_accepted) {
  host->durable_step(call, TEXT(PATCHBAY_PLUGIN_ID ".before_prepare"));
  if (fflush(writer->file) != 0 || fsync(fileno(writer->file)) != 0)
    return fail_path(call, writer->path);
  const bay_status status = sync_folder(call, writer->folder);
  if (status != BAY_OK) return status;
  writer->prepared = 1;
  host->durable_step(call, TEXT(PATCHBAY_PLUGIN_ID ".prepared"));
  *rows_accepted = writer->rows;
  return host->put(call, (bay_bytes){(const uint8_t*)writer->name, strlen(writer->name)});
}

static bay_status commit_one(bay_call* call, const char* folder, const char* token) {
  char* from = path_of(folder, "/.", token, "");
  char* to = path_of(folder, "/", token, ".json");
  bay_status status = BAY_OK;
  if (rename(from, to) != 0 && access(to, F_OK) != 0)
    status = fail(call, BAY_E_NOT_FOUND, "folder: %s: what was prepared is gone", from);
  free(from);
  free(to);
  return status;
}

// May come again, in another process, after any part of it was done.
static bay_status commit(bay_call* call, bay_object* object, bay_str txn, uint64_t epoch,
                         const bay_bytes* tokens, size_t n) {
  (void)txn, (void)epoch;
  for (size_t i = 0; i < n; ++i) {
    host->durable_step(call, TEXT(PATCHBAY_PLUGIN_ID ".before_commit"));
    char* token = copy(tokens[i].data, tokens[i].size);
    const bay_status status = commit_one(call, object->folder, token);
    free(token);
    if (status != BAY_OK) return status;
  }
  const bay_status status = n ? sync_folder(call, object->folder) : BAY_OK;
  host->durable_step(call, TEXT(PATCHBAY_PLUGIN_ID ".committed"));
  return status;
}

static int belongs_to(const char* file, bay_str txn) {
  return file[0] == '.' && strlen(file) > txn.size + 1 &&
         memcmp(file + 1, txn.data, txn.size) == 0 && file[1 + txn.size] == '.';
}

// By name alone: whoever wrote the files may be gone.
static bay_status abort_all(bay_call* call, bay_object* object, const bay_str* txns, size_t n) {
  DIR* listed = opendir(object->folder);
  if (!listed) return errno == ENOENT ? BAY_OK : fail_path(call, object->folder);
  for (const struct dirent* entry; (entry = readdir(listed));) {
    for (size_t i = 0; i < n; ++i) {
      if (!belongs_to(entry->d_name, txns[i])) continue;
      char* path = path_of(object->folder, "/", entry->d_name, "");
      unlink(path);
      free(path);
    }
  }
  closedir(listed);
  return BAY_OK;
}

static const bay_component_vt common = {
    .struct_size = sizeof common, .create = create, .destroy = destroy, .check = check};
static const bay_sink_vt sink = {.struct_size = sizeof sink,
                                 .open = open_writer,
                                 .write = write_batch,
                                 .prepare = prepare,
                                 .close = close_writer,
                                 .commit = commit,
                                 .abort = abort_all};

static const bay_component component = {.struct_size = sizeof component,
                                        .kind = BAY_SINK,
                                        .name = {PATCHBAY_PLUGIN_ID, sizeof PATCHBAY_PLUGIN_ID - 1},
                                        .common = &common,
                                        .sink = &sink};
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
