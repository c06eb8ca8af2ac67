// The classes that a plugin author derives from, and the line that exports them.
//
//   class Numbers : public patchbay::Source { public: Numbers(Context&, const Config&); ... };
//   PATCHBAY_PLUGIN(patchbay::component<Numbers>("numbers"))
//
// Every method may throw patchbay::Error; anything else that is thrown is reported as a bug of the
// plugin. The host serialises the calls on one object; readers and writers of one component run at
// the same time on several threads.
#pragma once

#include <json/value.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "patchbay/abi.h"
#include "patchbay/batch.h"
#include "patchbay/builder.h"
#include "patchbay/call.h"
#include "patchbay/config.h"
#include "patchbay/error.h"
#include "patchbay/type.h"
#include "patchbay/view.h"

namespace patchbay {

class Component {
 public:
  virtual ~Component() = default;
  virtual void check(Call& call) = 0;  // reaches the system, changes nothing
  virtual void interrupt() {}          // any thread, at any time; must not block
};

// A piece of a source that one reader reads. `detail` holds whatever open() needs, in members of
// its own.
struct Split {
  std::string id;  // stable from run to run
  std::string stream;
  bool once = false;    // read a single time: an object, with its etag in the id
  Json::Value detail;   // an object
  bool resumes = true;  // false: its reader leaves no state, so each run reads all of it
  // What this is a version of, where the id holds a version: a lane that is tried again reads the
  // present one.
  std::string of{};
  bool complete = false;   // all splits of the stream, each from its start, are the whole stream
  Json::Value identity{};  // what is read, with the system's own identity; null = not said
};

// What became of a transaction.
enum class Outcome { kUnknown, kCommitted, kPrepared, kGone };

enum class Checkpoint { kState, kUnchanged, kNotNow };

class Reader {
 public:
  virtual ~Reader() = default;
  // A source never waits for more than the remote's answer: it returns Idle instead. A batch has at
  // most call.max_rows() rows, except in streams of objects.
  virtual Event next(Call& call) = 0;
  // kState: `state` resumes after all events returned so far.
  virtual Checkpoint checkpoint(Call&, Json::Value& /*state*/) { return Checkpoint::kUnchanged; }
  virtual void committed(Call&, uint64_t /*epoch*/) {}
  // The lane failed for good over what this reader gave: kData, kRemote or kSchema.
  virtual void refused(Call&, Code /*why*/) {}
};

class Source : public Component {
 public:
  virtual std::vector<Schema> discover(
      Call& call) = 0;  // without fields where only the data tells them
  // `streams` empty = all. A split without an id says that its stream is there and has nothing to
  // read.
  virtual std::vector<Split> plan(Call& call, const std::vector<std::string>& streams,
                                  uint32_t want) = 0;
  virtual std::unique_ptr<Reader> open(Call& call, const Split& split,
                                       const Json::Value& state) = 0;
};

class Transform : public Component {
 public:
  void check(Call&) override {}
  // The output streams for these inputs, one per input; without data. Empty = only the data tells.
  virtual std::vector<Schema> bind(Call&, const std::vector<SchemaPtr>& /*in*/) { return {}; }
  // The inputs outlive the reader.
  virtual std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) = 0;
  // Of a decoder: a file that open() would read as these records, which it refused itself, each as
  // the JSON text that it gave to Call::reject_record. All are of one file. Nothing = it can't.
  virtual std::optional<std::string> file_of(Call&, std::span<const std::string_view> /*records*/) {
    return std::nullopt;
  }
};

struct Prepared {
  std::string token;  // what commit needs, in any process
  int64_t rows_accepted = 0;
};

class Writer {
 public:
  virtual ~Writer() = default;  // without prepare: drops what was written
  virtual void write(Call& call, Batch batch) = 0;
  virtual Prepared prepare(Call& call) = 0;  // durable, invisible
};

class Sink : public Component {
 public:
  virtual Json::Value plan_schema(Call&, const SchemaPtr& /*stream*/) { return Json::arrayValue; }
  virtual void apply_schema(Call&, const SchemaPtr& /*stream*/, const Json::Value& /*steps*/) {}
  virtual std::unique_ptr<Writer> open(Call& call, const SchemaPtr& stream,
                                       const std::string& txn) = 0;
  virtual void commit(Call& call, const std::string& txn, uint64_t epoch,
                      std::span<const std::string> tokens) = 0;
  virtual void abort(Call& call, std::span<const std::string> txns) = 0;
  // Changes nothing but what keeps a late commit from landing after kGone was said.
  virtual Outcome outcome(Call&, const std::string& /*txn*/,
                          std::span<const std::string> /*tokens*/) {
    return Outcome::kUnknown;
  }
  // The greatest number of an epoch of call.epoch().scope that was committed; 0 = none is known.
  virtual uint64_t newest(Call&) { return 0; }
};

// Names of the manifest's component and the class behind it. The class derives from Source,
// Transform or Sink and has a constructor (Context&, const Config&), which does no I/O; the context
// outlives it.
template <class T>
const bay_component* component(const char* name);

const bay_plugin* make_plugin(const bay_host* host, const char* id, const char* version,
                              std::vector<const bay_component*> components);

}  // namespace patchbay

#include "patchbay/boundary.h"

// At file scope of one file of the plugin. PATCHBAY_PLUGIN_ID and _VERSION come from
// patchbay_add_plugin, out of the manifest.
#define PATCHBAY_PLUGIN(...)                                                         \
  BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);                   \
  extern "C" BAY_EXPORT const bay_plugin* patchbay_plugin_v1(const bay_host* host) { \
    return patchbay::make_plugin(host, PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION,  \
                                 {__VA_ARGS__});                                     \
  }
