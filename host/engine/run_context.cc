#include "engine/run_context.h"

#include <algorithm>
#include <limits>

#include "pipeline/identity.h"
#include "pipeline/prepared.h"
#include "report/json_text.h"
#include "sync/planted.h"

namespace patchbay::host {
namespace {

// "a.csv, line 3: " where the position names a file; positions of other kinds are for `rejects`.
std::string place(const std::string& position_json) {
  if (position_json.empty()) return "";
  const Json::Value position = parse_json_text(position_json);
  if (!position.isObject() || !position["file"].isString()) return "";
  std::string text = position["file"].asString();
  for (const char* count : {"line", "row"}) {
    if (position[count].isInt64())
      text += std::string(", ") + count + " " + std::to_string(position[count].asInt64());
  }
  return text + ": ";
}

}  // namespace

void StreamCounts::add(const StreamCounts& other) {
  read += other.read;
  rejected += other.rejected;
  bytes += other.bytes;
  for (const auto& [sink, rows] : other.written) written[sink] += rows;
}

void StreamCounts::subtract(const StreamCounts& other) {
  read -= other.read;
  rejected -= other.rejected;
  bytes -= other.bytes;
  for (const auto& [sink, rows] : other.written) written[sink] -= rows;
}

Json::Value counts_to_json(const CountsByStream& counts) {
  Json::Value out(Json::objectValue);
  for (const auto& [stream, c] : counts) {
    Json::Value& entry = out[stream];
    entry["rows_read"] = Json::Int64(c.read);
    entry["rows_rejected"] = Json::Int64(c.rejected);
    entry["bytes_read"] = Json::Int64(c.bytes);
    for (const auto& [sink, rows] : c.written) entry["rows_written"][sink] = Json::Int64(rows);
  }
  return out;
}

CountsByStream counts_from_json(const Json::Value& json) {
  CountsByStream out;
  if (!json.isObject()) return out;
  for (const auto& stream : json.getMemberNames()) {
    const Json::Value& entry = json[stream];
    StreamCounts& c = out[stream];
    c.read = entry["rows_read"].asInt64();
    c.rejected = entry["rows_rejected"].asInt64();
    c.bytes = entry["bytes_read"].asInt64();
    if (!entry["rows_written"].isObject()) continue;
    for (const auto& sink : entry["rows_written"].getMemberNames())
      c.written[sink] = entry["rows_written"][sink].asInt64();
  }
  return out;
}

void NodeFigures::add_metric(std::string_view name, double amount) {
  const Guard lock(mutex_);
  metrics_[std::string(name)] += amount;
}

std::map<std::string, double> NodeFigures::metrics() const {
  const Guard lock(mutex_);
  return metrics_;
}

RunContext::RunContext(const Pipeline& pipeline, const RunOptions& options, std::string environment,
                       std::string run_id, StateStore& state, SecretStore& secrets,
                       FaultHook& faults)
    : pipeline(pipeline),
      options(options),
      environment(std::move(environment)),
      run_id(std::move(run_id)),
      state(state),
      secrets(secrets),
      faults(faults),
      figures(pipeline.nodes.size()),
      identities(pipeline, this->environment, state),
      forgets(forgets_prepared(pipeline)) {}

RetryLimits RunContext::retry() const {
  return {pipeline.retry.attempts, pipeline.retry.within, pipeline.retry.delay};
}

EpochInfo RunContext::epoch_info(size_t node, std::string txn, uint64_t number) const {
  EpochInfo info;
  info.scope = state.id() + "/" + environment + "/" + pipeline.name + "/" + pipeline.nodes[node].id;
  info.txn = std::move(txn);
  info.number = number;
  info.settled = options.look_only ? 0 : state.settled();
  info.durable =
      keeps_on_request(pipeline.nodes[node], forgets[node]) && !PLANTED(nobody_asks_to_keep);
  return info;
}

std::string RunContext::place_of(size_t node) const {
  return epoch_info(node, "", 0).scope + " " + place_identity(pipeline.nodes[node]);
}

void RunContext::reads(const std::string& name) {
  const Guard lock(mutex_);
  read_.insert(name);
}

void RunContext::claim(const std::string& lane, const std::string& node, const std::string& name) {
  if (options.look_only) return;
  Owner other;
  {
    const Guard lock(mutex_);
    if (read_.contains(name)) {
      throw Error(Code::kConfig, name + ": is what this run reads, and " + node +
                                     " would write over it; write to another place, and move it "
                                     "there afterwards");
    }
    other = claims_.try_emplace(name, Owner{lane, node}).first->second;
  }
  if (other.lane == lane && other.node != node) {
    throw Error(Code::kConfig, name + ": is written by " + other.node + ", and " + node +
                                   " would write it as well; give one of them another place");
  }
  // Other splits of the pipeline may be at work in other processes.
  if (other.lane == lane && options.splits) other.lane = state.claim(name, lane).value_or(lane);
  if (other.lane == lane) return;
  throw Error(Code::kConfig,
              name + ": is written by " + other.lane + ", and " + lane +
                  " would write it as well; each object of a run needs a name of its "
                  "own: put {key} or {stream} into path");
}

int64_t RunContext::remaining(const std::string& stream) {
  if (!options.limit) return std::numeric_limits<int64_t>::max();
  const Guard lock(mutex_);
  return std::max<int64_t>(0, *options.limit - taken_[stream]);
}

void RunContext::take(const std::string& stream, int64_t rows) {
  if (!options.limit) return;
  const Guard lock(mutex_);
  taken_[stream] += rows;
}

int64_t RunContext::allowed_rejects() const {
  return pipeline.rejects.percent ? std::numeric_limits<int64_t>::max()
                                  : static_cast<int64_t>(pipeline.rejects.max_rows);
}

void RunContext::count_rejects(const std::string& stream, const RejectedRows& rejected) {
  if (options.look_only) return;
  const Guard lock(mutex_);
  int64_t& count = rejects_[stream];
  count += rejected.rows.rows();
  if (count <= allowed_rejects()) return;
  throw TooManyRejects(Code::kData, "rejects: " + stream + ": " + std::to_string(count) +
                                        " rows rejected, " + std::to_string(allowed_rejects()) +
                                        " allowed; the last one: " + place(rejected.position_json) +
                                        rejected.reason + "; see `patchbay rejects list " +
                                        pipeline.name +
                                        "`, then mend the rows or raise rejects: {max: ..}");
}

void RunContext::forget_rejects(const std::string& stream, int64_t rows) {
  const Guard lock(mutex_);
  rejects_[stream] -= rows;
}

void RunContext::judge_rejects(const CountsByStream& epoch) {
  if (!pipeline.rejects.percent) return;
  const Guard lock(mutex_);
  for (const auto& [stream, counts] : epoch) {
    const StreamCounts& before = outcomes_[stream].committed;
    const auto read = static_cast<double>(before.read + counts.read);
    const auto rejected = static_cast<double>(before.rejected + counts.rejected);
    if (rejected == 0 || rejected * 100 <= *pipeline.rejects.percent * read) continue;
    throw TooManyRejects(
        Code::kData,
        "rejects: " + stream + ": " + std::to_string(before.rejected + counts.rejected) + " of " +
            std::to_string(before.read + counts.read) +
            " rows rejected, more than the allowed share; see `patchbay rejects list " +
            pipeline.name + "`");
  }
}

namespace {

std::string_view action_name(SchemaPolicy policy) {
  switch (policy) {
    case SchemaPolicy::kEvolve:
      return "added";
    case SchemaPolicy::kReject:
      return "rejected";
    default:
      return "ignored";
  }
}

int32_t abi_action(SchemaPolicy policy) {
  switch (policy) {
    case SchemaPolicy::kEvolve:
      return BAY_CHANGE_EVOLVE;
    case SchemaPolicy::kReject:
      return BAY_CHANGE_REJECT;
    case SchemaPolicy::kIgnore:
      return BAY_CHANGE_IGNORE;
    default:
      return BAY_CHANGE_FAIL;
  }
}

}  // namespace

ChangeDecision RunContext::schema_change(const std::string& stream, const std::string& path,
                                         const std::string& type, const std::string& node) {
  const Guard lock(mutex_);
  if (!known_.contains(stream)) {
    auto& known = known_[stream];
    for (const auto& field : state.known_fields(stream)) known[field.path] = field.type;
  }
  const SchemaPolicy policy = pipeline.on_schema_change;
  if (policy == SchemaPolicy::kFail) {
    throw NodeError(node, Code::kSchema,
                    path + ": new field of type " + type + " in stream " + stream +
                        "; set on_schema_change to ignore, reject or evolve to go on",
                    "", false);
  }
  auto& known = known_[stream];
  const auto [found, is_new] = known.try_emplace(path, type);
  if (policy == SchemaPolicy::kEvolve && !is_new) return {BAY_CHANGE_EVOLVE, found->second};
  auto& changes = outcomes_[stream].schema_changes;
  const bool noted =
      std::any_of(changes.begin(), changes.end(), [&](const auto& c) { return c.field == path; });
  if (!noted) changes.push_back({path, type, std::string(action_name(policy))});
  if (policy == SchemaPolicy::kEvolve) new_fields_[stream].push_back({stream, path, type});
  return {abi_action(policy), type};
}

std::vector<KnownField> RunContext::fields_to_record(const std::string& stream) {
  const Guard lock(mutex_);
  const auto found = new_fields_.find(stream);
  return found == new_fields_.end() ? std::vector<KnownField>{} : found->second;
}

bool RunContext::source_changed_schema(const std::string& stream) {
  const Guard lock(mutex_);
  return known_.contains(stream) && !known_[stream].empty();
}

void RunContext::note_schema_change(const std::string& stream, SchemaChangeSeen change) {
  const Guard lock(mutex_);
  auto& changes = outcomes_[stream].schema_changes;
  const bool noted = std::any_of(changes.begin(), changes.end(),
                                 [&](const auto& c) { return c.field == change.field; });
  if (!noted) changes.push_back(std::move(change));
}

void RunContext::add_committed(const CountsByStream& epoch) {
  const Guard lock(mutex_);
  for (const auto& [stream, counts] : epoch) {
    outcomes_[stream].committed.add(counts);
    ++outcomes_[stream].epochs;
  }
}

void RunContext::add_recovered(const CountsByStream& epoch, bool of_this_run) {
  const Guard lock(mutex_);
  for (const auto& [stream, counts] : epoch) {
    StreamOutcome& outcome = outcomes_[stream];
    outcome.committed.add(counts);
    ++outcome.epochs;
    if (of_this_run) {
      outcome.unsettled.subtract(counts);
    } else {
      outcome.recovered.add(counts);
    }
  }
}

void RunContext::add_unsettled(const CountsByStream& epoch) {
  const Guard lock(mutex_);
  for (const auto& [stream, counts] : epoch) outcomes_[stream].unsettled.add(counts);
}

void RunContext::forget_unsettled(const CountsByStream& epoch) {
  const Guard lock(mutex_);
  for (const auto& [stream, counts] : epoch) outcomes_[stream].unsettled.subtract(counts);
}

void RunContext::add_aborted(const CountsByStream& epoch) {
  const Guard lock(mutex_);
  for (const auto& [stream, counts] : epoch) outcomes_[stream].aborted.add(counts);
}

void RunContext::announce(const std::string& stream, const std::string& source,
                          const std::vector<std::string>& sinks) {
  const Guard lock(mutex_);
  StreamOutcome& outcome = outcomes_[stream];
  if (outcome.source.empty()) outcome.source = source;
  outcome.sinks.insert(sinks.begin(), sinks.end());
}

void RunContext::note_read_whole(const std::string& stream) {
  const Guard lock(mutex_);
  outcomes_[stream].read_whole = true;
}

void RunContext::count_attempt(const std::string& stream, uint32_t attempt, double seconds) {
  const Guard lock(mutex_);
  StreamOutcome& outcome = outcomes_[stream];
  outcome.attempts = std::max(outcome.attempts, attempt);
  outcome.seconds = std::max(outcome.seconds, seconds);
}

std::map<std::string, StreamOutcome> RunContext::outcomes() const {
  const Guard lock(mutex_);
  return outcomes_;
}

void RunContext::watch_calls(const CallClock& clock, size_t node) {
  const Guard lock(calls_mutex_);
  calls_[&clock] = node;
}

void RunContext::watch_no_more(const CallClock& clock) {
  const Guard lock(calls_mutex_);
  calls_.erase(&clock);
}

std::vector<RunContext::CallAtWork> RunContext::calls_at_work() const {
  const Guard lock(calls_mutex_);
  std::vector<CallAtWork> out;
  for (const auto& [clock, node] : calls_) {
    const CallClock::Call call = clock->at_work();
    if (call.name) out.push_back({clock, node, call});
  }
  return out;
}

}  // namespace patchbay::host
