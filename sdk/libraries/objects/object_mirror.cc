#include "object_mirror.h"

#include <charconv>

namespace patchbay {
namespace {

bool is_hidden(std::string_view name) {
  return name.starts_with('.') || name.find("/.") != std::string_view::npos;
}

}  // namespace

DeleteLimit DeleteLimit::parse(const Config& config) {
  DeleteLimit limit;
  const Json::Value& most = config.at("deletes")["max"];
  limit.text_ = most.isNull() ? "20%" : most.asString();
  limit.percent_ = limit.text_.ends_with('%');
  const char* end = limit.text_.data() + limit.text_.size();
  const auto [at, error] = std::from_chars(limit.text_.data(), end, limit.most_);
  if (error != std::errc() || at + limit.percent_ != end || limit.most_ < 0)
    config_error("deletes.max", "must be a number or a percentage, not " + limit.text_);
  return limit;
}

bool DeleteLimit::allows(int64_t deleted, int64_t of) const {
  const double most = percent_ ? static_cast<double>(of) * most_ / 100 : most_;
  return static_cast<double>(deleted) <= most;
}

std::unique_ptr<ObjectMirror> ObjectMirror::parse(const Config& config, const ObjectPath& path) {
  if (!config.get_or<bool>("mirror", false)) return nullptr;
  if (!path.differs()) config_error("mirror", "needs {key}, {name} or {part} in path");
  if (path.stream_folder("s").empty())
    config_error("mirror", "needs a folder of its own at the front of path");
  return std::unique_ptr<ObjectMirror>(new ObjectMirror(path, DeleteLimit::parse(config)));
}

// A folder is one stream's, and of one lane: the others' objects would look like leftovers.
void ObjectMirror::claim(Call& call, ObjectStore& store, const std::string& folder,
                         const std::string& stream) {
  {
    const std::lock_guard lock(mutex_);
    const auto [found, _] = streams_.emplace(folder, stream);
    if (found->second != stream) {
      throw Error(Code::kConfig, "mirror: the streams " + found->second + " and " + stream +
                                     " share " + folder + "; put {stream} into path before {key}");
    }
  }
  call.claim(store.uri(folder) + "**");
}

Json::Value ObjectMirror::prepare(Call& call, ObjectStore& store, const std::string& stream,
                                  const std::unordered_set<std::string>& written) {
  const std::string folder = path_.stream_folder(stream);
  claim(call, store, folder, stream);
  Json::Value removed(Json::arrayValue);
  int64_t there = 0;
  store.list(call, {folder, false}, [&](const FoundObject& object) {
    if (is_hidden(std::string_view(object.key).substr(folder.size()))) return true;
    ++there;
    if (written.contains(store.uri(object.key))) return true;
    Json::Value one;
    one["key"] = store.id(object.key);
    one["version"] = object.version;
    removed.append(one);
    return true;
  });
  if (limit_.allows(removed.size(), there)) return removed;
  throw Error(Code::kData,
              "deletes: " + store.uri(folder) + " has " + std::to_string(there) +
                  " objects, and this read would remove " + std::to_string(removed.size()) +
                  ", which is more than " + limit_.text() +
                  "; nothing is committed. Raise deletes: {max: ..} if they are to go");
}

void ObjectMirror::commit(Call& call, ObjectStore& store, const Json::Value& token) {
  for (const auto& one : token) {
    call.throw_if_cancelled();
    FoundObject object;
    object.key = one["key"].asString();
    object.version = one["version"].asString();
    store.remove(call, object);
  }
}

}  // namespace patchbay
