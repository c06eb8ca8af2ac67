// Which lanes a run has: splits of the sources, grouped where they must become visible together.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "engine/lane.h"
#include "engine/runtime.h"

namespace patchbay::host {

// Splits that recovery found read to their end and committed just now. Thread-safe.
class RecoveredSplits {
 public:
  void add(const SplitState& state, bool of_this_run);
  // Is the split not to be read in this run? One that another run read is, where it resumes from a
  // state, or where reading it again (`doubles`) would not double it.
  bool covers(const std::string& node, const SplitPlan& split, bool doubles) const;

 private:
  struct Found {
    bool of_this_run, has_state;
  };
  mutable sync::Mutex mutex_;
  std::map<std::pair<StreamRef, std::string>, Found> splits_;
};

// Asks the sources for their splits, announces their streams to the report, leaves out what was
// read for good, and groups. `instances` covers the sources. Throws UsageError for an --only stream
// that no source has.
class LanePlanner {
 public:
  LanePlanner(RunContext& run, const RecoveredSplits& recovered);

  std::vector<Lane> plan(InstanceSet& instances);
  // Each stream of the sources with one of its splits, whether or not anything of it is to be read.
  const std::map<StreamRef, SplitPlan>& streams() const { return streams_; }
  // Any thread. The lane as it is now: versions that changed are the present ones, what is read and
  // committed meanwhile is left out. Nothing where nothing is left to read.
  std::optional<Lane> again(const Lane& lane, InstanceSet& instances) const;

 private:
  struct Grouping {
    bool whole = false;     // one lane for all that is read together
    bool replaced = false;  // what is read becomes some table's whole content
    bool mirrored = false;  // what the stream lacks is deleted, if it was read whole
  };
  using Splits = std::map<size_t, std::vector<SplitPlan>>;  // by source

  void plan_group(size_t root, InstanceSet& instances);
  std::vector<size_t> members(size_t root) const;
  Grouping grouping_of(const std::vector<size_t>& nodes, const Splits& splits) const;
  bool shares_table(const std::vector<size_t>& nodes, const Splits& splits) const;
  void refuse_part(const Grouping& grouping, size_t node) const;
  void refuse_only(const std::vector<size_t>& nodes, size_t source) const;
  void refuse_limit(size_t node, const std::vector<SplitPlan>& splits) const;

  std::vector<SplitPlan> splits_of(size_t node, InstanceSet& instances);
  std::vector<SplitPlan> ask(size_t node, const std::vector<std::string>& streams,
                             InstanceSet& instances, bool all = false) const;
  std::vector<std::string> wanted_streams(size_t node) const;
  bool is_wanted(size_t node, const SplitPlan& split) const;
  void announce(const std::string& stream, size_t source) const;
  bool keeps_place(const Lane& lane, size_t node, const SplitPlan& split,
                   const std::vector<SplitPlan>& plan) const;
  bool is_recovered(const Lane& lane, size_t node, const SplitPlan& split) const;
  bool is_left(const Lane& lane, size_t node, const SplitPlan& split) const;

  void add_whole(size_t root, const std::vector<size_t>& nodes, const Grouping& grouping,
                 const Splits& splits);
  void add_by_stream(size_t node, const Grouping& grouping, const std::vector<SplitPlan>& splits);
  void add_single(size_t node, const SplitPlan& split);
  void add(Lane lane);
  void fill(Lane& lane, size_t node, const std::vector<SplitPlan>& splits) const;
  void set_order(Lane& lane) const;
  void check_only(InstanceSet& instances);
  void refuse_shared_tables() const;

  RunContext& run_;
  const Pipeline& pipeline_;
  const RecoveredSplits& recovered_;
  std::vector<size_t> group_;  // by source: the smallest index of those that it is read with
  std::map<StreamRef, SplitPlan> streams_;
  std::vector<Lane> lanes_;
  struct Planned {
    size_t lane, node;
    SplitPlan split;
  };
  std::vector<Planned> planned_;  // single splits whose rows go by keys
};

// Node indexes: `node`, and all that it reads, directly or not, in pipeline order.
std::vector<size_t> upstream_of(const Pipeline& pipeline, size_t node);
// `source`, and all that reads it, directly or not.
std::vector<size_t> downstream_of(const Pipeline& pipeline, size_t source);

}  // namespace patchbay::host
