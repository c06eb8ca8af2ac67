#include "pipeline/prepared.h"

#include <algorithm>

#include "pipeline/guarantee.h"
#include "pipeline/ways.h"

namespace patchbay::host {
namespace {

using Prepared = ComponentManifest::Prepared;

bool get_the_same_rows(const Ways& ways, size_t a, size_t b) {
  const auto first = ways.sources_of(a), second = ways.sources_of(b);
  return std::any_of(first.begin(), first.end(), [&](size_t source) {
    return std::find(second.begin(), second.end(), source) != second.end();
  });
}

}  // namespace

std::vector<bool> forgets_prepared(const Pipeline& pipeline) {
  const Ways ways(pipeline);
  const auto& nodes = pipeline.nodes;
  std::vector<bool> out(nodes.size(), false);
  for (size_t i = 0; i < nodes.size(); ++i)
    out[i] = nodes[i].component->prepared == Prepared::kSession;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].component->prepared != Prepared::kOnRequest) continue;
    bool other_forgets = false;
    for (size_t other = 0; other < nodes.size(); ++other) {
      other_forgets = other_forgets || (other != i && out[other] && would_double(nodes[other]) &&
                                        get_the_same_rows(ways, i, other));
    }
    out[i] = !would_double(nodes[i]) || !other_forgets;
  }
  return out;
}

bool keeps_on_request(const Node& node, bool forgets) {
  return node.component->prepared == Prepared::kOnRequest && !forgets;
}

std::vector<std::pair<size_t, size_t>> forgetful_pairs(const Pipeline& pipeline) {
  const Ways ways(pipeline);
  const auto forgets = forgets_prepared(pipeline);
  std::vector<size_t> doubling;
  for (size_t i = 0; i < pipeline.nodes.size(); ++i) {
    if (forgets[i] && would_double(pipeline.nodes[i])) doubling.push_back(i);
  }
  std::vector<std::pair<size_t, size_t>> out;
  for (size_t a = 0; a < doubling.size(); ++a) {
    for (size_t b = a + 1; b < doubling.size(); ++b) {
      if (get_the_same_rows(ways, doubling[a], doubling[b]))
        out.push_back({doubling[a], doubling[b]});
    }
  }
  return out;
}

}  // namespace patchbay::host
