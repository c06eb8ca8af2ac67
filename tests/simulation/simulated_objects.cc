// Objects, as a source reads them and as the sink `simobj.objects` writes them.
#include "patchbay/object.h"

#include "patchbay/plugin.h"
#include "simulation/plugins.h"
#include "simulation/remote.h"
#include "simulation/rows.h"
#include "simulation/sink_calls.h"

namespace patchbay::simulation {
namespace {

class BlobReader : public Reader {
 public:
  BlobReader(World& world, SourceSystem& system, const Part& part)
      : world_(world),
        system_(system),
        part_(part.id),
        object_(part.object),
        schema_(std::make_shared<const Schema>(object_schema(part.stream))) {
    for (const model::Id id : part.rows) {
      const RowData& row = world_.row(id);
      chunks_.push_back(to_text({{id, 0, row.facts.key, row.value}}));
    }
  }

  Event next(Call& call) override {
    const Serial::Call one(serial_, "next");
    if (world_.random().chance(system_.trouble.changes)) system_.edit();
    ask(world_, call, system_.trouble);
    if (!std::exchange(announced_, true)) return StreamBegin{0, schema_};
    if (given_ == chunks_.size()) return End{};
    ObjectBuilder batch(schema_);
    const bool last = given_ + 1 == chunks_.size();
    batch.append({object_, {}, {}, part_, offset_, chunks_[given_], last});
    offset_ += static_cast<int64_t>(chunks_[given_++].size());
    if (last && !system_.find(part_))
      throw Error(Code::kUnavailable, part_ + ": changed while it was read");
    return BatchEvent{0, batch.finish()};
  }

  Checkpoint checkpoint(Call&, Json::Value&) override {
    return given_ == chunks_.size() ? Checkpoint::kUnchanged : Checkpoint::kNotNow;
  }

 private:
  World& world_;
  SourceSystem& system_;
  const std::string part_, object_;
  const SchemaPtr schema_;
  std::vector<std::string> chunks_;
  size_t given_ = 0;
  int64_t offset_ = 0;
  bool announced_ = false;
  Serial serial_;
};

class ObjectWriter : public PreparingWriter {
 public:
  ObjectWriter(World& world, SinkSystem& system, std::string path, std::string token)
      : PreparingWriter(world, system, std::move(token)), path_(std::move(path)) {}

 private:
  void take(Call& call, const Batch& batch) override {
    const ObjectView view(batch);
    for (int64_t i = 0; i < view.rows(); ++i) {
      const ObjectChunk chunk = view[i];
      const std::string name = name_of(chunk.key);
      if (chunk.offset == 0) call.claim(system_.name() + "/" + name);
      auto& rows = rows_[name];
      if (chunk.etag) {
        rows = {blob(std::string(*chunk.etag))};
        continue;
      }
      for (const auto& row : from_text(chunk.data)) rows.push_back(row);
    }
  }

  // An object that passes as it is stands for itself.
  SinkRow blob(const std::string& version) const {
    for (const auto& [name, source] : world_.sources()) {
      if (const model::Id id = source->blob_of(version))
        return {id, 0, world_.row(id).facts.key, 0};
    }
    world_.scheduler().fail("an object that no source has: " + version);
  }

  std::string name_of(std::string_view key) const {
    std::string name = path_;
    if (const size_t at = name.find("{key}"); at != std::string::npos) name.replace(at, 5, key);
    return name;
  }

  PreparedRows prepared(Call&) override { return rows_; }
  int64_t accepted() const override { return given(); }

  const std::string path_;
  PreparedRows rows_;
};

class ObjectSink : public SimulatedSink {
 public:
  ObjectSink(Context&, const Config& config)
      : SimulatedSink(config), path_(config.get<std::string>("path")) {}

 private:
  std::unique_ptr<PreparingWriter> make_writer(const SchemaPtr&, std::string token) override {
    return std::make_unique<ObjectWriter>(world_, system_, path_, std::move(token));
  }
  const std::string path_;
};

}  // namespace

std::unique_ptr<Reader> read_blob(World& world, SourceSystem& system, const Part& part) {
  return std::make_unique<BlobReader>(world, system, part);
}

const bay_component* objects_sink() { return component<ObjectSink>("objects"); }

}  // namespace patchbay::simulation
