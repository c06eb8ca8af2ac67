#include "engine/lane_plan.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/services.h"
#include "pipeline/guarantee.h"

namespace patchbay::host {
namespace {

// Nodes that are connected, in whatever direction, as the smallest index among them.
std::vector<size_t> components_of(const Pipeline& pipeline) {
  std::vector<size_t> root(pipeline.nodes.size());
  std::iota(root.begin(), root.end(), size_t{0});
  const auto find = [&](size_t i) {
    while (root[i] != i) i = root[i];
    return i;
  };
  for (size_t i = 0; i < root.size(); ++i) {
    for (const size_t from : pipeline.nodes[i].from_index) {
      const size_t a = find(i), b = find(from);
      root[std::max(a, b)] = std::min(a, b);
    }
  }
  for (size_t i = 0; i < root.size(); ++i) root[i] = find(i);
  return root;
}

std::vector<size_t> downstream_of(const Pipeline& pipeline, size_t source) {
  std::vector<bool> reached(pipeline.nodes.size(), false);
  reached[source] = true;
  std::vector<size_t> out;
  for (size_t i = 0; i < reached.size(); ++i) {
    for (const size_t from : pipeline.nodes[i].from_index) reached[i] = reached[i] || reached[from];
    if (reached[i]) out.push_back(i);
  }
  return out;
}

struct Grouping {
  bool whole = false;     // one lane for the whole component
  bool replaced = false;  // what is read becomes some table's whole content
};

Grouping grouping_of(const Pipeline& pipeline, const std::vector<size_t>& nodes) {
  Grouping grouping;
  size_t sources = 0;
  for (const size_t i : nodes) {
    const Node& node = pipeline.nodes[i];
    sources += node.kind == Kind::kSource;
    if (node.kind == Kind::kTransform && (node.component->at_end || node.from_index.size() > 1))
      grouping.whole = true;
    if (replaces(node)) grouping.replaced = true;
  }
  if (grouping.replaced && sources > 1) grouping.whole = true;
  return grouping;
}

class Planner {
 public:
  Planner(Runtime& runtime, InstanceSet& instances)
      : run_(runtime.run()),
        pipeline_(run_.pipeline),
        instances_(instances),
        component_(components_of(pipeline_)) {}

  std::vector<PlannedLane> plan() {
    for (const auto& state : run_.state.states(pipeline_.name)) {
      if (state.done && !run_.options.full_refresh) done_.insert(state.split);
    }
    for (size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      if (component_[i] == i) plan_component(i);
    }
    check_only();
    return std::move(lanes_);
  }

 private:
  std::vector<size_t> members(size_t root) const {
    std::vector<size_t> nodes;
    for (size_t i = 0; i < component_.size(); ++i) {
      if (component_[i] == root) nodes.push_back(i);
    }
    return nodes;
  }

  void plan_component(size_t root) {
    const std::vector<size_t> nodes = members(root);
    const Grouping grouping = grouping_of(pipeline_, nodes);
    std::map<size_t, std::vector<SplitPlan>> splits;  // by source
    bool unread = false;
    for (const size_t i : nodes) {
      if (pipeline_.nodes[i].kind != Kind::kSource) continue;
      splits[i] = splits_of(i);
      if (!splits[i].empty()) refuse_part(grouping, i);
      if (run_.options.splits && splits[i].empty())
        splits.erase(i);
      else
        unread = unread || splits[i].empty() || !all_done(i, splits[i]);
    }
    if (grouping.whole) {
      if (unread) add_whole(root, nodes, grouping.replaced, splits);
      return;
    }
    for (const auto& [node, own] : splits) {
      if (grouping.replaced) {
        add_by_stream(node, own);
      } else {
        for (const auto& split : own) add_single(node, split);
      }
    }
  }

  void add_whole(size_t root, const std::vector<size_t>& nodes, bool replaced,
                 const std::map<size_t, std::vector<SplitPlan>>& splits) {
    PlannedLane planned;
    planned.lane.key = "*" + pipeline_.nodes[root].id;
    planned.lane.nodes = nodes;
    planned.lane.one_epoch = true;
    planned.lane.from_start = replaced;
    for (const auto& [node, own] : splits) add_source(planned, node, own);
    if (!planned.lane.sources.empty()) lanes_.push_back(std::move(planned));
  }

  // A part of what becomes visible together would look like the whole.
  void refuse_part(const Grouping& grouping, size_t node) const {
    if (!run_.options.splits || !(grouping.whole || grouping.replaced)) return;
    throw Error(Code::kConfig,
                "--split: the splits of node " + pipeline_.nodes[node].id +
                    " commit together, since something after it replaces, joins or works at the "
                    "end; run the pipeline without --split");
  }

  std::vector<SplitPlan> splits_of(size_t node) {
    std::vector<SplitPlan> splits = all_splits_of(node);
    std::erase_if(splits, [&](const SplitPlan& split) { return !is_wanted(node, split); });
    std::set<std::string> streams;
    for (const auto& split : splits) streams.insert(split.stream);
    for (const auto& stream : streams) announce(stream, node);
    seen_streams_.merge(streams);
    return splits;
  }

  // The report has the streams of which nothing is new, too.
  void announce(const std::string& stream, size_t source) const {
    std::vector<std::string> sinks;
    for (const size_t i : downstream_of(pipeline_, source)) {
      if (pipeline_.nodes[i].kind == Kind::kSink) sinks.push_back(pipeline_.nodes[i].id);
    }
    run_.announce(stream, pipeline_.nodes[source].id, sinks);
  }

  bool is_done(size_t node, const SplitPlan& split) const {
    return split.once && done_.contains(split_key(pipeline_.nodes[node], split));
  }
  bool all_done(size_t node, const std::vector<SplitPlan>& splits) const {
    return std::all_of(splits.begin(), splits.end(),
                       [&](const SplitPlan& split) { return is_done(node, split); });
  }

  std::vector<SplitPlan> all_splits_of(size_t node) {
    if (run_.options.splits) {
      std::vector<SplitPlan> given;
      for (const auto& split : *run_.options.splits) {
        if (split.node == node) given.push_back(split.plan);
      }
      return given;
    }
    return ask(node, wanted_streams(node));
  }

  std::vector<SplitPlan> ask(size_t node, const std::vector<std::string>& streams) {
    BasicServices services(run_, node, run_.cancel);
    return instances_.instances[node]->plan(services, streams, pipeline_.concurrency);
  }

  std::vector<std::string> wanted_streams(size_t node) const {
    const auto& own = pipeline_.nodes[node].streams.selected;
    if (run_.options.only.empty()) return own;
    std::vector<std::string> both;
    for (const auto& stream : run_.options.only) {
      if (own.empty() || std::find(own.begin(), own.end(), stream) != own.end())
        both.push_back(stream);
    }
    return both;
  }

  bool is_wanted(size_t node, const SplitPlan& split) const {
    const StreamFilter own{pipeline_.nodes[node].streams.selected, {}};
    const StreamFilter only{run_.options.only, {}};
    return own.passes(split.stream) && only.passes(split.stream);
  }

  void add_source(PlannedLane& planned, size_t node, const std::vector<SplitPlan>& splits) const {
    LaneSource source{node, {}};
    for (const auto& split : splits) {
      if (!planned.lane.from_start && is_done(node, split)) continue;
      source.splits.push_back({split, split_key(pipeline_.nodes[node], split), ""});
      if (std::find(planned.streams.begin(), planned.streams.end(), split.stream) ==
          planned.streams.end()) {
        planned.streams.push_back(split.stream);
      }
    }
    planned.lane.sources.push_back(std::move(source));
  }

  void add_single(size_t node, const SplitPlan& split) {
    if (is_done(node, split)) return;
    PlannedLane planned;
    planned.lane.key = split_key(pipeline_.nodes[node], split);
    planned.lane.nodes = downstream_of(pipeline_, node);
    add_source(planned, node, {split});
    lanes_.push_back(std::move(planned));
  }

  void add_by_stream(size_t node, const std::vector<SplitPlan>& splits) {
    std::map<std::string, std::vector<SplitPlan>> by_stream;
    for (const auto& split : splits) by_stream[split.stream].push_back(split);
    for (const auto& [stream, group] : by_stream) {
      if (all_done(node, group)) continue;
      PlannedLane planned;
      planned.lane.key = pipeline_.nodes[node].id + "/*" + stream;
      planned.lane.nodes = downstream_of(pipeline_, node);
      planned.lane.one_epoch = planned.lane.from_start = true;
      add_source(planned, node, group);
      lanes_.push_back(std::move(planned));
    }
  }

  void check_only() {
    for (const auto& stream : run_.options.only) {
      if (seen_streams_.contains(stream)) continue;
      std::string known;
      for (const auto& name : streams_there_are())
        known += (known.empty() ? "; there is " : ", ") + name;
      throw UsageError("--only " + stream + ": no source has such a stream" + known);
    }
  }

  // Sources were asked for what --only names; this is what they would have given else.
  std::set<std::string> streams_there_are() {
    std::set<std::string> names;
    for (size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      if (pipeline_.nodes[i].kind != Kind::kSource) continue;
      for (const auto& split : ask(i, pipeline_.nodes[i].streams.selected))
        names.insert(split.stream);
    }
    return names;
  }

  RunContext& run_;
  const Pipeline& pipeline_;
  InstanceSet& instances_;
  std::vector<size_t> component_;
  std::set<std::string> done_;  // splits
  std::set<std::string> seen_streams_;
  std::vector<PlannedLane> lanes_;
};

}  // namespace

std::vector<PlannedLane> plan_lanes(Runtime& runtime, InstanceSet& instances) {
  return Planner(runtime, instances).plan();
}

void load_states(RunContext& run, Lane& lane) {
  if (lane.from_start) return;
  const auto states = run.state.states(run.pipeline.name);
  const auto find = [&](const std::string& key) -> std::string {
    for (const auto& state : states) {
      if (state.split == key) return state.state_json;
    }
    return "";
  };
  for (auto& source : lane.sources) {
    for (auto& split : source.splits) {
      split.state_json = find(split.key);
      // What `state set` says about a stream that was never read.
      if (split.state_json.empty()) split.state_json = find("set/" + split.plan.stream);
    }
  }
}

std::vector<size_t> upstream_of(const Pipeline& pipeline, size_t node) {
  std::vector<bool> wanted(pipeline.nodes.size(), false);
  wanted[node] = true;
  std::vector<size_t> out;
  for (size_t i = node + 1; i-- > 0;) {
    if (!wanted[i]) continue;
    out.insert(out.begin(), i);
    for (const size_t from : pipeline.nodes[i].from_index) wanted[from] = true;
  }
  return out;
}

}  // namespace patchbay::host
