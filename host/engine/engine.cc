#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <numeric>
#include <system_error>

#include "engine/services.h"
#include "manifest/config_check.h"
#include "patchbay/posix_error.h"
#include "pipeline/guarantee.h"
#include "report/json_text.h"
#include "sync/planted.h"

namespace patchbay::host {
namespace {

// What transaction names may hold: [A-Za-z0-9_-].
std::string plain_name(const std::string& text, size_t longest) {
  std::string out = text.substr(0, longest);
  for (char& c : out) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') c = '_';
  }
  return out;
}

}  // namespace

std::vector<size_t> Engine::all_nodes() const {
  std::vector<size_t> nodes(run_.pipeline.nodes.size());
  std::iota(nodes.begin(), nodes.end(), size_t{0});
  return nodes;
}

// With --split, other lanes may be at work in other processes.
bool Engine::is_ours(const std::string& lane) const {
  if (!run_.options.splits) return true;
  return std::any_of(run_.options.splits->begin(), run_.options.splits->end(),
                     [&](const GivenSplit& split) {
                       return split_key(run_.pipeline.nodes[split.node], split.plan) == lane;
                     });
}

RunResult Engine::execute() {
  first_ = runtime_.make_instances(all_nodes());
  if (PLANTED(refresh_forgets_first) && run_.options.full_refresh) run_.state.forget({});
  if (!PLANTED(recovery_after_planning)) recover(first_, nullptr);
  planner_.emplace(run_, recovered_);
  std::vector<Lane> lanes = planner_->plan(first_);
  if (PLANTED(recovery_after_planning)) recover(first_, nullptr);
  run_.identities.learn(planner_->streams(), !run_.options.full_refresh && !run_.options.replay,
                        [&](const std::string& stream) {
                          runtime_.logger().log(
                              BAY_LOG_INFO, "",
                              "stream " + stream +
                                  ": the state on record is taken for this pipeline's: what it is "
                                  "of was not kept, or `patchbay state accept` said so");
                        });
  RunResult result;
  result.lanes = lanes.size();
  if (lanes.empty()) return result;
  require_known_epochs(first_);
  for (const auto& lane : lanes) {
    steps_.expect(lane.key, lane.streams);
    turns_.expect(lane);
  }
  run_lanes(lanes, result);
  return result;
}

std::vector<SettledSink> Engine::sinks_of(const EpochRecord& record, InstanceSet& instances) const {
  std::vector<SettledSink> sinks;
  for (size_t i = 0; i < run_.pipeline.nodes.size(); ++i) {
    const Node& node = run_.pipeline.nodes[i];
    const bool takes_part =
        node.kind == Kind::kSink &&
        std::any_of(record.sinks.begin(), record.sinks.end(),
                    [&](const PreparedSink& sink) { return sink.node == node.id; });
    if (takes_part) sinks.push_back({i, instances.instances[i].get()});
  }
  return sinks;
}

// Only a sink itself can say whether it shows the rows that are given up.
void Engine::require_sinks(const EpochRecord& record) const {
  for (const auto& sink : record.sinks) {
    const bool is_there = std::any_of(
        run_.pipeline.nodes.begin(), run_.pipeline.nodes.end(),
        [&](const Node& node) { return node.kind == Kind::kSink && node.id == sink.node; });
    if (is_there || record.discard["without"] == sink.node) continue;
    throw NodeError(sink.node, Code::kConfig,
                    "rows that run " + record.run + " prepared for " + sink.node +
                        " are given up, and the pipeline no longer has this sink, which alone can "
                        "say whether it shows them: bring it back under its name for one run; or "
                        "`patchbay state discard " +
                        run_.pipeline.name + " --without " + sink.node +
                        "` goes on for the other sinks, and it never gets them",
                    "", false);
  }
}

Settled Engine::settle(const UnfinishedEpoch& epoch, InstanceSet& instances) {
  const EpochRecord& record = epoch.record;
  if (epoch.phase == EpochPhase::kRecorded) run_.identities.require_same_targets(record);
  if (epoch.phase == EpochPhase::kDiscarded) require_sinks(record);
  try {
    return Settlement(run_, sinks_of(record, instances), run_.cancel).recover(epoch);
  } catch (const RowsWouldDouble&) {
    throw;
  } catch (const NodeError& error) {
    const bool passes = error.code() == Code::kUnavailable || error.code() == Code::kCancelled;
    if (passes || epoch.phase == EpochPhase::kBegun) throw;
    throw NodeError(error.node(), error.code(),
                    std::string(error.what()) + ". These rows were prepared by run " + record.run +
                        ": fix what stands in the way and run again, or give them up: `patchbay "
                        "state discard " +
                        run_.pipeline.name + "`",
                    error.detail_json(), error.exhausted());
  }
}

bool Engine::recover(InstanceSet& instances, const std::string* lane) {
  bool any = false;
  for (const auto& epoch : run_.state.unfinished()) {
    const EpochRecord& record = epoch.record;
    if (lane ? record.lane != *lane : !is_ours(record.lane)) continue;
    const Settled end = settle(epoch, instances);
    const bool own = record.run == run_.run_id;
    const CountsByStream counts = counts_from_json(record.counts);
    if (end == Settled::kAborted) {
      if (own) run_.forget_unsettled(counts);
      continue;
    }
    any = any || own;
    if (!PLANTED(recovered_is_not_counted)) run_.add_recovered(counts, own);
    for (const auto& state : record.states) recovered_.add(state, own);
    int64_t rows = 0;
    for (const auto& [stream, c] : counts) rows += c.read - c.rejected;
    runtime_.logger().log(BAY_LOG_INFO, "",
                          "recovered " + std::to_string(rows) + " rows that " +
                              (own ? "an earlier attempt" : "run " + record.run) + " had prepared");
  }
  return any;
}

// Throws where a sink has epochs of this pipeline that the state does not know of: then the state
// is older than what it describes.
void Engine::require_known_epochs(InstanceSet& instances) {
  uint64_t next = 0;
  const bool accepted = run_.state.is_accepted();
  uint64_t newest = 0;
  for (const size_t i : all_nodes()) {
    const Node& node = run_.pipeline.nodes[i];
    if (node.kind != Kind::kSink) continue;
    const auto delivered = run_.state.delivered(node.id);  // before the sink is asked, see below
    EpochServices services(run_, i, run_.cancel, run_.epoch_info(i, "", 0));
    const uint64_t number = instances.instances[i]->newest(services);
    require_whole_target(i, delivered, number, accepted);
    newest = std::max(newest, number);
    next = run_.state.next_epoch();  // after the sink has answered: other splits commit meanwhile
    if (number < next || accepted || run_.options.full_refresh || PLANTED(older_state_goes_on))
      continue;
    throw NodeError(
        node.id, Code::kConfig,
        "the state is older than what it describes: " + node.id + " has epoch " +
            std::to_string(number) + " of this pipeline, and the state knows of " +
            std::to_string(next - 1) +
            ", as after a backup was restored; going on from it would deliver rows twice. Restore "
            "the newer state; or `patchbay run " +
            run_.pipeline.name +
            " --full-refresh` reads everything again; or `patchbay state accept " +
            run_.pipeline.name +
            "` goes on from this state all the same, once the rows that came after it are out of " +
            node.id,
        "", false);
  }
  if (accepted || newest >= next) run_.state.skip_epochs(newest);
}

bool Engine::gets_what_is_new(size_t sink) const {
  const auto& nodes = run_.pipeline.nodes;
  const auto above = upstream_of(run_.pipeline, sink);
  return std::any_of(above.begin(), above.end(), [&](size_t i) {
    return nodes[i].kind == Kind::kSource && incremental_by(*nodes[i].component, nodes[i].config);
  });
}

// A target from a backup lacks what came after it, and the state would pass it over.
void Engine::require_whole_target(size_t node, const std::optional<Delivered>& delivered,
                                  uint64_t newest, bool accepted) {
  if (!delivered || delivered->place != run_.place_of(node)) return;
  const Node& sink = run_.pipeline.nodes[node];
  if (newest == 0 && !delivered->keeps_books) return;  // it keeps none, or has none yet
  const bool gives_way = accepted || run_.options.full_refresh || !gets_what_is_new(node);
  if (newest >= delivered->epoch || gives_way) {
    if (!delivered->keeps_books || newest < delivered->epoch)
      run_.state.note_newest(sink.id, newest);
    return;
  }
  throw NodeError(
      sink.id, Code::kConfig,
      sink.id + " is older than the state: it has epoch " + std::to_string(newest) +
          " of this pipeline, and the state knows that it took epoch " +
          std::to_string(delivered->epoch) +
          ", as after a backup of it was restored; going on would leave out what lies between. "
          "Restore the newer one; or `patchbay run " +
          run_.pipeline.name + " --full-refresh` reads everything again; or `patchbay state set " +
          run_.pipeline.name + "` says where to start; or `patchbay state accept " +
          run_.pipeline.name + "` goes on all the same",
      "", false);
}

void Engine::run_lanes(std::vector<Lane>& lanes, RunResult& result) {
  std::atomic<size_t> next{0};
  sync::Mutex mutex;
  const auto work = [&](InstanceSet& instances) {
    const CrashStack stack;
    for (size_t i = next++; i < lanes.size(); i = next++) {
      if (run_.cancel.cancelled()) return;
      std::optional<LaneFailure> failure;
      const std::string key = lanes[i].key;
      const std::vector<std::string> streams = lanes[i].streams;
      try {
        if (instances.instances.empty()) instances = runtime_.make_instances(all_nodes());
        failure = run_lane(lanes[i], instances);
      } catch (const std::exception& exception) {
        const Error error = error_of(exception);
        failure = LaneFailure{streams, error.code(), false, "", error.what()};
      }
      steps_.leave(key);
      turns_.end(lanes[i], !failure);
      const Guard lock(mutex);
      if (failure) result.failures.push_back(std::move(*failure));
    }
  };
  // A limit counts over the lanes of a stream, so they take turns.
  const size_t threads =
      run_.options.limit ? 1 : std::min<size_t>(run_.pipeline.concurrency, lanes.size());
  // Kept to the end: what planned may hold what all lanes need, such as a snapshot.
  InstanceSet first = std::move(first_);
  std::vector<sync::Thread> workers;
  for (size_t i = 1; i < threads; ++i) {
    try {
      workers.emplace_back([&] {
        InstanceSet own;
        work(own);
      });
    } catch (const std::system_error&) {
      break;  // at the limit of threads, fewer do the same work
    }
  }
  work(first);
}

std::optional<LaneFailure> Engine::run_lane(Lane& lane, InstanceSet& instances) {
  Backoff backoff(run_.retry());
  const auto start = sync::now();
  const std::string key = lane.key;
  uint32_t total = 0;
  bool refused_once = false;
  for (uint32_t failures = 1;; ++failures) {
    std::optional<LaneFailure> failure;
    bool again = false, progress = false;
    try {
      if (++total > 1) {
        // First what is prepared, then what is there now: neither is read twice.
        if (!PLANTED(no_recovery_before_retry) && recover(instances, &key) && lane.one_epoch)
          return std::nullopt;
        std::optional<Lane> fresh =
            PLANTED(retry_with_old_plan) ? lane : planner_->again(lane, instances);
        if (!fresh) return std::nullopt;
        lane.sources = std::move(fresh->sources);
      }
      attempt(lane, instances, total, progress);
    } catch (const TooManyRejects& error) {
      failure = LaneFailure{lane.streams, error.code(), true, "", error.what()};
    } catch (const EpochAborted& error) {
      failure = LaneFailure{lane.streams, error.code(), false, error.node(), error.what()};
      // Another lane or process may have brought a row of the same key; then it is refused by row.
      again = error.code() == Code::kUnavailable ||
              (error.code() == Code::kData && !std::exchange(refused_once, true));
    } catch (const NodeError& error) {
      failure = LaneFailure{lane.streams, error.code(), false, error.node(), error.what()};
      again = error.code() == Code::kUnavailable && !error.exhausted();
    } catch (const Error& error) {
      failure = LaneFailure{lane.streams, error.code(), false, "", error.what()};
      again = error.code() == Code::kUnavailable;
    } catch (const std::exception& exception) {
      const Error error = error_of(exception);
      failure = LaneFailure{lane.streams, error.code(), false, "", error.what()};
      again = error.code() == Code::kUnavailable;
    }
    if (failure && progress && lane.one_epoch) {
      // All of it is committed: what failed came after, and must not have it read again.
      runtime_.logger().log(BAY_LOG_WARN, failure->node, failure->message);
      failure.reset();
    }
    const std::chrono::duration<double> took = sync::now() - start;
    for (const auto& stream : lane.streams) run_.count_attempt(stream, total, took.count());
    if (!failure || !again || run_.cancel.cancelled()) return failure;
    if (progress) failures = 1;
    const auto wait = backoff.after(failures, sync::now(), sync::uniform_random());
    if (!wait) return failure;
    runtime_.logger().log(BAY_LOG_WARN, failure->node, failure->message + "; trying again");
    if (!run_.cancel.wait_for(*wait)) return failure;
  }
}

// What no reader could go on from would pass for a start from the beginning.
void Engine::require_state_of(const Node& node, const LaneSplit& split) {
  const Json::Value& schema = node.component->state;
  if (split.state_json.empty() || schema.isNull()) return;
  const std::string why = validate_json_schema(schema, parse_json_text(split.state_json));
  if (why.empty()) return;
  throw NodeError(node.id, Code::kConfig,
                  "stream " + split.plan.stream + ": its state is none of " + node.use + ": " +
                      why + "; `patchbay state set` gives it another, `patchbay state reset` none",
                  "", false);
}

void Engine::load_states(Lane& lane) const {
  for (auto& source : lane.sources) {
    const std::string& node = run_.pipeline.nodes[source.node].id;
    for (auto& split : source.splits) {
      split.state_json.clear();
      if (lane.replaced) continue;
      if (lane.from_start && PLANTED(refresh_starts_over)) continue;
      // A full refresh that is tried again goes on after what it has committed itself.
      split.state_json = run_.state.state({node, split.plan.stream}, split.plan.id,
                                          lane.from_start ? run_.run_id : "");
      // What `state set` says of a stream that was never read.
      if (split.state_json.empty() && !lane.from_start && !run_.options.replay)
        split.state_json = run_.state.given_state(split.plan.stream).value_or("");
      require_state_of(run_.pipeline.nodes[source.node], split);
    }
  }
}

void Engine::attempt(Lane& lane, InstanceSet& instances, uint32_t attempt, bool& progress) {
  load_states(lane);
  const std::string prefix = plain_name(run_.pipeline.name, 60) + "-" + run_.run_id + "-l" +
                             std::to_string(lane.number) + "a" +
                             std::to_string(PLANTED(name_is_reused) ? 1 : attempt);
  LaneAttempt one(run_, steps_, turns_, instances, lane, prefix);
  {
    const Guard lock(mutex_);
    if (cancelled_) throw Error(Code::kCancelled, "cancelled");
    active_.push_back(&one);
  }
  struct Leave {
    Engine& engine;
    LaneAttempt* one;
    const Lane& lane;
    bool& progress;
    ~Leave() {
      engine.steps_.leave(lane.key);
      engine.turns_.leave(lane, one->is_on_record());
      progress = one->committed_epochs() > 0;
      const Guard lock(engine.mutex_);
      std::erase(engine.active_, one);
    }
  } leave{*this, &one, lane, progress};
  one.execute();
}

void Engine::cancel() {
  const Guard lock(mutex_);
  cancelled_ = true;
  run_.cancel.cancel();
  for (LaneAttempt* lane : active_) lane->cancel_calls();
  for (LaneAttempt* lane : active_) lane->cancel();
}

}  // namespace patchbay::host
