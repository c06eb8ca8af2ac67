#include "replay/replay_pipeline.h"

#include <algorithm>

#include "engine/lane_plan.h"
#include "patchbay/error.h"
#include "pipeline/guarantee.h"
#include "replay/replay_source.h"

namespace patchbay::host {
namespace {

[[noreturn]] void refuse(const Node& node, const std::string& why) {
  throw Error(Code::kConfig, "rejects replay: node " + node.id + " " + why);
}

void check_transform(const Node& node, bool whole_input) {
  const bool encodes = gives_of(*node.component, node.config) == Flow::kObjects;
  if ((node.component->at_end && !encodes) || node.component->many_inputs || !whole_input ||
      needs_all(*node.component, node.config)) {
    refuse(node,
           "works on whole streams or on several, and would take the rejects for all there is; "
           "the sources have to be read again");
  }
}

void check_sink(const Node& node, bool overwrite) {
  if (replaces(node) || mirrors(node)) {
    refuse(node, "has " + way_of_writing(node) +
                     ", and would be left with the rejects alone; run the pipeline, which reads "
                     "them with all others");
  }
  if (goes_by_keys(node) && !overwrite) {
    refuse(node,
           "goes by keys, and a row that was refused may be older than the one that its key has by "
           "now; say --overwrite where the refused rows are to count");
  }
}

}  // namespace

Pipeline replay_pipeline(const Pipeline& pipeline, size_t first, bool overwrite) {
  const Node& node = pipeline.nodes[first];
  if (node.kind == Kind::kSource) {
    refuse(node,
           "is a source: it reads what it refused only when it reads again; go back with "
           "`patchbay state set`, or `patchbay run --full-refresh`");
  }
  Pipeline out = pipeline;
  out.nodes.clear();
  Node source;
  source.id = kReplayNode;
  source.use = "rejects";
  source.plugin = replay_manifest(takes_of(*node.component, node.config) == Flow::kObjects);
  source.component = &source.plugin->components[0];
  source.config = Json::objectValue;
  source.literal = Json::objectValue;
  source.position = node.position;
  out.nodes.push_back(std::move(source));
  const std::vector<size_t> nodes = downstream_of(pipeline, first);
  for (const size_t i : nodes) {
    Node one = pipeline.nodes[i];
    std::vector<size_t> from;
    for (const size_t before : one.from_index) {
      const auto place = std::find(nodes.begin(), nodes.end(), before);
      if (place != nodes.end()) from.push_back(static_cast<size_t>(place - nodes.begin()) + 1);
    }
    if (one.kind == Kind::kTransform)
      check_transform(
          one, i == first ? one.from_index.size() == 1 : from.size() == one.from_index.size());
    if (one.kind == Kind::kSink) check_sink(one, overwrite);
    if (i == first) {
      from = {0};
      one.streams = {};  // the rejects have the names that it saw
    }
    one.from_index = std::move(from);
    out.nodes.push_back(std::move(one));
  }
  std::vector<Fault> faults;
  check_rules(pipeline.file, out, faults);
  if (!faults.empty()) throw Faults(std::move(faults));
  return out;
}

}  // namespace patchbay::host
