// Which nodes of a pipeline lead to which.
#pragma once

#include <set>
#include <vector>

#include "pipeline/pipeline.h"

namespace patchbay::host {

// Which nodes are before which, directly or not.
class Ways {
 public:
  explicit Ways(const Pipeline& pipeline) : pipeline_(pipeline), before_(pipeline.nodes.size()) {
    for (size_t i = 0; i < pipeline.nodes.size(); ++i) {
      for (const size_t from : pipeline.nodes[i].from_index) {
        before_[i].insert(from);
        before_[i].insert(before_[from].begin(), before_[from].end());
      }
    }
  }

  bool leads(size_t from, size_t to) const { return before_[to].contains(from); }
  std::vector<size_t> sources_of(size_t node) const {
    return of_kind(before_[node], Kind::kSource);
  }
  // The nodes from the source to the sink, without both.
  std::vector<size_t> between(size_t source, size_t sink) const {
    std::vector<size_t> out;
    for (const size_t i : before_[sink]) {
      if (before_[i].contains(source)) out.push_back(i);
    }
    return out;
  }

 private:
  std::vector<size_t> of_kind(const std::set<size_t>& nodes, Kind kind) const {
    std::vector<size_t> out;
    for (const size_t i : nodes) {
      if (pipeline_.nodes[i].kind == kind) out.push_back(i);
    }
    return out;
  }

  const Pipeline& pipeline_;
  std::vector<std::set<size_t>> before_;
};

}  // namespace patchbay::host
