#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "engine/services.h"
#include "pipeline/guarantee.h"

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

RunResult Engine::execute() {
  InstanceSet instances = runtime_.make_instances(all_nodes());
  if (!run_.options.splits) recover(instances, nullptr);
  if (run_.options.full_refresh) run_.state.forget(run_.pipeline.name, run_.options.only);
  std::vector<PlannedLane> lanes = plan_lanes(runtime_, instances);
  RunResult result;
  result.lanes = lanes.size();
  for (const auto& planned : lanes) {
    // Other lanes may be at work in other processes.
    if (run_.options.splits) recover(instances, &planned.lane.key);
    steps_.expect(planned.lane.key, planned.streams);
  }
  first_ = std::move(instances);
  run_lanes(lanes, result);
  return result;
}

size_t Engine::sink_index(const std::string& node) const {
  const auto& nodes = run_.pipeline.nodes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].id == node && nodes[i].kind == Kind::kSink) return i;
  }
  throw Error(
      Code::kConfig,
      "an earlier run left a transaction of the sink " + node +
          ", which the pipeline no longer has; bring the node back for one run, then take it out");
}

// Recorded epochs are committed (again), the others never happened.
void Engine::finish(InstanceSet& instances, const UnfinishedEpoch& epoch) {
  const std::string& pipeline = run_.pipeline.name;
  std::string gone, kept;  // sinks that lost what they prepared; that have it, and would twice
  for (const auto& sink : epoch.sinks) {
    const size_t i = sink_index(sink.node);
    BasicServices services(run_, i, run_.cancel);
    Instance& instance = *instances.instances[i];
    const std::vector<std::string> txns{sink.txn};
    if (!epoch.recorded) {
      instance.abort(services, txns);
      continue;
    }
    try {
      instance.commit(services, sink.txn, epoch.epoch, sink.tokens);
      if (would_double(run_.pipeline.nodes[i])) kept = sink.node;
    } catch (const NodeError& error) {
      if (error.code() != Code::kNotFound) {
        if (error.code() != Code::kUnavailable && error.code() != Code::kCancelled) {
          runtime_.logger().log(
              BAY_LOG_WARN, sink.node,
              "rows that an earlier run prepared can't be committed; mend what stands in the way, "
              "or give them up: `patchbay state discard " +
                  pipeline + "`");
        }
        throw;
      }
      runtime_.logger().log(
          BAY_LOG_WARN, sink.node,
          std::string("an earlier run's prepared rows are gone and are read again: ") +
              error.what());
      gone = sink.node;
    }
  }
  if (!gone.empty() && !kept.empty()) {
    throw NodeError(
        gone, Code::kRemote,
        "what an earlier run prepared is gone, but " + kept +
            " has the same rows and would append them again; take what that run appended out "
            "of it, then `patchbay state discard " +
            pipeline + "` has the next run read them for both",
        "", false);
  }
  if (epoch.recorded && gone.empty()) {
    run_.state.committed(pipeline, epoch.lane, epoch.epoch);
  } else {
    run_.state.aborted(pipeline, epoch.lane, epoch.epoch, false);
  }
}

void Engine::recover(InstanceSet& instances, const std::string* lane) {
  for (const auto& epoch : run_.state.unfinished(run_.pipeline.name)) {
    if (!lane || epoch.lane == *lane) finish(instances, epoch);
  }
}

void Engine::run_lanes(std::vector<PlannedLane>& lanes, RunResult& result) {
  std::atomic<size_t> next{0};
  sync::Mutex mutex;
  const auto work = [&](InstanceSet& instances) {
    const CrashStack stack;
    for (size_t i = next++; i < lanes.size(); i = next++) {
      if (run_.cancel.cancelled()) return;
      std::optional<LaneFailure> failure;
      try {
        if (instances.instances.empty()) instances = runtime_.make_instances(all_nodes());
        failure = run_lane(lanes[i], instances, i);
      } catch (const std::exception& error) {
        failure = LaneFailure{lanes[i].streams, Code::kInternal, false, "", error.what()};
      }
      steps_.leave(lanes[i].lane.key);
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
    workers.emplace_back([&] {
      InstanceSet own;
      work(own);
    });
  }
  work(first);
}

std::optional<LaneFailure> Engine::run_lane(PlannedLane& planned, InstanceSet& instances,
                                            size_t number) {
  Backoff backoff(run_.retry());
  const auto start = sync::now();
  uint32_t total = 0;
  for (uint32_t failures = 1;; ++failures) {
    std::optional<LaneFailure> failure;
    bool again = false, progress = false;
    try {
      ++total;
      if (total > 1) recover(instances, &planned.lane.key);
      attempt(planned, instances, number, total, progress);
    } catch (const TooManyRejects& error) {
      failure = LaneFailure{planned.streams, error.code(), true, "", error.what()};
    } catch (const NodeError& error) {
      failure = LaneFailure{planned.streams, error.code(), false, error.node(), error.what()};
      again = error.code() == Code::kUnavailable && !error.exhausted();
    } catch (const Error& error) {
      failure = LaneFailure{planned.streams, error.code(), false, "", error.what()};
      again = error.code() == Code::kUnavailable;
    } catch (const std::exception& error) {
      failure = LaneFailure{planned.streams, Code::kInternal, false, "", error.what()};
    }
    const std::chrono::duration<double> took = sync::now() - start;
    for (const auto& stream : planned.streams) run_.count_attempt(stream, total, took.count());
    if (!failure || !again || run_.cancel.cancelled()) return failure;
    if (progress) failures = 1;
    const auto wait = backoff.after(failures, sync::now(), sync::uniform_random());
    if (!wait) return failure;
    runtime_.logger().log(BAY_LOG_WARN, failure->node, failure->message + "; trying again");
    if (!run_.cancel.wait_for(*wait)) return failure;
  }
}

void Engine::attempt(PlannedLane& planned, InstanceSet& instances, size_t number, uint32_t attempt,
                     bool& progress) {
  load_states(run_, planned.lane);
  const std::string prefix = plain_name(run_.pipeline.name, 60) + "-" + run_.run_id + "-l" +
                             std::to_string(number) + "a" + std::to_string(attempt);
  LaneAttempt lane(run_, steps_, instances, planned.lane, prefix);
  {
    const Guard lock(mutex_);
    if (cancelled_) throw Error(Code::kCancelled, "cancelled");
    active_.push_back(&lane);
  }
  struct Leave {
    Engine& engine;
    LaneAttempt* lane;
    const std::string& key;
    bool& progress;
    ~Leave() {
      engine.steps_.leave(key);
      progress = lane->committed_epochs() > 0;
      const Guard lock(engine.mutex_);
      std::erase(engine.active_, lane);
    }
  } leave{*this, &lane, planned.lane.key, progress};
  lane.execute();
}

void Engine::cancel() {
  const Guard lock(mutex_);
  cancelled_ = true;
  run_.cancel.cancel();
  for (LaneAttempt* lane : active_) lane->cancel_calls();
  for (LaneAttempt* lane : active_) lane->cancel();
}

}  // namespace patchbay::host
