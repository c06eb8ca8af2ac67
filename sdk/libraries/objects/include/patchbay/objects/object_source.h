// A source over any ObjectStore: which objects a run reads, in which version, and what happens to
// them afterwards.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "patchbay/objects/object_action.h"
#include "patchbay/objects/object_store.h"

namespace patchbay {

// The options path, stream, select, order, on_commit and on_refusal. A split is one version of one
// object: opening it and reading its last byte both check the version, and another one is Error
// kUnavailable, whereupon the host plans again. An object is one whole: no epoch ends inside it.
class ObjectSource : public Source {
 public:
  struct Words {
    std::string noun;    // "file": one of what the store holds
    std::string stream;  // the stream's name if the option is not set
  };
  ObjectSource(Context& context, const Config& config, std::unique_ptr<ObjectStore> store,
               Words words);

  void check(Call& call) override;
  std::vector<Schema> discover(Call& call) override;
  std::vector<Split> plan(Call& call, const std::vector<std::string>& streams,
                          uint32_t want) override;
  std::unique_ptr<Reader> open(Call& call, const Split& split, const Json::Value& state) override;

 private:
  enum class Select { kAll, kNew, kNewest };
  struct Found {
    std::vector<FoundObject> objects;  // to read
    std::vector<FoundObject> done;     // read for good, if on_commit may have to catch up
    bool any = false;                  // the path names something
    bool exact = false;                // an object has the path itself for its name
  };

  static Select select_of(const std::string& name);
  Found find(Call& call, bool all);
  void list(Call& call, bool all, Found& found);
  bool take(Call& call, const FoundObject& object, bool all, Found& found) const;
  void keep(Call& call, const FoundObject& object, bool all, Found& found) const;
  bool is_done(Call& call, const FoundObject& object) const;
  bool before(const FoundObject& a, const FoundObject& b) const;
  std::string id_of(const FoundObject& object) const;
  Split split_of(const FoundObject& object) const;
  [[noreturn]] void fail_empty() const;

  Context& context_;
  const std::unique_ptr<ObjectStore> store_;
  const Pattern path_;
  const Select select_;
  const bool by_time_;
  const std::string noun_, stream_;
  const SchemaPtr schema_;
  const std::optional<ObjectAction> on_commit_, on_refusal_;
};

// The component of a plugin whose store is `Store`, which is made from (Context&, const Config&,
// bool writes) without input or output. `writes`: on_commit or on_refusal changes the store.
template <class Store>
class SourceOf final : public ObjectSource {
 public:
  SourceOf(Context& context, const Config& config)
      : ObjectSource(context, config,
                     std::make_unique<Store>(context, config,
                                             config.has("on_commit") || config.has("on_refusal")),
                     {Store::kNoun, Store::default_stream(config)}) {}
};

}  // namespace patchbay
