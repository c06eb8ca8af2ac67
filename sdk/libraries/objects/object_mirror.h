// What a sink with `mirror: true` removes: the objects of a stream's folder that a complete read of
// the stream did not write.
#pragma once

#include <json/value.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "patchbay/objects/object_store.h"

namespace patchbay {

// The option `deletes`: {max: N} or {max: "P%"} of what is there.
class DeleteLimit {
 public:
  static DeleteLimit parse(const Config& config);
  bool allows(int64_t deleted, int64_t of) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  double most_ = 0;
  bool percent_ = false;
};

// The option `mirror`. Thread-safe.
class ObjectMirror {
 public:
  // Nothing if the configuration does not ask for one. Throws Error kConfig for a path whose
  // folder is not the stream's own.
  static std::unique_ptr<ObjectMirror> parse(const Config& config, const ObjectPath& path);

  // What commit has to remove, for the token, once a complete read wrote objects of these URIs.
  // Throws Error kData if it is more than `deletes` allows: nothing of the epoch is committed, and
  // the run ends with exit code 6.
  Json::Value prepare(Call& call, ObjectStore& store, const std::string& stream,
                      const std::unordered_set<std::string>& written);
  // Removes it, in the versions that prepare saw. Idempotent, in any process.
  static void commit(Call& call, ObjectStore& store, const Json::Value& token);

 private:
  ObjectMirror(ObjectPath path, DeleteLimit limit)
      : path_(std::move(path)), limit_(std::move(limit)) {}
  void claim(Call& call, ObjectStore& store, const std::string& folder, const std::string& stream);

  const ObjectPath path_;
  const DeleteLimit limit_;
  std::mutex mutex_;
  std::map<std::string, std::string> streams_;  // by folder
};

}  // namespace patchbay
