// The source `simsource.*`: reads a SourceSystem.
#include <algorithm>
#include <deque>

#include "patchbay/plugin.h"
#include "simulation/calls.h"
#include "simulation/plugins.h"
#include "simulation/remote.h"
#include "simulation/rows.h"

namespace patchbay::simulation {
namespace {

// Events at which a reader may have bad luck, or meet an edit.
void meet_trouble(World& world, Call& call, SourceSystem& system) {
  if (world.random().chance(system.trouble.changes)) system.edit();
  ask(world, call, system.trouble);
}

class PartReader : public Reader {
 public:
  PartReader(World& world, SourceSystem& system, const Split& split, const Json::Value& state)
      : world_(world),
        system_(system),
        part_(split.id),
        stream_(split.stream),
        live_(system.kind() == SourceKind::kCursor && !split.detail["snapshot"].asBool()),
        leaves_state_(system.kind() == SourceKind::kCursor) {
    if (!state.isNull()) after_ = state["after"].asInt64();
    given_ = reported_ = after_;
    if (const Part* part = system_.find(part_); part && !live_) {
      for (const model::Id id : part->rows)
        if (world_.row(id).facts.order > after_) snapshot_.push_back(id);
    }
  }

  Event next(Call& call) override {
    const Serial::Call one(serial_, "next");
    meet_trouble(world_, call, system_);
    if (world_.random().chance(0.05))
      return Idle{std::chrono::milliseconds(world_.random().below(20))};
    const std::vector<model::Id> rows = take(call);
    if (rows.empty()) return at_end();
    const bool grown =
        std::any_of(rows.begin(), rows.end(), [&](model::Id id) { return world_.row(id).grown; });
    if (!schema_ || (grown && !evolved_ && !asked_)) {
      put_back(rows);
      return begin_stream(call, grown);
    }
    return give(call, rows);
  }

  Checkpoint checkpoint(Call&, Json::Value& state) override {
    const Serial::Call one(serial_, "checkpoint");
    if (!leaves_state_) return Checkpoint::kUnchanged;
    if (given_ == reported_) return Checkpoint::kUnchanged;
    if (in_tie()) return Checkpoint::kNotNow;
    reported_ = given_;
    state["after"] = Json::Int64(given_);
    return Checkpoint::kState;
  }

  void committed(Call&, uint64_t epoch) override {
    const Serial::Call one(serial_, "committed");
    if (epoch <= committed_) world_.scheduler().fail("committed is told out of order");
    committed_ = epoch;
  }

 private:
  const std::vector<model::Id>& present_rows() const {
    static const std::vector<model::Id> none;
    const Part* part = system_.find(part_);
    return part ? part->rows : none;
  }

  // The next rows in order, as many as a batch may have.
  std::vector<model::Id> take(Call& call) {
    const auto most = static_cast<size_t>(
        std::min<int64_t>(call.max_rows(), 1 + static_cast<int64_t>(world_.random().below(3))));
    std::vector<model::Id> rows;
    if (!live_) {
      while (rows.size() < most && !snapshot_.empty()) {
        rows.push_back(snapshot_.front());
        snapshot_.pop_front();
      }
      return rows;
    }
    for (const model::Id id : present_rows()) {
      const bool is_next = world_.row(id).facts.order > given_ ||
                           (id > last_ && world_.row(id).facts.order == given_ && last_ != 0);
      if (is_next && rows.size() < most) rows.push_back(id);
    }
    return rows;
  }

  void put_back(const std::vector<model::Id>& rows) {
    if (!live_) snapshot_.insert(snapshot_.begin(), rows.begin(), rows.end());
  }

  // Would a state of now leave out rows with the same value of the cursor?
  bool in_tie() const {
    if (!live_) return !snapshot_.empty() && world_.row(snapshot_.front()).facts.order == given_;
    const auto& rows = present_rows();
    return std::any_of(rows.begin(), rows.end(), [&](model::Id id) {
      return id > last_ && world_.row(id).facts.order == given_;
    });
  }

  Event begin_stream(Call& call, bool grown) {
    bool adds = false;
    if (grown) {
      asked_ = true;
      const Change change = call.schema_change(stream_, "grown", scalar(TypeId::kInt64));
      adds = change.action == ChangeAction::kEvolve;
      rejects_grown_ = change.action == ChangeAction::kReject;
      if (schema_ && !adds) return Idle{std::chrono::milliseconds(0)};
    }
    evolved_ = adds;
    schema_ = row_schema(stream_, evolved_);
    return StreamBegin{0, schema_};
  }

  Event give(Call& call, const std::vector<model::Id>& rows) {
    std::vector<SinkRow> good, bad;
    for (const model::Id id : rows) {
      const RowData& row = world_.row(id);
      given_ = row.facts.order;
      last_ = id;
      SinkRow one{id, 0, row.facts.key, row.value, {}};
      if (row.grown && evolved_) one.grown = row.value;
      (row.grown && rejects_grown_ ? bad : good).push_back(one);
    }
    if (!bad.empty())
      call.reject({stream_, "unknown_field", "grown: is not wanted", ""}, to_batch(schema_, bad));
    if (good.empty()) return Idle{std::chrono::milliseconds(0)};
    return BatchEvent{0, to_batch(schema_, good)};
  }

  Event at_end() {
    if (system_.kind() == SourceKind::kObjects && !system_.find(part_))
      throw Error(Code::kUnavailable, part_ + ": changed while it was read");
    if (!schema_) {  // nothing to read is a stream without rows
      schema_ = row_schema(stream_, false);
      return StreamBegin{0, schema_};
    }
    return End{};
  }

  World& world_;
  SourceSystem& system_;
  const std::string part_, stream_;
  const bool live_;  // sees what is edited meanwhile
  const bool leaves_state_;
  std::deque<model::Id> snapshot_;
  SchemaPtr schema_;
  bool evolved_ = false, asked_ = false, rejects_grown_ = false;
  int64_t after_ = 0, given_ = 0, reported_ = 0;
  model::Id last_ = 0;
  uint64_t committed_ = 0;
  Serial serial_;
};

class SimulatedSource : public Source {
 public:
  SimulatedSource(const Config& config, bool blobs)
      : blobs_(blobs),
        world_(World::current()),
        system_(world_.source(config.get<std::string>("system"))),
        options_(config.root()) {}

  void check(Call&) override {}
  std::vector<Schema> discover(Call&) override { return {}; }

  std::vector<Split> plan(Call& call, const std::vector<std::string>& streams, uint32_t) override {
    const Serial::Call one(serial_, "plan");
    meet_trouble(world_, call, system_);
    std::vector<Split> splits;
    for (const auto& stream : system_.streams()) {
      if (!streams.empty() && std::find(streams.begin(), streams.end(), stream) == streams.end())
        continue;
      const size_t before = splits.size();
      for (const Part* part : system_.parts_of(stream)) add(call, *part, splits);
      if (splits.size() == before) splits.emplace_back().stream = stream;
    }
    return splits;
  }

  std::unique_ptr<Reader> open(Call& call, const Split& split, const Json::Value& state) override {
    const Serial::Call one(serial_, "open");
    meet_trouble(world_, call, system_);
    if (system_.kind() == SourceKind::kObjects && !system_.find(split.id))
      throw Error(Code::kUnavailable, split.id + ": changed since it was planned");
    if (blobs_) return read_blob(world_, system_, *system_.find(split.id));
    return std::make_unique<PartReader>(world_, system_, split, state);
  }

 private:
  void add(Call& call, const Part& part, std::vector<Split>& splits) {
    Split split;
    split.id = part.id;
    split.stream = part.stream;
    split.detail = Json::Value(Json::objectValue);
    split.complete = true;
    switch (system_.kind()) {
      case SourceKind::kCursor:
        split.detail["snapshot"] = options_.get("snapshot", false);
        split.identity["system"] = system_.name();
        break;
      case SourceKind::kObjects:
        split.once = options_["select"].asString() == "new";
        split.resumes = split.once;
        split.of = part.object;
        if (split.once && call.is_done(split.id)) return;
        break;
      case SourceKind::kTables:
        split.resumes = false;
    }
    splits.push_back(std::move(split));
  }

  const bool blobs_;  // it gives objects, not their rows
  World& world_;
  SourceSystem& system_;
  const Json::Value options_;
  Serial serial_;
};

// The SDK has one table per class.
struct Cursor : SimulatedSource {
  Cursor(Context&, const Config& config) : SimulatedSource(config, false) {}
};
struct Feed : SimulatedSource {
  Feed(Context&, const Config& config) : SimulatedSource(config, false) {}
};
struct Objects : SimulatedSource {
  Objects(Context&, const Config& config) : SimulatedSource(config, false) {}
};
struct Blobs : SimulatedSource {
  Blobs(Context&, const Config& config) : SimulatedSource(config, true) {}
};
struct Tables : SimulatedSource {
  Tables(Context&, const Config& config) : SimulatedSource(config, false) {}
};

}  // namespace

std::vector<const bay_component*> source_components() {
  return {component<Cursor>("cursor"), component<Feed>("feed"), component<Objects>("objects"),
          component<Blobs>("blobs"), component<Tables>("tables")};
}

}  // namespace patchbay::simulation
