#include "pipeline/targets.h"

#include <algorithm>
#include <set>

namespace patchbay::host {
namespace {

using Names = std::optional<std::set<std::string>>;  // none = not known before the run

Names through(const StreamSelection& selection, const Names& in) {
  if (!selection.selected.empty()) {
    Names out = std::set<std::string>();
    for (const auto& name : selection.selected) {
      const auto renamed = selection.renamed.find(name);
      out->insert(renamed == selection.renamed.end() ? name : renamed->second);
    }
    return out;
  }
  return in;
}

class Targets {
 public:
  explicit Targets(const std::vector<Node>& nodes) : nodes_(nodes) {
    for (const auto& node : nodes) leaving_.push_back(through(node.streams, made_by(node)));
  }

  // Each with the place it is in.
  std::set<std::string> of(size_t sink) const {
    const Node& node = nodes_[sink];
    std::set<std::string> targets;
    if (!node.component->target.isArray()) return targets;
    std::string place = node.plugin->id;
    for (const auto& option : node.component->target)
      place += "|" + node.config[option.asString()].asString();
    if (node.component->tables_option.empty()) {
      // A template makes several places of one.
      if (place.find('{') == std::string::npos) targets.insert(place);
      return targets;
    }
    const Json::Value& tables = node.config[node.component->tables_option];
    for (const auto& table : tables) targets.insert(place + "|" + table.asString());
    const Names& streams = leaving_[sink];
    if (!streams && tables.empty()) targets.insert(place + "|*" + inputs_of(node));
    for (const auto& stream : streams.value_or(std::set<std::string>())) {
      if (!tables.isMember(stream)) targets.insert(place + "|" + stream);
    }
    return targets;
  }

 private:
  // The nodes before this one are judged already: they come before it.
  Names made_by(const Node& node) const {
    if (node.kind == Kind::kSource) {
      const auto& fixed = node.component->streams;
      return fixed.empty() ? Names() : std::set<std::string>(fixed.begin(), fixed.end());
    }
    if (node.component->many_inputs) return {};
    std::set<std::string> all;
    for (const size_t from : node.from_index) {
      if (!leaving_[from]) return {};
      all.insert(leaving_[from]->begin(), leaving_[from]->end());
    }
    return all;
  }

  std::string inputs_of(const Node& node) const {
    std::string ids;
    for (const size_t from : node.from_index) ids += (ids.empty() ? "" : ", ") + nodes_[from].id;
    return ids;
  }

  const std::vector<Node>& nodes_;
  std::vector<Names> leaving_;
};

std::string words(const Node& node, const std::string& target) {
  std::string name = target.substr(target.rfind('|') + 1);
  if (node.component->tables_option.empty()) return name;
  return name.starts_with('*') ? "the streams of " + name.substr(1) + " to the same tables"
                               : "the table " + name;
}

}  // namespace

void check_targets(const std::string& file, const std::vector<Node>& nodes,
                   std::vector<Fault>& faults) {
  const Targets targets(nodes);
  std::map<std::string, std::string> writers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].kind != Kind::kSink) continue;
    for (const auto& target : targets.of(i)) {
      const auto [other, is_new] = writers.emplace(target, nodes[i].id);
      if (is_new || other->second == nodes[i].id) continue;
      faults.push_back({file, nodes[i].position,
                        "nodes " + other->second + " and " + nodes[i].id + " both write " +
                            words(nodes[i], target) + "; let one of them do it"});
    }
  }
}

bool writes_to_standard_output(const Pipeline& pipeline) {
  return std::any_of(pipeline.nodes.begin(), pipeline.nodes.end(), [](const Node& node) {
    const std::string& option = node.component->names_option;
    return node.kind == Kind::kSink && !option.empty() && node.config[option] == "-";
  });
}

}  // namespace patchbay::host
