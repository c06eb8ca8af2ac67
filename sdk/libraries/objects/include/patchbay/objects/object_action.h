// What happens to an object once it has been read.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "patchbay/objects/object_store.h"

namespace patchbay {

// The options on_commit and on_refusal: {copy_to: TEMPLATE}, {move_to: TEMPLATE} or {delete: true}.
// An action is done to the version that was read and to no other; done twice it is as if done once.
class ObjectAction {
 public:
  // Nothing if the configuration does not have the option.
  static std::optional<ObjectAction> parse(const Config& config, const std::string& option);

  // Throws what `take` of the store throws, and Error kData for a key that leads out of the place.
  void take(Call& call, ObjectStore& store, const FoundObject& object,
            const std::string& stream) const;
  // Takes the name that the object would get: nothing else of the run may write it.
  void claim(Call& call, const ObjectStore& store, const FoundObject& object,
             const std::string& stream) const;
  // For objects that are read for good: a crash may have kept the action from them. What has been
  // copied is found by one list. Logs what fails, since the next run tries again.
  void catch_up(Call& call, ObjectStore& store, const std::vector<FoundObject>& objects,
                const std::string& stream, Context& context) const;
  // Throws Error kConfig if the place is one that `path` names: what is moved there would be read
  // again.
  void require_outside(const Pattern& path, const FoundObject& object,
                       const std::string& stream) const;
  std::string verb() const;  // "moved", for messages

 private:
  enum class Kind { kCopy, kMove, kDelete };
  ObjectAction(std::string option, Kind kind, ObjectPath path)
      : option_(std::move(option)), kind_(kind), path_(std::move(path)) {}
  std::unordered_map<std::string, FoundObject> copies(Call& call, ObjectStore& store) const;

  std::string option_;  // on_commit.move_to
  Kind kind_;
  ObjectPath path_;  // where to; not used by kDelete
};

}  // namespace patchbay
