#include "engine/input_services.h"
#include "engine/stages.h"
#include "patchbay/object.h"

struct bay_input {
  size_t index;
};

namespace patchbay::host {

using std::chrono::steady_clock;

class TransformStage::Services : public StageServices, public InputServices {
 public:
  Services(TransformStage& stage, LaneAttempt& lane, size_t node)
      : StageServices(lane, lane.run_, lane.ledger_, node, lane.token_),
        stage_(stage),
        inbox_(*lane.inboxes_.at(node)),
        seen_(inbox_.inputs()) {
    for (size_t i = 0; i < inbox_.inputs(); ++i) inputs_.push_back({i});
    for (auto& input : inputs_) handles_.push_back(&input);
    find_stream = [this](const std::string& stream) { return find(stream); };
  }

  std::span<bay_input* const> inputs() const { return handles_; }

  bay_status input_next(bay_call* call, bay_input* input, bay_event* out) override {
    const auto before = sync::now();
    auto event = inbox_.pop(input->index);
    waited_ += sync::now() - before;
    run_.figures[node_].queued_bytes = inbox_.queued_bytes();
    if (!event) {
      call->message = "cancelled";
      return call->status = BAY_E_CANCELLED;
    }
    out->stream = event->stream;
    switch (event->kind) {
      case EdgeEvent::Kind::kStream:
        return give_stream(input->index, *event, out);
      case EdgeEvent::Kind::kBatch:
        return give_batch(input->index, *event, out);
      case EdgeEvent::Kind::kBarrier:
        out->kind = BAY_EVENT_BARRIER;
        out->epoch = event->epoch;
        return BAY_OK;
      default:
        return BAY_END;
    }
  }

  std::optional<size_t> ready(std::span<const uint32_t> inputs) override {
    std::vector<bool> held_back(inbox_.inputs(), true);
    for (const uint32_t input : inputs) held_back.at(input) = false;
    const auto before = sync::now();
    const auto found = inbox_.wait_any(held_back);
    waited_ += sync::now() - before;
    if (!found) return std::nullopt;
    return static_cast<size_t>(std::find(inputs.begin(), inputs.end(), *found) - inputs.begin());
  }
  const std::string& from(size_t input) const override {
    const Pipeline& pipeline = run_.pipeline;
    return pipeline.nodes[pipeline.nodes[node_].from_index.at(input)].id;
  }

  // A refused record that was never a row before counts as read: it left the files as one.
  bay_status reject(RejectedRows rejected) override {
    const StreamSeen* seen = find(rejected.stream);
    const int64_t rows = rejected.rows.rows();
    const bay_status status = StageServices::reject(std::move(rejected));
    if (seen && seen->object) {
      ledger_.count(at_epoch, seen->origin, {rows, 0, 0, {}});
      run_.take(seen->origin, rows);
    }
    if (const StreamSeen* from = seen ? seen : only_stream(); from && !from->object)
      rows_in_[from->origin] -= rows;
    return status;
  }

  const StreamSeen* find(const std::string& stream) const {
    for (const auto& input : seen_) {
      for (const auto& seen : input) {
        if (seen.schema && seen.schema->name == stream) return &seen;
      }
    }
    return nullptr;
  }
  // The one origin of everything that comes in, or null.
  const StreamSeen* only_stream() const {
    const StreamSeen* only = nullptr;
    for (const auto& input : seen_) {
      for (const auto& seen : input) {
        if (only && only->origin != seen.origin) return nullptr;
        only = &seen;
      }
    }
    return only;
  }
  // Files come in, or rows; false where nothing has come yet.
  bool takes(bool objects) const {
    bool any = false;
    for (const auto& input : seen_) {
      for (const auto& seen : input) {
        if (!seen.schema) continue;
        if (seen.object != objects) return false;
        any = true;
      }
    }
    return any;
  }
  std::chrono::nanoseconds take_waited() { return std::exchange(waited_, {}); }
  bool took_rows() const { return took_rows_; }
  // What comes when no more data is wanted: false at the end.
  bool next_mark(Outlet& outlet) {
    auto event = inbox_.pop(0);
    if (!event) throw Error(Code::kCancelled, "cancelled");
    if (event->kind == EdgeEvent::Kind::kBarrier) {
      if (!outlet.barrier(event->epoch)) throw Error(Code::kCancelled, "cancelled");
      at_epoch = event->epoch + 1;
    }
    return event->kind != EdgeEvent::Kind::kEnd;
  }
  // Records that became files here: the sink only sees their chunks.
  void count_encoded() {
    for (auto& [origin, rows] : rows_in_) {
      StreamCounts counts;
      counts.written[id()] = std::exchange(rows, 0);
      ledger_.count(at_epoch, origin, counts);
    }
  }

 private:
  bay_status give_stream(size_t input, const EdgeEvent& event, bay_event* out) {
    auto& seen = seen_[input];
    if (event.stream >= seen.size()) seen.resize(event.stream + 1);
    seen[event.stream] = {event.schema, event.origin, is_object_schema(*event.schema)};
    out->kind = BAY_EVENT_STREAM;
    export_schema(*event.schema, &out->schema);
    return BAY_OK;
  }
  bay_status give_batch(size_t input, EdgeEvent& event, bay_event* out) {
    const StreamSeen& seen = seen_[input][event.stream];
    run_.figures[node_].rows_in += event.batch.rows();
    if (!seen.object) {
      rows_in_[seen.origin] += event.batch.rows();
      took_rows_ = took_rows_ || event.batch.rows() > 0;
    }
    out->kind = BAY_EVENT_BATCH;
    event.batch.take().move_to(&out->array);
    return BAY_OK;
  }

  TransformStage& stage_;
  Inbox& inbox_;
  std::vector<bay_input> inputs_;
  std::vector<bay_input*> handles_;
  std::vector<std::vector<StreamSeen>> seen_;  // by input and stream
  std::map<std::string, int64_t> rows_in_;
  bool took_rows_ = false;
  std::chrono::nanoseconds waited_{0};
};

TransformStage::TransformStage(LaneAttempt& lane, size_t node)
    : lane_(lane),
      run_(lane.run_),
      node_(node),
      outlet_(lane.make_outlet(node)),
      services_(std::make_unique<Services>(*this, lane, node)) {}

TransformStage::~TransformStage() = default;

void TransformStage::run() {
  Instance& instance = *lane_.instances_.instances[node_];
  auto reader = instance.open_inputs(*services_, services_->inputs());
  NodeFigures& figures = run_.figures[node_];
  for (;;) {
    const auto before = sync::now();
    HostEvent event = reader->next(*services_);
    const auto after = sync::now();
    const auto waited = services_->take_waited();
    figures.busy_ns += (after - before - waited).count();
    switch (event.kind) {
      case 0:
        if (encodes()) services_->count_encoded();
        release_held(true);
        if (!outlet_.end()) throw Error(Code::kCancelled, "cancelled");
        return;
      case BAY_EVENT_STREAM:
        on_stream(event);
        break;
      case BAY_EVENT_BATCH:
        on_batch(std::move(event));
        if (!has_enough()) break;
        reader.reset();
        return end_of_limit();
      case BAY_EVENT_BARRIER:
        if (encodes()) services_->count_encoded();
        release_held(true);
        if (!outlet_.barrier(event.epoch)) throw Error(Code::kCancelled, "cancelled");
        services_->at_epoch = event.epoch + 1;
        break;
      default:
        if (!lane_.token_.wait_for(event.wait)) throw Error(Code::kCancelled, "cancelled");
    }
    figures.waiting_ns += (waited + (sync::now() - after)).count();
  }
}

// A transform's stream is counted under the source's stream of its name, or the only one that comes
// in.
std::string TransformStage::origin_of(const std::string& stream) const {
  if (const StreamSeen* same = services_->find(stream)) return same->origin;
  if (const StreamSeen* only = services_->only_stream()) return only->origin;
  return stream;
}

bool TransformStage::encodes() const {
  return !streams_.empty() && streams_[0].object && services_->takes(false);
}

bool TransformStage::decodes() const { return services_->takes(true); }

// Of the one stream that comes in, under --limit.
bool TransformStage::has_enough() const {
  if (!run_.options.limit || services_->inputs().size() != 1 || !decodes()) return false;
  const StreamSeen* only = services_->only_stream();
  return only && run_.remaining(only->origin) == 0;
}

void TransformStage::end_of_limit() {
  lane_.satisfy(node_);
  while (services_->next_mark(outlet_)) continue;
  if (!outlet_.end()) throw Error(Code::kCancelled, "cancelled");
}

// A source that goes on from a state and has nothing new makes no file: an empty one would take the
// place of what the last run delivered.
bool TransformStage::holds_back() const {
  return !lane_.lane_.from_start && lane_.resumes_ && encodes() && !services_->took_rows();
}

void TransformStage::release_held(bool at_end) {
  if (!held_.empty() && at_end && holds_back()) held_.clear();
  for (auto& [stream, batch] : std::exchange(held_, {})) {
    const int64_t bytes = batch.bytes();
    if (!outlet_.batch(stream, std::move(batch), bytes)) throw Error(Code::kCancelled, "cancelled");
  }
}

void TransformStage::on_stream(const HostEvent& event) {
  if (event.stream > streams_.size()) {
    throw NodeError(run_.pipeline.nodes[node_].id, Code::kInternal,
                    "stream indexes must count up from 0; this is a bug of the plugin", "", false);
  }
  check_reference(run_.pipeline.nodes[node_], *event.schema, false);
  if (event.stream == streams_.size()) streams_.emplace_back();
  const std::string origin = origin_of(event.schema->name);
  streams_[event.stream] = {event.schema, origin, is_object_schema(*event.schema)};
  if (!streams_[event.stream].object) run_.schema_seen(*event.schema);
  if (!outlet_.stream(event.stream, event.schema, origin))
    throw Error(Code::kCancelled, "cancelled");
}

void TransformStage::on_batch(HostEvent event) {
  if (event.stream >= streams_.size()) {
    throw NodeError(run_.pipeline.nodes[node_].id, Code::kInternal,
                    "a batch before its stream; this is a bug of the plugin", "", false);
  }
  const StreamSeen& seen = streams_[event.stream];
  check_reference(run_.pipeline.nodes[node_], *seen.schema, true);
  validate(*seen.schema, event.array.get());
  Batch batch(seen.schema, std::move(event.array));
  if (!seen.object && decodes()) {  // records are read where they leave the files
    if (const int64_t left = run_.remaining(seen.origin); batch.rows() > left)
      batch = batch.slice(0, left);
    if (batch.rows() == 0) return;
    lane_.ledger_.count(services_->at_epoch, seen.origin, {batch.rows(), 0, 0, {}});
    run_.take(seen.origin, batch.rows());
  }
  run_.figures[node_].rows_out += batch.rows();
  if (seen.object && holds_back()) {
    held_.emplace_back(event.stream, std::move(batch));
    return;
  }
  release_held(false);
  const int64_t bytes = batch.bytes();
  if (!outlet_.batch(event.stream, std::move(batch), bytes))
    throw Error(Code::kCancelled, "cancelled");
}

}  // namespace patchbay::host
