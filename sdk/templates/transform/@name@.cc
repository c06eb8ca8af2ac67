// Puts a prefix before the name of every column. Replace Prefixed by what your rows need.
#include "patchbay/map.h"
#include "patchbay/plugin.h"

namespace {

using namespace patchbay;

// One stream; the SDK makes another when its schema changes.
class Prefixed final : public Mapper {
 public:
  Prefixed(Schema schema, const std::string& prefix) {
    for (auto& field : schema.fields) field.name.insert(0, prefix);
    for (auto& key : schema.keys) key.insert(0, prefix);
    schema_ = std::make_shared<const Schema>(std::move(schema));
  }
  SchemaPtr schema() const override { return schema_; }
  Batch map(Call& call, Batch batch) override {
    call.throw_if_cancelled();
    return {schema_, batch.take()};  // names are no part of the arrays
  }

 private:
  SchemaPtr schema_;
};

class Prefix final : public Map {
 public:
  Prefix(Context&, const Config& config) : prefix_(config.get<std::string>("prefix")) {}
  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    return std::make_unique<Prefixed>(*in, prefix_);
  }

 private:
  std::string prefix_;
};

}  // namespace

PATCHBAY_PLUGIN(patchbay::component<Prefix>("@name@"))
