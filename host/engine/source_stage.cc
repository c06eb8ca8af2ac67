#include <algorithm>

#include "engine/stages.h"
#include "patchbay/object.h"
#include "pipeline/references.h"
#include "report/row_texts.h"
#include "sync/planted.h"

namespace patchbay::host {

using std::chrono::steady_clock;

void check_reference(const Node& node, const Schema& schema, bool rows) {
  const bool declared = !rows_stay_in(node).empty();
  if (schema.reference.empty() || (declared && !rows)) return;
  throw NodeError(node.id, Code::kInternal,
                  "stream " + schema.name + " is by reference, " +
                      (declared ? "and sends rows" : "which its manifest does not say") +
                      "; this is a bug of the plugin",
                  "", false);
}

bay_status StageServices::reject(RejectedRows rejected) {
  const StreamSeen* seen = find_stream ? find_stream(rejected.stream) : nullptr;
  if (!rejected.rows.schema()) {
    if (!seen) {
      throw NodeError(
          id(), Code::kInternal,
          "rejected rows of stream " + rejected.stream +
              ", which has not begun, without their schema; this is a bug of the plugin",
          "", false);
    }
    rejected.rows = Batch(seen->schema, rejected.rows.take());
  }
  const std::string origin = seen ? seen->origin : rejected.stream;
  // A sink may know its rows as texts only. As rows of the stream they can be replayed.
  const bool of_sink = run_.pipeline.nodes[node_].kind == Kind::kSink;
  if (of_sink && seen && !seen->object && is_record(*rejected.rows.schema())) {
    if (auto rows = rows_of_records(seen->schema, rejected.rows)) rejected.rows = std::move(*rows);
  }
  validate(*rejected.rows.schema(), rejected.rows.array());
  ledger_.keep_reject(at_epoch, id(), origin, rejected);
  rejected_rows += rejected.rows.rows();
  try {
    run_.count_rejects(origin, rejected);
  } catch (const TooManyRejects&) {
    // The lane ends with this reason, whatever the plugin makes of the refusal.
    lane_.fail(std::current_exception());
    return BAY_E_CANCELLED;
  }
  return BAY_OK;
}

// The lane that has a name is found by what it was planned as.
void StageServices::claim(std::string_view name) {
  run_.claim(lane_.lane_.key, id(), std::string(name));
}

class SourceStage::Services : public StageServices {
 public:
  Services(SourceStage& stage, LaneAttempt& lane, size_t node)
      : StageServices(lane, lane.run_, lane.ledger_, node, lane.token_), stage_(stage) {}

  // What is left of the epoch, so that it ends on the row that the pipeline says, and of --limit.
  // An epoch that is overdue, because the reader is at no resting place, has full batches.
  int64_t max_rows() override {
    int64_t rows = std::min(kMaxBatchRows, run_.remaining(stage_.split_stream_));
    const int64_t left = run_.pipeline.commit.rows - stage_.epoch_rows_;
    if (!lane_.lane_.one_epoch && left > 0) rows = std::min(rows, left);
    return std::max<int64_t>(rows, 1);
  }

  // A row that the source itself refuses was read, too.
  bay_status reject(RejectedRows rejected) override {
    const std::string stream = rejected.stream;
    const int64_t rows = rejected.rows.rows();
    ledger_.count(at_epoch, stream, {rows, 0, 0, {}});
    run_.take(stream, rows);
    stage_.count_given(rows, 0);
    return StageServices::reject(std::move(rejected));
  }

 private:
  using StageServices::lane_;
  SourceStage& stage_;
};

SourceStage::SourceStage(LaneAttempt& lane, const LaneSource& source)
    : lane_(lane),
      run_(lane.run_),
      source_(source),
      outlet_(lane.make_outlet(source.node)),
      services_(std::make_unique<Services>(*this, lane, source.node)),
      epoch_start_(sync::now()) {
  services_->find_stream = [this](const std::string& stream) -> const StreamSeen* {
    const auto found = index_by_name_.find(stream);
    return found == index_by_name_.end() ? nullptr : &streams_[found->second];
  };
}

SourceStage::~SourceStage() = default;

void SourceStage::run() {
  for (const auto& split : source_.splits) read(split);
  if (!lane_.lane_.one_epoch) require_open(outlet_.barrier(services_->at_epoch));
  require_open(outlet_.end());
  if (lane_.collector_) return;
  if (!lane_.ledger_.wait_committed(services_->at_epoch + 1))
    throw Error(Code::kCancelled, "cancelled");
  tell_committed();
}

void SourceStage::require_open(bool open) {
  if (!open) throw Error(Code::kCancelled, "cancelled");
}

bool SourceStage::limit_reached(const LaneSplit& split) {
  if (!run_.options.limit || run_.remaining(split.plan.stream) > 0) return false;
  // In the middle of an object only where nobody waits for its end.
  return at_object_end_ || lane_.all_satisfied(source_.node);
}

void SourceStage::read(const LaneSplit& split) {
  Instance& instance = *lane_.instances_.instances[source_.node];
  split_stream_ = split.plan.stream;
  last_state_ = split.state_json;
  state_is_behind_ = false;
  live_.push_back({instance.open_split(*services_, split.plan.json, split.state_json),
                   services_->at_epoch, services_->at_epoch});
  ReaderHandle& reader = *live_.back().reader;
  NodeFigures& figures = run_.figures[source_.node];
  std::vector<uint32_t> indexes;  // of the reader's streams on the edge
  bool ended = false;
  while (!ended) {
    // Past the limit it is read on to the next resting place: no row comes without its state.
    if (limit_reached(split) && add_state(split, reader, false)) break;
    const auto before = sync::now();
    HostEvent event = reader.next(*services_);
    const auto after = sync::now();
    figures.busy_ns += (after - before).count();
    switch (event.kind) {
      case 0:
        ended = true;
        break;
      case BAY_EVENT_STREAM:
        on_stream(indexes, event);
        break;
      case BAY_EVENT_BATCH:
        if (PLANTED(state_of_next_event) && epoch_due()) try_end_epoch(split, reader);
        on_batch(indexes, std::move(event));
        break;
      case BAY_EVENT_IDLE:
        lane_.steps_.leave(lane_.lane_.key);
        if (!lane_.token_.wait_for(event.wait)) throw Error(Code::kCancelled, "cancelled");
        break;
      default:
        throw NodeError(instance.node(), Code::kInternal,
                        "a source put a barrier; this is a bug of the plugin", "", false);
    }
    if (!ended && epoch_due() && !PLANTED(state_of_next_event)) try_end_epoch(split, reader);
    tell_committed();
    figures.waiting_ns += (sync::now() - after).count();
  }
  if (PLANTED(done_in_next_epoch) && split.plan.once && !lane_.lane_.one_epoch) end_epoch();
  if (ended) add_state(split, reader, true);
  live_.back().last = services_->at_epoch;
}

void SourceStage::on_stream(std::vector<uint32_t>& indexes, const HostEvent& event) {
  const std::string& name = event.schema->name;
  const auto [found, is_new] =
      index_by_name_.try_emplace(name, static_cast<uint32_t>(streams_.size()));
  const uint32_t index = found->second;
  if (event.stream > indexes.size()) {
    throw NodeError(run_.pipeline.nodes[source_.node].id, Code::kInternal,
                    "stream indexes must count up from 0; this is a bug of the plugin", "", false);
  }
  if (event.stream == indexes.size()) indexes.push_back(index);
  indexes[event.stream] = index;
  check_reference(run_.pipeline.nodes[source_.node], *event.schema, false);
  const bool changed = is_new || !(*streams_[index].schema == *event.schema);
  if (is_new) streams_.emplace_back();
  streams_[index] = {event.schema, name, is_object_schema(*event.schema)};
  if (!event.schema->reference.empty()) state_is_behind_ = true;  // its rows pass elsewhere
  if (changed && !streams_[index].object) run_.schema_seen(*event.schema);
  if (changed) require_open(outlet_.stream(index, event.schema, name));
}

void SourceStage::on_batch(const std::vector<uint32_t>& indexes, HostEvent event) {
  const std::string& id = run_.pipeline.nodes[source_.node].id;
  if (event.stream >= indexes.size()) {
    throw NodeError(id, Code::kInternal, "a batch before its stream; this is a bug of the plugin",
                    "", false);
  }
  const uint32_t index = indexes[event.stream];
  const StreamSeen& seen = streams_[index];
  check_reference(run_.pipeline.nodes[source_.node], *seen.schema, true);
  if (!seen.object && run_.options.limit && run_.remaining(seen.origin) == 0) {
    throw NodeError(id, Code::kConfig,
                    "--limit: stream " + seen.origin + " has no place to stop after " +
                        std::to_string(*run_.options.limit) +
                        " rows: the next belongs to the same value of the cursor, and a state "
                        "would leave it out; give a greater --limit",
                    "", false);
  }
  validate(*seen.schema, event.array.get());
  Batch batch(seen.schema, std::move(event.array));
  const int64_t rows = batch.rows(), bytes = batch.bytes();
  if (seen.object && rows > 0) at_object_end_ = ObjectView(batch)[rows - 1].last;
  if (!seen.object && rows > services_->max_rows()) {
    throw NodeError(id, Code::kInternal,
                    "a batch of " + std::to_string(rows) + " rows where " +
                        std::to_string(services_->max_rows()) +
                        " were asked for; this is a bug of the plugin",
                    "", false);
  }
  NodeFigures& figures = run_.figures[source_.node];
  figures.rows_out += rows;
  figures.bytes += bytes;
  lane_.ledger_.count(services_->at_epoch, seen.origin, {seen.object ? 0 : rows, 0, bytes, {}});
  if (!seen.object) run_.take(seen.origin, rows);
  count_given(rows, bytes);
  require_open(outlet_.batch(index, std::move(batch), bytes));
}

void SourceStage::count_given(int64_t rows, int64_t bytes) {
  epoch_rows_ += rows;
  epoch_bytes_ += bytes;
  state_is_behind_ = state_is_behind_ || rows > 0;
}

bool SourceStage::epoch_due() const {
  if (lane_.lane_.one_epoch || epoch_rows_ + epoch_bytes_ == 0) return false;
  const auto& commit = run_.pipeline.commit;
  return epoch_rows_ >= commit.rows || epoch_bytes_ >= commit.bytes ||
         sync::now() - epoch_start_ >= commit.every;
}

// An epoch ends only where its rows and the state from which reading goes on right after them are
// in it together. A reader that has nothing new to say, though it gave rows, has no such state: its
// rest belongs into the same epoch.
bool SourceStage::try_end_epoch(const LaneSplit& split, ReaderHandle& reader) {
  std::string state = last_state_;
  const bay_status status = reader.checkpoint(*services_, state);
  if (status == BAY_NOT_NOW || (status == BAY_UNCHANGED && state_is_behind_)) return false;
  if (status == BAY_OK && !PLANTED(state_in_next_epoch)) {
    lane_.ledger_.add_states(services_->at_epoch,
                             {{stream_of(split), split.plan.id, state, false, false}});
    last_state_ = state;
  }
  end_epoch();
  return true;
}

// False in the middle of something, where no state lies; at the end there is always one.
bool SourceStage::add_state(const LaneSplit& split, ReaderHandle& reader, bool ended) {
  const bool done = ended && split.plan.once;
  std::string state = last_state_;
  const bay_status status = reader.checkpoint(*services_, state);
  const bool rests = status == BAY_OK || (status == BAY_UNCHANGED && !state_is_behind_);
  if (!rests && !ended && split.plan.resumes) return false;
  const bool changed = status == BAY_OK && state != last_state_;
  if (ended && !done && (state.empty() || lane_.lane_.from_start))
    run_.note_read_whole(split.plan.stream);
  // That it came to its end is worth a record only where rows did.
  if (changed || done || (ended && state_is_behind_)) {
    lane_.ledger_.add_states(services_->at_epoch, {{stream_of(split), split.plan.id,
                                                    changed ? state : "", done, ended}});
  }
  return true;
}

StreamRef SourceStage::stream_of(const LaneSplit& split) const {
  return {run_.pipeline.nodes[source_.node].id, split.plan.stream};
}

void SourceStage::tell_refused(Code why) {
  // Of several splits it is not known which one is to blame.
  if (live_.empty() || lane_.lane_.kind != LaneKind::kSplit) return;
  CleanupServices services(run_, source_.node, {});
  try {
    live_.back().reader->refused(services, why);
  } catch (const Error& error) {
    run_.warn(run_.pipeline.nodes[source_.node].id,
              std::string("what it was to do with what is refused is not done: ") + error.what());
  }
}

void SourceStage::end_epoch() {
  require_open(outlet_.barrier(services_->at_epoch));
  ++services_->at_epoch;
  live_.back().last = services_->at_epoch;
  epoch_rows_ = epoch_bytes_ = 0;
  state_is_behind_ = false;
  epoch_start_ = sync::now();
}

void SourceStage::tell_committed() {
  for (const uint64_t committed = lane_.ledger_.committed(); told_ < committed; ++told_) {
    const uint64_t number = lane_.ledger_.number_of(told_);
    if (number == 0) continue;  // it had nothing, and is on no record
    for (auto& live : live_) {
      if (live.first <= told_ && told_ <= live.last) live.reader->committed(*services_, number);
    }
  }
  while (live_.size() > 1 && live_.front().last < told_) live_.pop_front();
}

}  // namespace patchbay::host
