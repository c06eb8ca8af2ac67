// What a store of objects (a folder, a bucket, a server) must be able to do. ObjectSource and
// ObjectSink do the rest, so a plugin for such a system is its client and one class that derives
// from ObjectStore; sdk/libraries/objects/tests/memory_store.h is the smallest one.
#pragma once

#include <json/value.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "patchbay/object.h"
#include "patchbay/objects/object_path.h"
#include "patchbay/objects/pattern.h"
#include "patchbay/plugin.h"

namespace patchbay {

// One version of an object, as a list or a question shows it.
struct FoundObject {
  std::string key;       // in the form of the option `path`
  std::string version;   // another one whenever the content is another: a generation, an etag
  int64_t size = 0;      // bytes; -1 = known at the end only
  int64_t modified = 0;  // microseconds since the epoch
  std::string checksum;  // of the whole, in the store's own form; may be empty
};

// Returns false once no more objects are needed. The object is valid until it returns.
using TakeObject = std::function<bool(const FoundObject&)>;

// The bytes of one version, in order. Used by one thread at a time.
class Download {
 public:
  virtual ~Download() = default;
  // The next bytes, at most kObjectChunk, valid until the next call; empty at the end only. Throws
  // Error kUnavailable if the version is not there any more: the host plans again.
  virtual std::string_view read(Call& call) = 0;
  // Called after the last byte, before the object counts as read. Throws Error kUnavailable if the
  // bytes that were read may not be the version's.
  virtual void finish(Call& call) = 0;
};

enum class IfExists { kReplace, kFail, kSkip };

// A new object.
struct Target {
  ObjectName name;
  std::string txn;     // drop finds what is left of it by this name alone
  std::string number;  // digits and dashes: no other object of the transaction has it
  IfExists if_exists = IfExists::kReplace;
};

// An object that is being written, invisible. Destroyed without finish, it leaves nothing that drop
// does not find. Used by one thread at a time.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual void append(Call& call, std::string_view bytes) = 0;
  // Called last. When it returns, the bytes outlast a power cut. The result is an object with what
  // reveal needs, in any process and working directory; ObjectSink adds a member `uri`.
  virtual Json::Value finish(Call& call) = 0;
};

enum class Revealed {
  kNow,
  kBefore,   // by an earlier call
  kSkipped,  // another object has the name, and if_exists is skip
};

// Thread-safe: the readers and writers of a component use one store at the same time, and it
// outlives them. Every call may throw Error; kNotFound also if the bucket or the like is missing.
class ObjectStore {
 public:
  // What a store holds, for messages, and the name of a source's stream if the option `stream` is
  // not set. A store may have its own.
  static constexpr const char* kNoun = "object";
  static std::string default_stream(const Config& config) {
    return patchbay::default_stream(config.get<std::string>("path"), "objects");
  }

  virtual ~ObjectStore() = default;

  // The object's name for messages and claims: unique in the world.
  virtual std::string uri(const std::string& key) const = 0;
  // The object's name in the ids of splits: the same in every process and working directory.
  virtual std::string id(const std::string& key) const { return key; }
  // The whole id that an earlier version of the plugin gave an object to read once; empty = the
  // present one. States hold such ids.
  virtual std::string earlier_id(const FoundObject& /*object*/) const { return {}; }

  // The object of this very name; nothing if it is not there. Throws Error kConfig for what is
  // there but is not an object: a folder, a device.
  virtual std::optional<FoundObject> find(Call& call, const std::string& key) = 0;
  // The objects whose keys begin with the prefix, in any order, each once; `take` is called on the
  // caller's thread.
  virtual void list(Call& call, const ListedPrefix& below, const TakeObject& take) = 0;
  // Throws Error kUnavailable if this version is not there any more.
  virtual std::unique_ptr<Download> open(Call& call, const FoundObject& object) = 0;

  // Begins an object that stays invisible until reveal. Null if another one has the name and
  // target.if_exists is kSkip; see keeps. Throws Error kConfig, with nothing left behind, if the
  // name can't be written to.
  virtual std::unique_ptr<Upload> begin(Call& call, const Target& target) = 0;
  // What became of the object whose finish returned `detail`; changes nothing.
  virtual Outcome outcome(Call& call, const Json::Value& detail) = 0;
  // Makes it visible, whole; idempotent, in any process. Throws Error kNotFound if it is gone,
  // kRemote if somebody else's object may not be written over.
  virtual Revealed reveal(Call& call, const Json::Value& detail, IfExists if_exists) = 0;
  // Removes what the transactions left that is not visible. Afterwards reveal of one of them throws
  // kNotFound, and shows nothing.
  virtual void drop(Call& call, std::span<const std::string> txns) = 0;

  // These three act on this version of the object alone: if another one is there, or none, they do
  // nothing. What `to` names is replaced, whole; idempotent.
  virtual void copy(Call& call, const FoundObject& object, const ObjectName& to) = 0;
  virtual void remove(Call& call, const FoundObject& object) = 0;
  virtual void move(Call& call, const FoundObject& object, const ObjectName& to) {
    copy(call, object, to);
    remove(call, object);
  }

  // Reaches the system, changes nothing. Throws Error kAuth or kConfig for rights that are missing.
  virtual void check(Call& call) = 0;
};

// What begin does about an object that is there: false = write it, true = keep what is there.
// Throws Error kRemote if target.if_exists is kFail.
bool keeps(const ObjectStore& store, const Target& target, bool is_there);
// The refusal of reveal, if if_exists is kFail.
Error already_there(const std::string& uri);

}  // namespace patchbay
