#include "engine/lane_attempt.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <system_error>

#include "engine/services.h"
#include "engine/stages.h"
#include "patchbay/posix_error.h"

namespace patchbay::host {
namespace {

constexpr size_t kCollector = std::numeric_limits<size_t>::max();

StreamFilter output_filter(const Node& node) {
  if (node.kind == Kind::kSink) return {};
  return {node.streams.selected, node.streams.renamed};
}

StreamFilter input_filter(const Node& node) {
  if (node.kind != Kind::kSink) return {};
  return {node.streams.selected, node.streams.renamed};
}

bool is_cancelled(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return e.code() == Code::kCancelled;
  } catch (const std::exception&) {
    return false;
  }
}

// The class of a failure that the data is to blame for: no later attempt would end otherwise.
std::optional<Code> refusal(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    const Code code = e.code();
    const bool blames = code == Code::kData || code == Code::kRemote || code == Code::kSchema;
    return blames ? std::optional(code) : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

bool is_rejects(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const TooManyRejects&) {
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

LaneAttempt::LaneAttempt(RunContext& run, SchemaSteps& steps, CommitTurns& turns,
                         const InstanceSet& instances, const Lane& lane,
                         const std::string& txn_prefix, const Collector* collector)
    : run_(run),
      steps_(steps),
      instances_(instances),
      lane_(lane),
      collector_(collector),
      resumes_(goes_on()),
      complete_(is_complete()),
      ledger_(run, turns, lane, txn_prefix, find_sinks()) {
  for (const size_t node : lane_.nodes) connect(node);
  if (collector_) inboxes_[kCollector] = std::make_unique<Inbox>(1, run_.options.edge_bytes);
}

std::vector<SettledSink> LaneAttempt::find_sinks() const {
  std::vector<SettledSink> sinks;
  for (const size_t i : lane_.nodes) {
    if (run_.pipeline.nodes[i].kind == Kind::kSink)
      sinks.push_back({i, instances_.instances[i].get()});
  }
  return sinks;
}

bool LaneAttempt::is_complete() const {
  if (lane_.kind == LaneKind::kSplit || !lane_.one_epoch || run_.options.limit) return false;
  return std::all_of(lane_.sources.begin(), lane_.sources.end(), [](const LaneSource& source) {
    return std::all_of(source.splits.begin(), source.splits.end(), [](const LaneSplit& split) {
      return split.plan.complete && split.state_json.empty();
    });
  });
}

bool LaneAttempt::goes_on() const {
  return std::all_of(lane_.sources.begin(), lane_.sources.end(), [](const LaneSource& source) {
    return std::all_of(source.splits.begin(), source.splits.end(),
                       [](const LaneSplit& split) { return !split.state_json.empty(); });
  });
}

// The nodes that `node` reads in this lane: a sink of several sources has lanes of each.
std::vector<size_t> LaneAttempt::inputs_of(size_t node) const {
  std::vector<size_t> inputs = run_.pipeline.nodes[node].from_index;
  std::erase_if(inputs, [this](size_t from) {
    return std::find(lane_.nodes.begin(), lane_.nodes.end(), from) == lane_.nodes.end();
  });
  return inputs;
}

void LaneAttempt::connect(size_t node) {
  const size_t inputs = inputs_of(node).size();
  if (inputs > 0) inboxes_[node] = std::make_unique<Inbox>(inputs, run_.options.edge_bytes);
}

Outlet LaneAttempt::make_outlet(size_t node) {
  Outlet outlet(output_filter(run_.pipeline.nodes[node]));
  if (collector_ && collector_->node == node) outlet.add(*inboxes_.at(kCollector), 0, {});
  for (const size_t reader : lane_.nodes) {
    const std::vector<size_t> inputs = inputs_of(reader);
    for (size_t input = 0; input < inputs.size(); ++input) {
      if (inputs[input] == node)
        outlet.add(*inboxes_.at(reader), input, input_filter(run_.pipeline.nodes[reader]));
    }
  }
  return outlet;
}

template <class Stage, class... Args>
std::function<void()> LaneAttempt::stage(Args&&... args) {
  return guarded(std::make_shared<Stage>(*this, std::forward<Args>(args)...));
}

template <class Stage>
std::function<void()> LaneAttempt::guarded(std::shared_ptr<Stage> made) {
  return [this, made] {
    const CrashStack stack;
    try {
      made->run();
    } catch (const std::exception&) {
      fail(std::current_exception());
    }
  };
}

void LaneAttempt::execute() {
  std::vector<std::function<void()>> work;
  std::vector<std::shared_ptr<SourceStage>> sources;
  for (const auto& source : lane_.sources) {
    sources.push_back(std::make_shared<SourceStage>(*this, source));
    work.push_back(guarded(sources.back()));
  }
  for (const size_t node : lane_.nodes) {
    const Kind kind = run_.pipeline.nodes[node].kind;
    if (kind == Kind::kTransform) work.push_back(stage<TransformStage>(node));
    if (kind == Kind::kSink) work.push_back(stage<SinkStage>(node));
  }
  if (collector_) work.push_back(stage<CollectorStage>(*collector_, *inboxes_.at(kCollector)));
  {
    std::vector<sync::Thread> threads;
    for (auto& run : work) {
      try {
        threads.emplace_back(run);
      } catch (const std::system_error& error) {
        fail(std::make_exception_ptr(error_of(error)));  // those that run wait for this one
        break;
      }
    }
  }
  const std::exception_ptr failure = first_failure();
  if (!failure) return;
  if (const auto why = refusal(failure)) {
    for (const auto& source : sources) source->tell_refused(*why);
  }
  sources.clear();
  // Stages, with the readers and writers they hold, end before anything is aborted.
  work.clear();
  const bool rejects = is_rejects(failure);
  const CountsByStream aborted = ledger_.abort_open(rejects);
  if (rejects) run_.add_aborted(aborted);
  std::rethrow_exception(failure);
}

// Null where there is none. cancel() may come at any time.
std::exception_ptr LaneAttempt::first_failure() {
  const Guard lock(mutex_);
  if (failure_ && finished_early_ && is_cancelled(failure_)) return nullptr;
  return failure_;
}

void LaneAttempt::fail(std::exception_ptr error) {
  {
    const Guard lock(mutex_);
    if (!failure_) failure_ = error;
  }
  cancel_calls();
  ledger_.fail();
  for (const auto& [node, inbox] : inboxes_) inbox->close();
  for (const size_t node : lane_.nodes) instances_.instances[node]->interrupt();
  steps_.wake();  // last: it waits for the call that another lane is in
}

void LaneAttempt::satisfy(size_t node) {
  {
    const Guard lock(mutex_);
    satisfied_.insert(node);
  }
  inboxes_.at(node)->discard();
}

bool LaneAttempt::all_satisfied(size_t source) {
  const Guard lock(mutex_);
  return std::all_of(lane_.nodes.begin(), lane_.nodes.end(), [&](size_t node) {
    const std::vector<size_t> inputs = inputs_of(node);
    return std::find(inputs.begin(), inputs.end(), source) == inputs.end() ||
           satisfied_.contains(node);
  });
}

void LaneAttempt::cancel_calls() { token_.cancel(); }

void LaneAttempt::cancel() { fail(std::make_exception_ptr(Error(Code::kCancelled, "cancelled"))); }

void LaneAttempt::finish_early() {
  {
    const Guard lock(mutex_);
    finished_early_ = true;
  }
  cancel();
}

}  // namespace patchbay::host
