#include <map>
#include <mutex>

#include "patchbay/object.h"
#include "patchbay/objects/objects.h"

namespace patchbay {
namespace {

std::string safe_key(std::string_view key) {
  for (;;) {
    if (key.starts_with('/')) {
      key.remove_prefix(1);
    } else if (key.starts_with("./")) {
      key.remove_prefix(2);
    } else {
      break;
    }
  }
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    if (key.substr(begin, end - begin) == "..") {
      throw Error(Code::kData, "key " + std::string(key) + ": leads out of the folder");
    }
    begin = end + 1;
  }
  return std::string(key);
}

// Who has which name.
class Claims {
 public:
  struct Owner {
    std::string txn, key;
  };

  bool take(const std::string& name, const Owner& by) {
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] = owners_.try_emplace(name, by);
    Owner& owner = found->second;
    if (!is_new && (owner.key != by.key || owner.txn == by.txn)) return false;
    owner.txn = by.txn;
    return true;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Owner> owners_;
};

}  // namespace

std::string ObjectPath::fill(const std::string& stream, const std::string& key,
                             uint64_t part) const {
  const std::pair<std::string_view, std::string> values[] = {
      {"{stream}", stream}, {"{key}", safe_key(key)}, {"{part}", std::to_string(part)}};
  std::string out;
  for (size_t at = 0; at < text_.size();) {
    const std::string_view rest = std::string_view(text_).substr(at);
    size_t used = 0;
    for (const auto& [name, value] : values) {
      if (!rest.starts_with(name)) continue;
      out += value;
      used = name.size();
    }
    if (used == 0) out += text_[at];
    at += std::max<size_t>(used, 1);
  }
  return out;
}

std::string ObjectPath::claim(const std::string& place, const std::string& txn,
                              const std::string& stream, const std::string& key,
                              uint64_t part) const {
  static Claims claims;
  std::string name = fill(stream, key, part);
  if (claims.take(place + '\n' + name, {txn, key})) return name;
  throw Error(Code::kConfig, "path: two objects become " + name + "; put {key} into path");
}

void require_objects(const Schema& stream, const std::string& plugin) {
  if (is_object_schema(stream)) return;
  throw Error(Code::kConfig, "stream " + stream.name +
                                 ": is a table, not a stream of files; put an encoder such as "
                                 "csv or json before " +
                                 plugin);
}

}  // namespace patchbay
