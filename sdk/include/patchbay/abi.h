/* The contract between the patchbay host and a plugin: C11 and C++20, nothing else is shared.
 *
 * Rules that the declarations below cannot express:
 *  - `struct_size` comes first in every table and growable struct, in both directions. Fields are
 * only appended; a reader checks BAY_HAS before it uses a field younger than minor 0.
 *  - A parameter named `moved` changes owner whatever the function returns; every other one is
 * borrowed until return.
 *  - An Arrow array may be released on any thread, at any time, until the process exits.
 *  - Calls on one object are serialised, but may change thread. `interrupt` alone may come from any
 * thread at any time and must not block. A cancelled call returns within one second.
 *  - No exception, C++ type, allocator, errno, FILE* or locale-dependent text crosses.
 *  - Nothing here assumes that host and plugin share a process.
 */
#ifndef PATCHBAY_ABI_H
#define PATCHBAY_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Arrow C Data Interface, verbatim names and layout:
 * https://arrow.apache.org/docs/format/CDataInterface.html */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
#endif /* ARROW_C_DATA_INTERFACE */

#define BAY_ABI_MAJOR 1u
#define BAY_ABI_MINOR 0u

/* 0 is success, a positive status is progress, a negative one a class of failure with its own
 * reaction of the host. */
typedef int32_t bay_status;
#define BAY_OK 0
#define BAY_END 1       /* next: no more events */
#define BAY_UNCHANGED 2 /* checkpoint: nothing new since the last one */
#define BAY_NOT_NOW 3   /* checkpoint: in the middle of something; ask again after the next event */
#define BAY_E_CONFIG \
  (-1) /* the user must edit the configuration; the message starts with the option */
#define BAY_E_AUTH (-2)        /* credentials refused */
#define BAY_E_UNAVAILABLE (-3) /* transient: retried from the last committed epoch */
#define BAY_E_NOT_FOUND (-4)   /* the stream, table, bucket or object is not there */
#define BAY_E_DATA (-5)        /* bytes break the format or the contract; the message says where */
#define BAY_E_REMOTE (-6)      /* the remote system refuses for good */
#define BAY_E_CANCELLED (-7)
#define BAY_E_INTERNAL (-8) /* a bug in the plugin */
#define BAY_E_SCHEMA (-9)   /* the schema changed and the pipeline says `fail` */

/* UTF-8 text and bytes: borrowed, not terminated. */
typedef struct bay_str {
  const char* data;
  size_t size;
} bay_str;
typedef struct bay_bytes {
  const uint8_t* data;
  size_t size;
} bay_bytes;

#define BAY_HAS(table, type, field) \
  ((table)->struct_size >= offsetof(type, field) + sizeof((table)->field) && (table)->field)

typedef struct bay_call
    bay_call; /* one call: error slot, cancellation, deadline, results, secrets */
typedef struct bay_context
    bay_context; /* lives as long as its component: logging and metrics, thread-safe */
typedef struct bay_input bay_input; /* a transform's incoming edge; the host's */
typedef struct bay_object
    bay_object; /* a configured component; the plugin's, as are the next two */
typedef struct bay_reader bay_reader;
typedef struct bay_writer bay_writer;

#define BAY_EVENT_STREAM \
  1u /* a stream begins, or its schema changes; schema.name is the stream's name */
#define BAY_EVENT_BATCH 2u /* a struct array without nulls at top level */
#define BAY_EVENT_BARRIER                                                                      \
  3u                      /* the end of an epoch; on a transform's inputs, and passed on by it \
                           */
#define BAY_EVENT_IDLE 4u /* nothing for now: ask again after wait_ms */

/* Zeroed by the caller, except struct_size. What it holds afterwards belongs to the caller. */
typedef struct bay_event {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t
      stream; /* index of the stream on this edge, from 0, in the order of first STREAM events */
  uint32_t wait_ms; /* IDLE */
  uint64_t epoch;   /* BARRIER */
  struct ArrowSchema schema;
  struct ArrowArray array;
} bay_event;

/* Rows that a component refuses. Counted against the pipeline's limit and kept with the epoch. */
typedef struct bay_rejected {
  uint32_t struct_size;
  uint32_t reserved;
  bay_str stream; /* the stream's name as the component sees it */
  struct ArrowSchema*
      schema; /* moved; NULL where the rows have the stream's own schema. A single column named
                 `record` with the extension arrow.json holds records that fit no schema */
  struct ArrowArray* rows; /* moved: a struct array */
  bay_str code;   /* short and stable, for grouping: "type", "unknown_field", "constraint" */
  bay_str reason; /* path, expected and found type, or the remote's words; never a value of the
                     record */
  bay_str position_json; /* where: {"sequence": 17}, {"file": "a.csv", "line": 3}; may be empty */
} bay_rejected;

/* What the pipeline wants done about a field that the stream did not have. */
#define BAY_CHANGE_FAIL 1   /* return BAY_E_SCHEMA with the path and type */
#define BAY_CHANGE_IGNORE 2 /* leave the field out */
#define BAY_CHANGE_REJECT 3 /* reject rows that have it */
#define BAY_CHANGE_EVOLVE \
  4 /* add it, with the agreed type: a new STREAM event, older rows are null */

/* The epoch that a call on a sink is about. Filled by host->epoch. Since 1.0-rc2. */
typedef struct bay_epoch {
  uint32_t struct_size; /* set by the caller */
  uint32_t flags;       /* BAY_EPOCH_* */
  /* Names for ever who writes: the state store, environment, pipeline and node. One line of UTF-8,
   * at most 400 bytes. */
  bay_str scope;
  bay_str txn;
  /* Within the scope: a later epoch has a greater number, and none comes twice. */
  uint64_t number;
  /* Every epoch of the scope up to this number has its end, committed or aborted, on durable
   * record: the host never asks for one of them again, so their bookkeeping may be forgotten. Keep
   * the greatest committed number: `newest` is asked for it. */
  uint64_t settled;
} bay_epoch;

/* prepare: the writer's stream was read from its very start to its end, by this epoch alone. What
 * the target has beyond it is no longer in the source. */
#define BAY_EPOCH_COMPLETE 1u
/* open, write, prepare: what is prepared has to outlive the process, since another sink of the
 * epoch loses its own. Set for sinks alone whose manifest says "prepared": "on_request". */
#define BAY_EPOCH_DURABLE 2u

/* What became of a transaction: sink's `outcome`. */
#define BAY_OUTCOME_UNKNOWN 0   /* the system can't tell */
#define BAY_OUTCOME_COMMITTED 1 /* its rows are visible */
#define BAY_OUTCOME_PREPARED 2  /* they are there, invisible: commit would show them */
#define BAY_OUTCOME_GONE 3      /* neither, and a late commit would do nothing */

typedef struct bay_host {
  uint32_t struct_size;
  uint32_t abi_minor;
  void (*fail)(bay_call*, bay_status, bay_str message, bay_str detail_json); /* copies */
  int32_t (*cancel_fd)(const bay_call*);   /* readable once cancelled: put it in the poll set */
  int64_t (*deadline_ns)(const bay_call*); /* CLOCK_MONOTONIC; INT64_MAX where there is none */
  bay_status (*put)(bay_call*, bay_bytes result); /* appends one variable-size result */
  bay_status (*secret)(bay_call*, bay_str name, void (*use)(void*, bay_bytes), void*);
  bay_status (*input_next)(bay_call*, bay_input*, bay_event* out);
  bay_status (*reject)(bay_call*, const bay_rejected*);
  uint32_t (*log_enabled)(bay_context*, uint32_t level);
  void (*log)(bay_context*, uint32_t level, bay_str message, bay_str fields_json);
  void (*metric_add)(bay_context*, bay_str name_in_manifest, double);
  const void* (*extension)(bay_str id);
  /* The most rows that `next` may return in one batch: a reader keeps the rest for later, and its
   * checkpoint covers what it returned. Streams of patchbay.object/1 are exempt. */
  int64_t (*max_rows)(const bay_call*);
  /* After attempt number `attempt` (from 1) of something safe to repeat failed: nanoseconds to wait
   * before the next, or -1 to give up, after which the host does not retry the lane either.
   * `retry_after_ns` is the remote's wish, -1 without one. The limits are the pipeline's `retry`,
   * the wait has full jitter. */
  int64_t (*backoff)(bay_call*, uint32_t attempt, int64_t retry_after_ns);
  /* A field at `path` (JSON path in the source's names, such as recipient.suffix) that the stream's
   * schema lacks. Returns BAY_CHANGE_*, or a negative status. `type` and `*agreed_type` are type
   * names as in a stream description; the agreed one is what earlier runs settled on, valid until
   * the call ends. Ask once per reader and path. */
  int32_t (*schema_change)(bay_call*, bay_str stream, bay_str path, bay_str type,
                           bay_str* agreed_type);
  /* A boundary that a crash may fall on, named for tests of recovery: before and after each durable
   * effect. */
  void (*durable_step)(bay_call*, bay_str name);
  /* Since 1.0-rc2, here and below: ask BAY_HAS. Of apply_schema, open, write, prepare, commit,
   * abort, outcome and newest: the epoch that the call is about; BAY_E_INTERNAL elsewhere. The
   * texts live as long as the call. */
  bay_status (*epoch)(const bay_call*, bay_epoch* out);
  /* A name, unique in the world (an absolute path, an object's URI, a table with its database),
   * that the lane alone writes in this run: BAY_E_CONFIG where another lane, also in another
   * process of this pipeline, has it. Claiming again what one has is no error. */
  bay_status (*claim)(bay_call*, bay_str name);
  /* Of `plan`: 1 where the split of this id, `once`, was read to its end in a committed epoch and
   * need not be put; otherwise 0. Costs no input or output. */
  int32_t (*is_done)(bay_call*, bay_str split_id);
} bay_host;

#define BAY_LOG_ERROR 1u
#define BAY_LOG_WARN 2u
#define BAY_LOG_INFO 3u
#define BAY_LOG_DEBUG 4u
#define BAY_LOG_TRACE 5u

typedef struct bay_component_vt {
  uint32_t struct_size;
  uint32_t flags;
  /* No I/O. config_json is complete: validated against the manifest and filled with its defaults; a
   * secret stands as
   * {"secret": "NAME"}. */
  bay_status (*create)(bay_call*, bay_context*, bay_str config_json, bay_object** out);
  void (*destroy)(bay_object*);
  void (*interrupt)(bay_object*);
  bay_status (*check)(bay_call*, bay_object*); /* reaches the system, changes nothing */
} bay_component_vt;

typedef struct bay_reader_vt { /* of a source's and of a transform's readers */
  uint32_t struct_size;
  uint32_t flags;
  bay_status (*next)(bay_call*, bay_reader*, bay_event* out);
  /* put() the state, one JSON value, that resumes after all events returned so far; or UNCHANGED,
   * or NOT_NOW. */
  bay_status (*checkpoint)(bay_call*, bay_reader*);
  bay_status (*committed)(bay_call*, bay_reader*,
                          uint64_t epoch); /* the system may now forget or move inputs */
  void (*close)(bay_reader*);
  /* Since 1.0-rc2, optional: the lane failed for good over what this reader gave: why is
   * BAY_E_DATA, BAY_E_REMOTE or BAY_E_SCHEMA. Called before close, at most once. */
  bay_status (*refused)(bay_call*, bay_reader*, bay_status why);
} bay_reader_vt;

typedef struct bay_source_vt {
  uint32_t struct_size;
  uint32_t flags;
  /* put() one JSON stream description each: {"name": .., "fields": [..], "keys": [..]}; only name
   * is required. */
  bay_status (*discover)(bay_call*, bay_object*);
  /* put() splits, JSON with a stable "id" and the "stream"; "once": true where a split is read a
   * single time, "resumes": false where its reader leaves no state. The selection is
   * {"streams": [..]}, empty or absent = all. `want` is how many lanes run at the same time.
   * Since 1.0-rc2:
   *  - "of": what the split is a version of (an object's name), where the id holds a version. A
   *    lane that is tried again reads the present version.
   *  - "complete": true where all splits of the stream, each read from its start, are the whole
   *    stream.
   *  - "identity": JSON of what is read, the system's own identity included. A state continues only
   *    where it is the same as when the state was committed.
   *  - {"stream": ..} without "id": the stream is there, and has no split to read. */
  bay_status (*plan)(bay_call*, bay_object*, bay_str selection_json, uint32_t want);
  /* `state` is what checkpoint put for this split's last committed epoch, or empty. Where what is
   * read is not the version that was planned any more: BAY_E_UNAVAILABLE, here or at the end of
   * reading; the lane is planned again. */
  bay_status (*open)(bay_call*, bay_object*, bay_bytes split, bay_bytes state, bay_reader** out);
} bay_source_vt;

typedef struct bay_transform_vt {
  uint32_t struct_size;
  uint32_t flags;
  /* Optional: put() descriptions of the output streams, as discover does, for planning and preview
   * without data. */
  bay_status (*bind)(bay_call*, bay_object*, const struct ArrowSchema* const* in, uint32_t n);
  bay_status (*open)(bay_call*, bay_object*, bay_input* const* in, uint32_t n, bay_reader** out);
  /* Since 1.0-rc2, optional, of a decoder: put() the bytes of a file that `open` would read as
   * these records, which it refused itself, in their order and as the text that it gave to
   * `reject`. All are of one file. */
  bay_status (*file_of)(bay_call*, bay_object*, const bay_bytes* records, size_t n);
} bay_transform_vt;

typedef struct bay_sink_vt {
  uint32_t struct_size;
  uint32_t flags;
  /* put() steps, JSON: {"action": "create_table"|"add_column"|.., "table": .., "field": .., "type":
   * ..}. No effect. An existing column whose type can't take the stream's is BAY_E_SCHEMA.
   * {"action": "has_rows", "table": ..} is no step: an append would come beside rows that are
   * there.
   */
  bay_status (*plan_schema)(bay_call*, bay_object*, const struct ArrowSchema* stream);
  /* The steps as planned, a JSON array; one with "apply": false was declined: its column is left
   * out of what is written. Idempotent. */
  bay_status (*apply_schema)(bay_call*, bay_object*, const struct ArrowSchema* stream,
                             bay_str steps_json);
  /* One stream's rows inside the transaction `txn`: [A-Za-z0-9_-], at most 200 bytes, never used
   * twice. The writers of all streams of one lane's epoch share it. */
  bay_status (*open)(bay_call*, bay_object*, const struct ArrowSchema* stream, bay_str txn,
                     bay_writer** out);
  bay_status (*write)(bay_call*, bay_writer*, struct ArrowArray* moved);
  bay_status (*prepare)(bay_call*, bay_writer*,
                        int64_t* rows_accepted); /* durable, invisible; put() one token */
  void (*close)(bay_writer*);                    /* without prepare: drops what was written */
  /* All tokens of the transaction become visible at once. Idempotent; may run in another process
   * after a crash. BAY_E_NOT_FOUND: what was prepared is gone and nothing of it is visible.
   * BAY_E_DATA, BAY_E_REMOTE, BAY_E_SCHEMA: the system refuses the rows and nothing is visible. */
  bay_status (*commit)(bay_call*, bay_object*, bay_str txn, uint64_t epoch, const bay_bytes* tokens,
                       size_t n);
  /* Drops what the transactions left, prepared or not, by name alone. Unknown names are no error.
   * Afterwards a commit of one of them, also one that is still on its way, does nothing; what is
   * committed stays. */
  bay_status (*abort)(bay_call*, bay_object*, const bay_str* txns, size_t n);
  /* Since 1.0-rc2, optional. Writes BAY_OUTCOME_* of a transaction; changes nothing but what keeps
   * a late commit from landing after BAY_OUTCOME_GONE was said. */
  bay_status (*outcome)(bay_call*, bay_object*, bay_str txn, const bay_bytes* tokens, size_t n,
                        int32_t* outcome);
  /* Since 1.0-rc2, optional. Writes the greatest number of an epoch of host->epoch's scope that was
   * committed, 0 where the system has none on record. */
  bay_status (*newest)(bay_call*, bay_object*, uint64_t* number);
} bay_sink_vt;

#define BAY_SOURCE 1u
#define BAY_TRANSFORM 2u
#define BAY_SINK 3u

typedef struct bay_component {
  uint32_t struct_size;
  uint32_t kind;
  bay_str name;
  const bay_component_vt* common;
  const bay_reader_vt* reader; /* sources and transforms */
  const bay_source_vt* source; /* the one of its kind; the others are NULL */
  const bay_transform_vt* transform;
  const bay_sink_vt* sink;
} bay_component;

typedef struct bay_plugin {
  uint32_t struct_size;
  uint32_t abi_minor;
  bay_str id;
  bay_str version;
  const bay_component* const* components;
  size_t n_components;
} bay_plugin;

/* The only export of a plugin. Called once; the table lives until the process exits. */
typedef const bay_plugin* (*bay_plugin_entry)(const bay_host*);
#define BAY_PLUGIN_ENTRY "patchbay_plugin_v1"
#define BAY_EXPORT __attribute__((visibility("default")))
BAY_EXPORT const bay_plugin* patchbay_plugin_v1(const bay_host* host);

/* At file scope of exactly one file of a plugin: the ELF note that the host reads before it loads
 * anything. Section .note.patchbay, owner "patchbay", type 1, description: major, needed minor,
 * id\0version\0. */
#define BAY_NOTE_OWNER "patchbay"
#define BAY_NOTE_TYPE 1u
#define BAY_PLUGIN_NOTE(plugin_id, plugin_version, needed_minor)                     \
  static const struct {                                                              \
    uint32_t owner_size, description_size, type;                                     \
    char owner[12];                                                                  \
    uint32_t major, minor;                                                           \
    char id[sizeof(plugin_id)];                                                      \
    char version[sizeof(plugin_version)];                                            \
  } bay_plugin_note __attribute__((section(".note.patchbay"), used, aligned(4))) = { \
      sizeof(BAY_NOTE_OWNER),                                                        \
      8u + sizeof(plugin_id) + sizeof(plugin_version),                               \
      BAY_NOTE_TYPE,                                                                 \
      BAY_NOTE_OWNER,                                                                \
      BAY_ABI_MAJOR,                                                                 \
      (needed_minor),                                                                \
      plugin_id,                                                                     \
      plugin_version}

#ifdef __cplusplus
}
#endif

#endif /* PATCHBAY_ABI_H */
