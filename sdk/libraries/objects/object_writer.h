// One stream's objects of one transaction.
#pragma once

#include <unordered_set>

#include "object_mirror.h"
#include "patchbay/objects/object_sink.h"

namespace patchbay {

// The option if_exists: replace, fail or skip.
IfExists parse_if_exists(const std::string& name);
const char* name_of(IfExists if_exists);

// Objects that are there already and are kept: the first few by name, the others as a count.
class SkippedObjects {
 public:
  void add(const std::string& uri);
  void report(Context& context) const;  // a warning and the metric objects_skipped

 private:
  std::string names_;
  int64_t count_ = 0;
};

class ObjectWriter final : public Writer {
 public:
  // What outlives the writer.
  struct Parts {
    Context& context;
    ObjectStore& store;
    const std::string& name;
    const ObjectPath& path;
    IfExists if_exists;
    ClaimedNames& claims;
    ObjectMirror* mirror;  // null = nothing is removed
  };
  // `number` tells the writers of the transaction apart.
  ObjectWriter(Parts parts, std::string stream, std::string txn, uint64_t number);

  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 private:
  void begin(Call& call, const std::string& key);
  void finish(Call& call);

  const Parts parts_;
  const std::string stream_, txn_, number_;
  Json::Value token_;
  SkippedObjects skipped_;
  std::unordered_set<std::string> written_;  // URIs, for the mirror
  int64_t rows_ = 0;
  uint64_t objects_ = 0;
  // The object that is open, if any.
  bool open_ = false;
  std::string uri_;
  std::unique_ptr<Upload> upload_;  // null if the object is skipped
};

}  // namespace patchbay
