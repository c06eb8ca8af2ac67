#include "pipeline/references.h"

namespace patchbay::host {
namespace {

// "method: reference", where an option decides.
std::string because(const Node& node) {
  const Json::Value& references = node.component->references;
  if (!references.isObject()) return "";
  const std::string option = references["option"].asString();
  return " (" + option + ": " + node.config[option].asString() + ")";
}

std::string fault_between(const Node& from, const Node& to) {
  const std::string given = rows_stay_in(from);
  const std::string taken = references_of(*to.component, to.config);
  if (given == taken || (given.empty() && to.kind == Kind::kSink)) return "";
  const std::string node = "node " + to.id + because(to);
  if (given.empty()) {
    return node + " works on tables inside " + taken + ", and " + from.id +
           " sends rows; let it read the tables by reference, or change " + to.id;
  }
  return node + (taken.empty() ? " takes rows" : " works inside " + taken) + ", and those of " +
         from.id + because(from) + " stay inside " + given + "; let it send rows, or write to " +
         given;
}

}  // namespace

std::string rows_stay_in(const Node& node) {
  return node.kind == Kind::kSink ? "" : references_of(*node.component, node.config);
}

void check_references(const std::string& file, const std::vector<Node>& nodes,
                      std::vector<Fault>& faults) {
  for (const auto& node : nodes) {
    for (const size_t from : node.from_index) {
      const std::string why = fault_between(nodes[from], node);
      if (!why.empty()) faults.push_back({file, node.position, why});
    }
  }
}

}  // namespace patchbay::host
