// A sink over any ObjectStore: names, claims, tokens, and what becomes of what is there already.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "patchbay/objects/object_store.h"

namespace patchbay {

// The names that this component has given to objects. Another component's are the host's to judge,
// see Call::claim. Thread-safe.
class ClaimedNames {
 public:
  // Throws Error kConfig if another object of the run has the name: of this component, or as the
  // host says, of another lane.
  void take(Call& call, const std::string& uri, const std::string& txn);
  void forget(std::span<const std::string> txns);  // they are aborted: their names are free

 private:
  std::mutex mutex_;
  // Hashes of URIs to hashes of transactions: a run may write millions of objects.
  std::unordered_map<size_t, size_t> taken_;
};

class ObjectMirror;

// The options path, if_exists, mirror and deletes. An object is written invisibly, made durable by
// prepare and revealed by commit; every name has one writer in the whole run.
class ObjectSink : public Sink {
 public:
  // `name` is the plugin's, for messages and durable steps.
  ObjectSink(Context& context, const Config& config, std::unique_ptr<ObjectStore> store,
             std::string name);
  ~ObjectSink() override;

  void check(Call& call) override;
  Json::Value plan_schema(Call& call, const SchemaPtr& stream) override;
  std::unique_ptr<Writer> open(Call& call, const SchemaPtr& stream,
                               const std::string& txn) override;
  void commit(Call& call, const std::string& txn, uint64_t epoch,
              std::span<const std::string> tokens) override;
  void abort(Call& call, std::span<const std::string> txns) override;
  Outcome outcome(Call& call, const std::string& txn, std::span<const std::string> tokens) override;

 private:
  Outcome outcome_of(Call& call, const std::vector<Json::Value>& tokens);
  void reveal(Call& call, const std::string& txn, const std::vector<Json::Value>& tokens);

  Context& context_;
  const std::unique_ptr<ObjectStore> store_;
  const std::string name_;
  const ObjectPath path_;
  const IfExists if_exists_;
  ClaimedNames claims_;
  const std::unique_ptr<ObjectMirror> mirror_;  // null = nothing is removed
  std::string txn_;                             // the one that writers were opened for last
  uint64_t writers_ = 0;                        // of that transaction
};

// The component of a plugin whose store is `Store`, see SourceOf; Store::kName is the plugin's
// name.
template <class Store>
class SinkOf final : public ObjectSink {
 public:
  SinkOf(Context& context, const Config& config)
      : ObjectSink(context, config, std::make_unique<Store>(context, config, true), Store::kName) {}
};

}  // namespace patchbay
