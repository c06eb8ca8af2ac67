// The smallest store of objects: what a plugin has to write, and what it may leave to the library.
#pragma once

#include <map>

#include "patchbay/objects/object_sink.h"
#include "patchbay/objects/object_source.h"

namespace patchbay {

struct MemoryBucket {
  struct Object {
    std::string text, writer;  // `writer` is TXN/NUMBER of the upload
    int64_t version = 0;
  };
  std::map<std::string, Object> visible, invisible;  // by key; by writer
  int64_t versions = 0;
} inline the_bucket;

class MemoryStore final : public ObjectStore {
 public:
  static constexpr const char* kName = "memory";
  MemoryStore(Context&, const Config&, bool /*writes*/) {}
  std::string uri(const std::string& key) const override { return "memory:" + key; }
  std::optional<FoundObject> find(Call&, const std::string& key) override {
    const auto it = the_bucket.visible.find(key);
    if (it == the_bucket.visible.end()) return std::nullopt;
    const auto& [text, writer, version] = it->second;
    const auto size = static_cast<int64_t>(text.size());
    return FoundObject{key, std::to_string(version), size, version, text};
  }
  void list(Call& call, const ListedPrefix& below, const TakeObject& take) override {
    for (auto it = the_bucket.visible.lower_bound(below.prefix);
         it != the_bucket.visible.end() && it->first.starts_with(below.prefix); ++it) {
      const bool deeper = it->first.find('/', below.prefix.size()) != std::string::npos;
      if (!(below.flat && deeper) && !take(*find(call, it->first))) return;
    }
  }
  std::unique_ptr<Download> open(Call& call, const FoundObject& object) override {
    require(call, object);
    return std::make_unique<Reading>(*this, object);
  }
  std::unique_ptr<Upload> begin(Call& call, const Target& target) override {
    if (keeps(*this, target, find(call, target.name.key).has_value())) return nullptr;
    return std::make_unique<Writing>(target);
  }
  Outcome outcome(Call&, const Json::Value& detail) override {
    if (the_bucket.invisible.contains(detail["writer"].asString())) return Outcome::kPrepared;
    return is_ours(detail) ? Outcome::kCommitted : Outcome::kGone;
  }
  Revealed reveal(Call& call, const Json::Value& detail, IfExists if_exists) override {
    const std::string key = detail["key"].asString(), writer = detail["writer"].asString();
    if (is_ours(detail)) return Revealed::kBefore;
    const bool there = if_exists != IfExists::kReplace && find(call, key);
    if (there && if_exists == IfExists::kFail) throw already_there(uri(key));
    const auto written = the_bucket.invisible.extract(writer);
    if (there) return Revealed::kSkipped;
    if (written.empty()) throw Error(Code::kNotFound, uri(key) + ": what was prepared is gone");
    the_bucket.visible[key] = {written.mapped().text, writer, ++the_bucket.versions};
    return Revealed::kNow;
  }
  void drop(Call&, std::span<const std::string> txns) override {
    for (const auto& txn : txns)
      std::erase_if(the_bucket.invisible,
                    [&](auto& one) { return one.first.starts_with(txn + "/"); });
  }
  void copy(Call& call, const FoundObject& object, const ObjectName& to) override {
    if (is_there(call, object))
      the_bucket.visible[to.key] = {the_bucket.visible[object.key].text, "", ++the_bucket.versions};
  }
  void remove(Call& call, const FoundObject& object) override {
    if (is_there(call, object)) the_bucket.visible.erase(object.key);
  }
  void check(Call&) override {}

 private:
  struct Reading final : Download {
    Reading(MemoryStore& of, const FoundObject& what)
        : store(of), object(what), text(the_bucket.visible[object.key].text), rest(text) {}
    std::string_view read(Call&) override {
      const std::string_view piece = rest.substr(0, kObjectChunk);
      rest.remove_prefix(piece.size());
      return piece;
    }
    void finish(Call& call) override { store.require(call, object); }
    MemoryStore& store;
    const FoundObject object;
    const std::string text;
    std::string_view rest;
  };
  struct Writing final : Upload {
    explicit Writing(const Target& target) {
      detail["key"] = target.name.key;
      detail["writer"] = target.txn + "/" + target.number;
    }
    void append(Call&, std::string_view bytes) override { text += bytes; }
    Json::Value finish(Call&) override {
      the_bucket.invisible[detail["writer"].asString()].text = text;
      return detail;
    }
    Json::Value detail;
    std::string text;
  };

  bool is_there(Call& call, const FoundObject& object) {
    const auto there = find(call, object.key);
    return there && there->version == object.version;
  }
  void require(Call& call, const FoundObject& object) {
    if (!is_there(call, object))
      throw Error(Code::kUnavailable, uri(object.key) + ": has changed; read again");
  }
  static bool is_ours(const Json::Value& detail) {
    const auto it = the_bucket.visible.find(detail["key"].asString());
    return it != the_bucket.visible.end() && it->second.writer == detail["writer"].asString();
  }
};

}  // namespace patchbay
