#include "patchbay/objects/object_action.h"

namespace patchbay {
namespace {

// Whether `copy` holds what `object` does, as far as a list shows.
bool is_copy(const FoundObject& copy, const FoundObject& object) {
  if (copy.size != object.size) return false;
  return object.checksum.empty() ? copy.modified == object.modified
                                 : copy.checksum == object.checksum;
}

}  // namespace

std::optional<ObjectAction> ObjectAction::parse(const Config& config, const std::string& option) {
  if (!config.has(option)) return std::nullopt;
  const Json::Value& json = config.at(option);
  const auto action = [&](const char* word, Kind kind, const std::string& text) {
    const std::string name = option + "." + word;
    return ObjectAction(name, kind, ObjectPath(name, text));
  };
  if (json.isMember("copy_to")) return action("copy_to", Kind::kCopy, json["copy_to"].asString());
  if (json.isMember("move_to")) return action("move_to", Kind::kMove, json["move_to"].asString());
  if (json["delete"].asBool()) return action("delete", Kind::kDelete, "{key}");
  return std::nullopt;
}

std::string ObjectAction::verb() const {
  return kind_ == Kind::kCopy ? "copied" : kind_ == Kind::kMove ? "moved" : "deleted";
}

// A sink of the run may deliver under that name.
void ObjectAction::claim(Call& call, const ObjectStore& store, const FoundObject& object,
                         const std::string& stream) const {
  if (kind_ != Kind::kDelete) call.claim(store.uri(path_.fill({stream, object.key}).key));
}

void ObjectAction::take(Call& call, ObjectStore& store, const FoundObject& object,
                        const std::string& stream) const {
  if (kind_ == Kind::kDelete) return store.remove(call, object);
  const ObjectName to = path_.fill({stream, object.key});
  if (kind_ == Kind::kCopy) return store.copy(call, object, to);
  store.move(call, object, to);
}

std::unordered_map<std::string, FoundObject> ObjectAction::copies(Call& call,
                                                                  ObjectStore& store) const {
  std::unordered_map<std::string, FoundObject> found;
  store.list(call, {path_.fixed(), path_.is_fixed()}, [&](const FoundObject& object) {
    found.emplace(object.key, object);
    return true;
  });
  return found;
}

void ObjectAction::catch_up(Call& call, ObjectStore& store, const std::vector<FoundObject>& objects,
                            const std::string& stream, Context& context) const {
  if (objects.empty()) return;
  int64_t failed = 0;
  std::string why;
  std::unordered_map<std::string, FoundObject> there;
  if (kind_ == Kind::kCopy) there = copies(call, store);
  for (const auto& object : objects) {
    call.throw_if_cancelled();
    try {
      const auto copy =
          there.empty() ? there.end() : there.find(path_.fill({stream, object.key}).key);
      if (copy != there.end() && is_copy(copy->second, object)) continue;
      take(call, store, object, stream);
    } catch (const Error& error) {
      if (error.code() == Code::kCancelled) throw;
      if (++failed == 1) why = store.uri(object.key) + ": " + error.what();
      if (error.code() == Code::kUnavailable || error.code() == Code::kAuth) break;
    }
  }
  if (failed == 0) return;
  context.log(BAY_LOG_WARN, option_ + ": what is read and committed is not " + verb() +
                                " yet, and the next run tries again: " + why);
}

void ObjectAction::require_outside(const Pattern& path, const FoundObject& object,
                                   const std::string& stream) const {
  if (kind_ == Kind::kDelete) return;
  const ObjectName to = path_.fill({stream, object.key});
  if (to.key != path.text() && !path.finds(to.key)) return;
  throw Error(Code::kConfig, option_ + ": becomes " + to.key +
                                 ", which path names as well, so that it would be read again; "
                                 "choose a place outside of path");
}

}  // namespace patchbay
