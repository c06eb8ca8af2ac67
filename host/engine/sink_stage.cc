#include <algorithm>

#include "engine/stages.h"
#include "patchbay/object.h"
#include "patchbay/view.h"
#include "pipeline/guarantee.h"
#include "pipeline/identity.h"
#include "sync/planted.h"

namespace patchbay::host {

using std::chrono::steady_clock;

class SinkStage::Services : public StageServices {
 public:
  Services(LaneAttempt& lane, size_t node)
      : StageServices(lane, lane.run_, lane.ledger_, node, lane.token_) {}

  const EpochInfo* epoch() const override { return &info; }

  EpochInfo info;
};

SinkStage::SinkStage(LaneAttempt& lane, size_t node)
    : lane_(lane),
      run_(lane.run_),
      node_(node),
      instance_(*lane.instances_.instances[node]),
      replaces_(replaces(lane.run_.pipeline.nodes[node]) ||
                mirrors(lane.run_.pipeline.nodes[node])),
      services_(std::make_unique<Services>(lane, node)) {
  services_->find_stream = [this](const std::string& stream) -> const StreamSeen* {
    for (const auto& [key, incoming] : streams_) {
      if (incoming.seen.schema->name == stream) return &incoming.seen;
    }
    return nullptr;
  };
}

SinkStage::~SinkStage() = default;

void SinkStage::run() {
  Inbox& inbox = *lane_.inboxes_.at(node_);
  NodeFigures& figures = run_.figures[node_];
  std::vector<bool> held_back(inbox.inputs(), false);
  size_t ended = 0;
  const auto all_held = [&] {
    return std::find(held_back.begin(), held_back.end(), false) == held_back.end();
  };
  std::vector<bool> exhausted(inbox.inputs(), false);
  while (ended < inbox.inputs()) {
    const auto before = sync::now();
    auto next = inbox.pop_any(held_back);
    if (!next) throw Error(Code::kCancelled, "cancelled");
    const auto after = sync::now();
    figures.waiting_ns += (after - before).count();
    figures.queued_bytes = inbox.queued_bytes();
    auto& [input, event] = *next;
    const Key key(input, event.stream);
    switch (event.kind) {
      case EdgeEvent::Kind::kStream:
        on_stream(key, std::move(event));
        break;
      case EdgeEvent::Kind::kBatch:
        on_batch(key, std::move(event));
        break;
      case EdgeEvent::Kind::kBarrier:
        held_back[input] = !PLANTED(barrier_holds_nobody);
        if (!all_held()) break;
        end_epoch();
        held_back = exhausted;
        break;
      case EdgeEvent::Kind::kEnd:
        exhausted[input] = held_back[input] = true;
        ++ended;
    }
    figures.busy_ns += (sync::now() - after).count();
  }
  if (replaces_ && streams_.empty()) refuse_silence();
  if (lane_.lane_.one_epoch) end_epoch();
}

// A file without a byte tells no columns: whether the table is to be emptied, nobody said.
void SinkStage::refuse_silence() const {
  const Node& node = run_.pipeline.nodes[node_];
  for (const auto& source : lane_.lane_.sources) {
    for (const auto& split : source.splits) {
      const auto names = names_at_sinks(run_.pipeline, source.node, split.plan.stream);
      const auto found = names.find(node_);
      if (found == names.end() || found->second.empty()) continue;
      throw NodeError(node.id, Code::kData,
                      "nothing came of stream " + split.plan.stream +
                          ", neither rows nor columns, as from a file without a byte, so that " +
                          way_of_writing(node) +
                          " would leave what is there as it is; mend the source: a header is "
                          "enough for an empty one, or leave it out of the run",
                      "", false);
    }
  }
}

void SinkStage::on_stream(const Key& key, EdgeEvent event) {
  Incoming& incoming = streams_[key];
  if (incoming.open && PLANTED(new_schema_drops_rows)) incoming.open.reset();
  if (incoming.open) prepare(incoming);  // what came under the old schema
  incoming.seen = {event.schema, event.origin, is_object_schema(*event.schema)};
  run_.announce(event.origin, "", {instance_.node()});
  services_->info = lane_.ledger_.info(services_->at_epoch, node_);
  incoming.refused =
      lane_.steps_.bring_up(node_, instance_, event.schema, lane_.lane_, event.origin, *services_);
  // Replacing by nothing is a result, too; and a reference has no rows to wait for.
  if (replaces_ || !event.schema->reference.empty()) open_writer(incoming);
}

void SinkStage::open_writer(Incoming& incoming) {
  lane_.ledger_.begin(services_->at_epoch);
  services_->info = lane_.ledger_.info(services_->at_epoch, node_);
  incoming.open = std::make_unique<Open>();
  incoming.open->writer = instance_.open_writer(*services_, *incoming.seen.schema,
                                                lane_.ledger_.txn(services_->at_epoch, node_));
}

void SinkStage::on_batch(const Key& key, EdgeEvent event) {
  Incoming& incoming = streams_.at(key);
  if (!incoming.open) open_writer(incoming);
  const int64_t rows = event.batch.rows();
  run_.figures[node_].rows_in += rows;
  services_->rejected_rows = 0;
  Batch batch = std::move(event.batch);
  if (!incoming.refused.empty()) batch = without_refused(incoming, std::move(batch));
  if (batch.rows() > 0) incoming.open->writer->write(*services_, batch.take());
  incoming.open->rows += rows - services_->rejected_rows;
}

// on_schema_change: reject, of fields that the target does not have.
Batch SinkStage::without_refused(const Incoming& incoming, Batch batch) {
  const Schema& schema = *batch.schema();
  std::vector<int64_t> kept, refused;
  std::string reason;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    bool has = false;
    for (const auto& name : incoming.refused) {
      const int field = schema.index_of(name);
      if (field < 0) continue;
      const auto i = static_cast<size_t>(field);
      const ColumnView view(schema.fields[i].type, *batch.array().children[i], batch.array().offset,
                            batch.rows());
      if (view.is_null(row)) continue;
      has = true;
      reason = name + ": the target has no such column, and on_schema_change is reject";
    }
    (has ? refused : kept).push_back(row);
  }
  if (refused.empty()) return batch;
  const bay_status status =
      services_->reject({schema.name, "unknown_field", reason, "", batch.rows_at(refused)});
  if (status != BAY_OK) throw Error(Code::kCancelled, "cancelled");
  return batch.rows_at(kept);
}

void SinkStage::prepare(Incoming& incoming) {
  lane_.ledger_.enter_commit(lane_.token_);
  // A row that was refused is still in the source: who deletes what is gone must not delete it.
  services_->info.complete = lane_.complete_ && !lane_.ledger_.has_rejects(services_->at_epoch);
  services_->rejected_rows = 0;
  PreparedWriter prepared = incoming.open->writer->prepare(*services_);
  const int64_t expected = incoming.open->rows - services_->rejected_rows;
  const bool by_reference = !incoming.seen.schema->reference.empty();  // only the system counted
  if (prepared.rows_accepted != expected && !by_reference) {
    throw NodeError(instance_.node(), Code::kInternal,
                    "accepted " + std::to_string(prepared.rows_accepted) + " rows of " +
                        incoming.seen.schema->name + " where " + std::to_string(expected) +
                        " were delivered and not rejected; nothing of the epoch is kept; this is a "
                        "bug of the plugin",
                    "", false);
  }
  tokens_.push_back(std::move(prepared.token));
  lane_.ledger_.note_written(services_->at_epoch, node_, incoming.seen.schema->name);
  StreamCounts counts;
  if (!incoming.seen.object) counts.written[instance_.node()] = prepared.rows_accepted;
  lane_.ledger_.count(services_->at_epoch, incoming.seen.origin, counts);
  incoming.open.reset();
}

void SinkStage::end_epoch() {
  for (auto& [key, incoming] : streams_) {
    if (incoming.open) prepare(incoming);
  }
  lane_.ledger_.sink_prepared(services_->at_epoch, node_, std::exchange(tokens_, {}), lane_.token_);
  ++services_->at_epoch;
}

void CollectorStage::run() {
  std::map<uint32_t, SchemaPtr> schemas;
  while (auto event = inbox_.pop(0)) {
    if (event->kind == EdgeEvent::Kind::kEnd) return;
    if (event->kind == EdgeEvent::Kind::kBarrier) continue;
    if (event->kind == EdgeEvent::Kind::kStream) schemas[event->stream] = event->schema;
    if (!collector_.take(schemas.at(event->stream), event->batch)) return lane_.finish_early();
  }
}

}  // namespace patchbay::host
