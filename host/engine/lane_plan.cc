#include "engine/lane_plan.h"

#include <algorithm>
#include <numeric>

#include "engine/services.h"
#include "patchbay/suggest.h"
#include "pipeline/guarantee.h"
#include "pipeline/identity.h"
#include "sync/planted.h"

namespace patchbay::host {
namespace {

// Does what comes to the node from several sources become visible together?
bool binds(const Node& node) {
  if (PLANTED(sources_read_together)) return true;
  if (node.kind == Kind::kTransform) return node.component->at_end || node.from_index.size() > 1;
  return node.kind == Kind::kSink && (replaces(node) || mirrors(node));
}

// Sources that are read together, by node: the smallest index among those that meet where nodes
// bind them. Others meet in sinks that take each by itself.
std::vector<size_t> groups_of(const Pipeline& pipeline) {
  std::vector<size_t> root(pipeline.nodes.size());
  std::iota(root.begin(), root.end(), size_t{0});
  const auto find = [&](size_t i) {
    while (root[i] != i) i = root[i];
    return i;
  };
  for (size_t node = 0; node < root.size(); ++node) {
    if (!binds(pipeline.nodes[node])) continue;
    std::optional<size_t> first;
    for (const size_t i : upstream_of(pipeline, node)) {
      if (pipeline.nodes[i].kind != Kind::kSource) continue;
      const size_t a = find(first.value_or(i)), b = find(i);
      root[std::max(a, b)] = std::min(a, b);
      first = i;
    }
  }
  for (size_t i = 0; i < root.size(); ++i) root[i] = find(i);
  return root;
}

// For calls of `plan`: knows what was read for good. A few questions go to the file; for many, all
// of it is read at once.
class PlanServices : public BasicServices {
 public:
  PlanServices(RunContext& run, size_t node, bool all)
      : BasicServices(run, node, run.cancel), state_(run.state), all_(all) {}

  bool is_done(std::string_view split_id) override {
    if (all_) return false;
    const std::string split(split_id);
    if (asked_ < kFew) {
      ++asked_;
      return state_.is_done_at(id(), split);
    }
    if (!done_) done_ = state_.done_splits(id());
    return done_->contains(split);
  }

 private:
  static constexpr int kFew = 500;

  StateStore& state_;
  const bool all_;
  int asked_ = 0;
  std::optional<DoneSplits> done_;
};

// Tables that differ by case may be one.
std::string folded(std::string name) {
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

// Streams of different names become one table's whole content only where both are named for it.
void require_meant(const Node& sink, const std::string& a, const std::string& b) {
  if (a == b) return;
  const Json::Value& tables = sink.config[sink.component->tables_option];
  if (tables.isObject() && tables.isMember(a) && tables.isMember(b)) return;
  throw Error(Code::kConfig, "node " + sink.id + ": the streams " + a + " and " + b +
                                 " would both become the whole content of one table; give one of "
                                 "them another with tables:, or name both for it if that is meant");
}

// "tables" of the sink's options, or the stream's own name.
std::string table_at(const Node& sink, const std::string& stream) {
  const Json::Value table = node_identity(sink, stream)["table"];
  return folded(table.isString() ? table.asString() : stream);
}

}  // namespace

void RecoveredSplits::add(const SplitState& state, bool of_this_run) {
  const Guard lock(mutex_);
  if (state.ended) splits_[{state.of, state.split}] = {of_this_run, !state.state_json.empty()};
}

bool RecoveredSplits::covers(const std::string& node, const SplitPlan& split, bool doubles) const {
  const Guard lock(mutex_);
  const auto found = splits_.find({{node, split.stream}, split.id});
  if (found == splits_.end() || PLANTED(recovered_is_read_again)) return false;
  return found->second.of_this_run || (!found->second.has_state && doubles);
}

LanePlanner::LanePlanner(RunContext& run, const RecoveredSplits& recovered)
    : run_(run), pipeline_(run.pipeline), recovered_(recovered), group_(groups_of(pipeline_)) {}

std::vector<Lane> LanePlanner::plan(InstanceSet& instances) {
  for (size_t i = 0; i < pipeline_.nodes.size(); ++i) {
    if (pipeline_.nodes[i].kind == Kind::kSource && group_[i] == i) plan_group(i, instances);
  }
  check_only(instances);
  refuse_shared_tables();
  return std::move(lanes_);
}

// What one node replaces or mirrors is its own: rows of another node would go with each run.
void LanePlanner::refuse_shared_tables() const {
  std::map<std::pair<std::string, std::string>, std::set<size_t>> writers;
  for (size_t i = 0; i < pipeline_.nodes.size(); ++i) {
    for (const auto& [of, split] : streams_) {
      if (pipeline_.nodes[i].id != of.node) continue;
      for (const auto& [sink, names] : names_at_sinks(pipeline_, i, of.stream)) {
        const Node& node = pipeline_.nodes[sink];
        if (node.component->tables_option.empty()) continue;
        for (const auto& name : names)
          writers[{place_identity(node), table_at(node, name)}].insert(sink);
      }
    }
  }
  for (const auto& [where, sinks] : writers) {
    const auto owner = std::find_if(sinks.begin(), sinks.end(), [&](size_t sink) {
      return replaces(pipeline_.nodes[sink]) || mirrors(pipeline_.nodes[sink]);
    });
    if (sinks.size() < 2 || owner == sinks.end()) continue;
    const size_t other = *owner == *sinks.begin() ? *std::next(sinks.begin()) : *sinks.begin();
    const Node& node = pipeline_.nodes[*owner];
    throw NodeError(node.id, Code::kConfig,
                    node.id + " has " + way_of_writing(node) + " for the table " + where.second +
                        ", which " + pipeline_.nodes[other].id +
                        " writes as well: each run would take out the rows of the other; let one "
                        "node write it, or set write: append or upsert for both",
                    "", false);
  }
}

std::vector<size_t> LanePlanner::members(size_t root) const {
  std::set<size_t> nodes;
  for (size_t i = 0; i < group_.size(); ++i) {
    if (pipeline_.nodes[i].kind != Kind::kSource || group_[i] != root) continue;
    for (const size_t node : downstream_of(pipeline_, i)) nodes.insert(node);
  }
  return {nodes.begin(), nodes.end()};
}

// Do two streams become one table of a sink that replaces or mirrors? Then they are one content.
bool LanePlanner::shares_table(const std::vector<size_t>& nodes, const Splits& splits) const {
  // By sink and table: whose rows they are, and under which name they come.
  std::map<std::pair<size_t, std::string>, std::pair<std::string, std::string>> streams;
  bool shared = false;
  for (const auto& [source, own] : splits) {
    for (const auto& split : own) {
      const std::string origin = pipeline_.nodes[source].id + "/" + split.stream;
      for (const auto& [sink, names] : names_at_sinks(pipeline_, source, split.stream)) {
        if (std::find(nodes.begin(), nodes.end(), sink) == nodes.end()) continue;
        if (!replaces(pipeline_.nodes[sink]) && !mirrors(pipeline_.nodes[sink])) continue;
        for (const auto& name : names) {
          const Node& node = pipeline_.nodes[sink];
          const auto [found, is_new] =
              streams.emplace(std::pair(sink, table_at(node, name)), std::pair(origin, name));
          if (is_new || found->second.first == origin) continue;
          require_meant(node, found->second.second, name);
          shared = true;
        }
      }
    }
  }
  return shared;
}

LanePlanner::Grouping LanePlanner::grouping_of(const std::vector<size_t>& nodes,
                                               const Splits& splits) const {
  Grouping grouping;
  size_t sources = 0;
  for (const size_t i : nodes) {
    const Node& node = pipeline_.nodes[i];
    sources += node.kind == Kind::kSource;
    if (node.kind == Kind::kTransform && (node.component->at_end || node.from_index.size() > 1))
      grouping.whole = true;
    grouping.replaced = grouping.replaced || replaces(node);
    grouping.mirrored = grouping.mirrored || mirrors(node);
  }
  if ((grouping.replaced || grouping.mirrored) && (sources > 1 || shares_table(nodes, splits)))
    grouping.whole = !PLANTED(streams_replace_apart);
  return grouping;
}

// A part of what becomes visible together would look like the whole.
void LanePlanner::refuse_part(const Grouping& grouping, size_t node) const {
  if (!run_.options.splits || !(grouping.whole || grouping.replaced || grouping.mirrored)) return;
  throw Error(Code::kConfig,
              "--split: the splits of node " + pipeline_.nodes[node].id +
                  " commit together, since something after it replaces, joins or works at the "
                  "end; run the pipeline without --split");
}

// Of streams that are one table's content, some would be taken for all of it.
void LanePlanner::refuse_only(const std::vector<size_t>& nodes, size_t source) const {
  if (run_.options.only.empty()) return;
  for (const size_t sink : nodes) {
    const Node& node = pipeline_.nodes[sink];
    if (node.kind != Kind::kSink || (!replaces(node) && !mirrors(node))) continue;
    const Json::Value& tables = node.config[node.component->tables_option];
    if (!tables.isObject()) continue;
    std::set<std::string> wanted, filled;
    for (const auto& stream : run_.options.only) {
      const NamesBySink names = names_at_sinks(pipeline_, source, stream);
      const auto found = names.find(sink);
      if (found == names.end()) continue;
      for (const auto& name : found->second) {
        wanted.insert(name);
        if (tables.isMember(name)) filled.insert(table_at(node, name));
      }
    }
    for (const auto& name : tables.getMemberNames()) {
      if (wanted.contains(name) || !filled.contains(table_at(node, name))) continue;
      throw UsageError("--only: node " + node.id + " makes " + name +
                       " and others the whole content of one table, and would be left with a "
                       "part; name all of its streams, or leave --only out");
    }
  }
}

// An object that is read once is read whole, or it would never be read to its end.
void LanePlanner::refuse_limit(size_t node, const std::vector<SplitPlan>& splits) const {
  const Node& source = pipeline_.nodes[node];
  if (!run_.options.limit || gives_of(*source.component, source.config) != Flow::kObjects) return;
  if (std::none_of(splits.begin(), splits.end(), [](const auto& split) { return split.once; }))
    return;
  throw UsageError("--limit: " + source.id +
                   " reads each object once and whole; leave --limit out, or set select: all");
}

void LanePlanner::plan_group(size_t root, InstanceSet& instances) {
  const std::vector<size_t> nodes = members(root);
  Splits splits;
  for (const size_t i : nodes) {
    if (pipeline_.nodes[i].kind != Kind::kSource) continue;
    refuse_only(nodes, i);
    splits[i] = splits_of(i, instances);
    refuse_limit(i, splits[i]);
    if (run_.options.splits && splits[i].empty()) splits.erase(i);
  }
  const Grouping grouping = grouping_of(nodes, splits);
  for (const auto& [node, own] : splits) {
    if (!own.empty()) refuse_part(grouping, node);
  }
  if (grouping.whole) return add_whole(root, nodes, grouping, splits);
  for (const auto& [node, own] : splits) {
    if ((grouping.replaced || grouping.mirrored) && !PLANTED(parts_commit_apart)) {
      add_by_stream(node, grouping, own);
    } else {
      for (const auto& split : own) add_single(node, split);
    }
  }
}

// A full refresh reads what earlier runs have read, however late it was committed; and where the
// later row of a key counts, what recovery brought must not come before what is read again.
bool LanePlanner::is_recovered(const Lane& lane, size_t node, const SplitPlan& split) const {
  const auto any_sink = [&](bool (*is)(const Node&)) {
    return std::any_of(lane.nodes.begin(), lane.nodes.end(), [&](size_t i) {
      return pipeline_.nodes[i].kind == Kind::kSink && is(pipeline_.nodes[i]);
    });
  };
  const bool doubles =
      !run_.options.full_refresh && any_sink(would_double) && !any_sink(goes_by_keys);
  return recovered_.covers(pipeline_.nodes[node].id, split, doubles);
}

// Is the split still to be read by this lane?
bool LanePlanner::is_left(const Lane& lane, size_t node, const SplitPlan& split) const {
  if (is_recovered(lane, node, split)) return false;
  if (lane.replaced || !split.once) return true;
  return !run_.state.is_done({pipeline_.nodes[node].id, split.stream}, split.id,
                             lane.from_start ? run_.run_id : "");
}

void LanePlanner::fill(Lane& lane, size_t node, const std::vector<SplitPlan>& splits) const {
  LaneSource source{node, {}};
  for (const auto& split : splits) {
    if (std::find(lane.streams.begin(), lane.streams.end(), split.stream) == lane.streams.end())
      lane.streams.push_back(split.stream);
    if (is_left(lane, node, split)) {
      if (!split.of.empty()) run_.reads(split.of);
      source.splits.push_back({split, ""});
    } else {
      lane.settled = lane.settled || (lane.one_epoch && is_recovered(lane, node, split) &&
                                      !PLANTED(recovered_part_is_left_out));
    }
  }
  lane.sources.push_back(std::move(source));
}

// Where rows go by keys, the last one counts: lanes of one table commit in the order of the plan.
void LanePlanner::set_order(Lane& lane) const {
  for (const auto& source : lane.sources) {
    for (const auto& stream : lane.streams) {
      for (const auto& [sink, names] : names_at_sinks(pipeline_, source.node, stream)) {
        const Node& node = pipeline_.nodes[sink];
        if (!goes_by_keys(node)) continue;
        for (const auto& name : names) lane.ordered.push_back(node.id + "/" + table_at(node, name));
        if (names.empty()) lane.ordered.push_back(node.id + "/");
      }
    }
  }
  std::sort(lane.ordered.begin(), lane.ordered.end());
  lane.ordered.erase(std::unique(lane.ordered.begin(), lane.ordered.end()), lane.ordered.end());
}

void LanePlanner::add(Lane lane) {
  const bool empty = std::all_of(lane.sources.begin(), lane.sources.end(),
                                 [](const auto& source) { return source.splits.empty(); });
  if (empty || lane.settled) return;
  set_order(lane);
  lane.number = lanes_.size();
  if (lane.kind == LaneKind::kSplit && !lane.ordered.empty()) {
    const LaneSource& source = lane.sources[0];
    for (const auto& split : source.splits)
      planned_.push_back({lane.number, source.node, split.plan});
  }
  lanes_.push_back(std::move(lane));
}

void LanePlanner::add_whole(size_t root, const std::vector<size_t>& nodes, const Grouping& grouping,
                            const Splits& splits) {
  Lane lane;
  lane.kind = LaneKind::kWhole;
  lane.key = "*" + pipeline_.nodes[root].id;
  lane.nodes = nodes;
  lane.one_epoch = true;
  lane.from_start = grouping.replaced || run_.options.full_refresh;
  lane.replaced = grouping.replaced;
  for (const auto& [node, own] : splits) fill(lane, node, own);
  add(std::move(lane));
}

void LanePlanner::add_by_stream(size_t node, const Grouping& grouping,
                                const std::vector<SplitPlan>& splits) {
  std::map<std::string, std::vector<SplitPlan>> by_stream;
  for (const auto& split : splits) by_stream[split.stream].push_back(split);
  for (const auto& [stream, group] : by_stream) {
    Lane lane;
    lane.kind = LaneKind::kStream;
    lane.key = pipeline_.nodes[node].id + "/*" + stream;
    lane.nodes = downstream_of(pipeline_, node);
    lane.one_epoch = true;
    lane.from_start = grouping.replaced || run_.options.full_refresh;
    lane.replaced = grouping.replaced;
    fill(lane, node, group);
    add(std::move(lane));
  }
}

void LanePlanner::add_single(size_t node, const SplitPlan& split) {
  Lane lane;
  lane.key = split_key(pipeline_.nodes[node], split);
  lane.nodes = downstream_of(pipeline_, node);
  lane.from_start = run_.options.full_refresh;
  fill(lane, node, {split});
  add(std::move(lane));
}

// A new version may come later in the plan than what it is a version of: where the later row of a
// key counts, it is read by the next run then, after what is before it. A lane behind it may have
// read an object that has changed since: the plan does not say which of the two is later.
bool LanePlanner::keeps_place(const Lane& lane, size_t node, const SplitPlan& split,
                              const std::vector<SplitPlan>& plan) const {
  if (lane.ordered.empty()) return true;
  const auto leave = [&](const std::string& other) {
    run_.warn(pipeline_.nodes[node].id,
              split.of + ": changed while it was read; the next run reads it, after " + other);
    return false;
  };
  const auto same = [](const SplitPlan& wanted) {
    return [&wanted](const SplitPlan& one) { return one.id == wanted.id; };
  };
  const auto here = std::find_if(plan.begin(), plan.end(), same(split));
  for (auto other = plan.begin(); other != here; ++other)
    if (!other->id.empty() && is_left(lane, node, *other)) return leave(other->id);
  for (const auto& [number, of_node, other] : planned_) {
    const bool behind = number > lane.number && of_node == node && other.stream == split.stream;
    if (!behind || !is_left(lane, node, other)) continue;
    if (std::find_if(here, plan.end(), same(other)) == plan.end()) return leave(other.id);
  }
  return true;
}

std::optional<Lane> LanePlanner::again(const Lane& lane, InstanceSet& instances) const {
  Lane fresh = lane;
  fresh.sources.clear();
  bool anything = false;
  for (const auto& source : lane.sources) {
    std::vector<SplitPlan> splits;
    if (run_.options.splits) {
      for (const auto& split : source.splits) splits.push_back(split.plan);
    } else {
      splits = ask(source.node, lane.streams, instances);
    }
    const auto is_of_lane = [&](const SplitPlan& split) {
      if (split.id.empty() || !is_wanted(source.node, split)) return false;
      if (lane.kind != LaneKind::kSplit) return true;
      return std::any_of(source.splits.begin(), source.splits.end(), [&](const auto& planned) {
        return planned.plan.id == split.id || (!split.of.empty() && planned.plan.of == split.of &&
                                               keeps_place(lane, source.node, split, splits));
      });
    };
    std::vector<SplitPlan> own;
    std::copy_if(splits.begin(), splits.end(), std::back_inserter(own), is_of_lane);
    fill(fresh, source.node, own);
    anything = anything || !fresh.sources.back().splits.empty();
  }
  return anything && !fresh.settled ? std::optional(std::move(fresh)) : std::nullopt;
}

std::vector<SplitPlan> LanePlanner::splits_of(size_t node, InstanceSet& instances) {
  std::vector<SplitPlan> splits;
  if (run_.options.splits) {
    for (const auto& split : *run_.options.splits) {
      if (split.node == node) splits.push_back(split.plan);
    }
  } else {
    splits = ask(node, wanted_streams(node), instances);
  }
  std::erase_if(splits, [&](const SplitPlan& split) { return !is_wanted(node, split); });
  for (const auto& split : splits) {
    const auto [found, is_new] =
        streams_.try_emplace({pipeline_.nodes[node].id, split.stream}, split);
    if (is_new) announce(split.stream, node);
  }
  std::erase_if(splits, [](const SplitPlan& split) { return split.id.empty(); });
  return splits;
}

// The report has the streams of which nothing is new, too.
void LanePlanner::announce(const std::string& stream, size_t source) const {
  std::vector<std::string> sinks;
  for (const size_t i : downstream_of(pipeline_, source)) {
    if (pipeline_.nodes[i].kind == Kind::kSink) sinks.push_back(pipeline_.nodes[i].id);
  }
  run_.announce(stream, pipeline_.nodes[source].id, sinks);
}

// What was read for good is asked for all the same where it may have to be read again.
std::vector<SplitPlan> LanePlanner::ask(size_t node, const std::vector<std::string>& streams,
                                        InstanceSet& instances, bool all) const {
  const std::vector<size_t> readers = downstream_of(pipeline_, node);
  const bool from_start = std::any_of(readers.begin(), readers.end(),
                                      [&](size_t i) { return replaces(pipeline_.nodes[i]); });
  PlanServices services(run_, node, all || from_start || run_.options.full_refresh);
  return instances.instances[node]->plan(services, streams, pipeline_.concurrency);
}

std::vector<std::string> LanePlanner::wanted_streams(size_t node) const {
  const auto& own = pipeline_.nodes[node].streams.selected;
  if (run_.options.only.empty()) return own;
  std::vector<std::string> both;
  for (const auto& stream : run_.options.only) {
    if (own.empty() || std::find(own.begin(), own.end(), stream) != own.end())
      both.push_back(stream);
  }
  return both;
}

bool LanePlanner::is_wanted(size_t node, const SplitPlan& split) const {
  const StreamFilter own{pipeline_.nodes[node].streams.selected, {}};
  const StreamFilter only{run_.options.only, {}};
  return own.passes(split.stream) && only.passes(split.stream);
}

void LanePlanner::check_only(InstanceSet& instances) {
  for (const auto& stream : run_.options.only) {
    const bool seen = std::any_of(streams_.begin(), streams_.end(),
                                  [&](const auto& one) { return one.first.stream == stream; });
    if (seen) continue;
    // Sources were asked for what --only names; this is what they have otherwise.
    std::set<std::string> names;
    for (size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      if (pipeline_.nodes[i].kind != Kind::kSource) continue;
      for (const auto& split : ask(i, pipeline_.nodes[i].streams.selected, instances, true))
        names.insert(split.stream);
    }
    std::string known;
    for (const auto& name : names) known += (known.empty() ? "; there is " : ", ") + name;
    throw UsageError("--only " + stream + ": no source has such a stream" + known);
  }
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
