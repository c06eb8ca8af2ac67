#include "pipeline/graph.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "manifest/config_check.h"
#include "patchbay/suggest.h"
#include "pipeline/guarantee.h"
#include "pipeline/references.h"
#include "pipeline/targets.h"

namespace patchbay::host {
namespace {

class NodeReader {
 public:
  NodeReader(Document& document, const Environment& environment, const Catalog& catalog,
             std::vector<Fault>& faults, std::vector<std::string>& passwords)
      : document_(document),
        environment_(environment),
        catalog_(catalog),
        faults_(faults),
        passwords_(passwords),
        list_(document.root["nodes"]) {}

  std::vector<Node> read() {
    read_ids();
    read_edges();
    if (!order()) {
      // The nodes are judged one by one all the same.
      order_.resize(ids_.size());
      std::iota(order_.begin(), order_.end(), size_t{0});
    }
    for (const size_t i : order_) nodes_.push_back(read_node(i));
    return std::move(nodes_);
  }

 private:
  static std::string pointer(size_t i) { return "/nodes/" + std::to_string(i); }
  void fault(const std::string& at, const std::string& message) {
    if (!document_.unknown.contains(at))
      faults_.push_back({document_.file, document_.at(at), message});
  }

  void read_ids() {
    for (Json::ArrayIndex i = 0; i < list_.size(); ++i) {
      const std::string use = list_[i]["use"].asString();
      const std::string id = list_[i].get("id", use.substr(0, use.find('.'))).asString();
      if (id.find('/') != std::string::npos) fault(pointer(i) + "/id", "id: has no \"/\"");
      if (std::find(ids_.begin(), ids_.end(), id) != ids_.end()) {
        fault(pointer(i), "two nodes have the id " + id + "; give one of them another with id:");
      }
      ids_.push_back(id);
    }
  }

  void read_edges() {
    from_.resize(ids_.size());
    readers_.assign(ids_.size(), 0);
    for (Json::ArrayIndex i = 0; i < list_.size(); ++i) {
      const Json::Value& from = list_[i]["from"];
      if (from.isString()) add_edge(i, from.asString(), "/from");
      for (Json::ArrayIndex j = 0; from.isArray() && j < from.size(); ++j) {
        add_edge(i, from[j].asString(), "/from/" + std::to_string(j));
      }
    }
    for (Json::ArrayIndex i = 1; i < list_.size(); ++i) {
      if (list_[i]["from"].isNull() && !begins_chain(i)) add(i, i - 1);
    }
  }

  // Without `from`, a node begins a chain of its own where it can only be a source: its plugin has
  // nothing else, or it has no transform and is named in a `from` or followed by a transform.
  bool begins_chain(Json::ArrayIndex i) const {
    if (!plugin_has(i, Kind::kSource) || plugin_has(i, Kind::kTransform)) return false;
    if (!plugin_has(i, Kind::kSink) || readers_[i] > 0) return true;
    return i + 1 < list_.size() && list_[i + 1]["from"].isNull() &&
           plugin_has(i + 1, Kind::kTransform);
  }

  bool plugin_has(Json::ArrayIndex i, Kind kind) const {
    const std::string use = list_[i]["use"].asString();
    const CatalogEntry* entry = catalog_.find(use.substr(0, use.find('.')));
    if (!entry || !entry->manifest) return false;
    const auto& components = entry->manifest->components;
    return std::any_of(components.begin(), components.end(),
                       [&](const auto& component) { return component.kind == kind; });
  }

  void add(size_t to, size_t from) {
    from_[to].push_back(from);
    ++readers_[from];
  }

  void add_edge(Json::ArrayIndex to, const std::string& name, const std::string& at) {
    const auto found = std::find(ids_.begin(), ids_.end(), name);
    if (found == ids_.end()) lost_.insert(to);
    if (found == ids_.end())
      return fault(pointer(to) + at, "from: there is no node " + name + did_you_mean(name, ids_));
    const auto from = static_cast<size_t>(found - ids_.begin());
    if (std::find(from_[to].begin(), from_[to].end(), from) != from_[to].end())
      return fault(pointer(to) + at, "from: " + name + " stands twice");
    add(to, from);
  }

  bool order() {
    std::vector<int> color(ids_.size(), 0);  // 1 = on the way, 2 = done
    bool acyclic = true;
    const std::function<void(size_t)> visit = [&](size_t i) {
      if (color[i] == 2) return;
      if (color[i] == 1) {
        if (acyclic)
          fault(pointer(i), "node " + ids_[i] + " reads itself, directly or through others");
        acyclic = false;
        return;
      }
      color[i] = 1;
      for (const size_t from : from_[i]) visit(from);
      color[i] = 2;
      order_.push_back(i);
    };
    for (size_t i = 0; i < ids_.size(); ++i) visit(i);
    return acyclic;
  }

  Kind kind_of(size_t i) const {
    if (from_[i].empty() && !lost_.contains(i)) return Kind::kSource;
    return readers_[i] == 0 ? Kind::kSink : Kind::kTransform;
  }

  Node read_node(size_t i) {
    const Json::Value& json = list_[static_cast<Json::ArrayIndex>(i)];
    Node node;
    node.id = ids_[i];
    node.use = json["use"].asString();
    node.kind = kind_of(i);
    node.position = document_.at(pointer(i));
    for (const size_t from : from_[i]) {
      const auto at = std::find(order_.begin(), order_.end(), from);
      node.from_index.push_back(static_cast<size_t>(at - order_.begin()));
    }
    node.config = json.get("with", Json::objectValue);
    if (node.config.isNull()) node.config = Json::objectValue;
    const Json::Value& as_written = document_.literal_nodes;
    if (as_written.isArray() && as_written.size() > i)
      node.literal = as_written[static_cast<Json::ArrayIndex>(i)]["with"];
    find_component(i, node);
    if (node.kind == Kind::kSource && readers_[i] == 0 && ids_.size() > 1 && lost_.empty())
      fault(pointer(i), "node " + node.id + ": no node reads it; name it in a from:");
    if (!node.component) return node;
    for (const auto& found : check_config(node.component->config, node.use, node.config)) {
      fault(pointer(i) + "/with" + found.path, found.message);
    }
    for (const auto& found :
         find_passwords(node.component->config, node.use, node.config, passwords_))
      fault(pointer(i) + "/with" + found.path, found.message);
    if (node.kind == Kind::kTransform && node.from_index.size() > 1 &&
        !node.component->many_inputs) {
      fault(pointer(i) + "/from",
            "from: " + node.use + " reads one node, not " + std::to_string(node.from_index.size()));
    }
    read_streams(i, json["streams"], node);
    return node;
  }

  void find_component(size_t i, Node& node) {
    const std::string plugin = node.use.substr(0, node.use.find('.'));
    const std::string component =
        plugin.size() == node.use.size() ? "" : node.use.substr(plugin.size() + 1);
    const std::string at = pointer(i) + "/use";
    const CatalogEntry* entry = catalog_.find(plugin);
    if (!entry) {
      const std::string meant = did_you_mean(plugin, catalog_.ids());
      return fault(
          at, "use: there is no plugin " + plugin +
                  (meant.empty() ? "; install it with `apt install " + plugin_package(plugin) + "`"
                                 : meant));
    }
    if (!entry->manifest)
      return fault(at, "use: plugin " + plugin + " is unusable: " + entry->problem);
    if (!environment_.enabled(plugin)) {
      return fault(at, "use: plugin " + plugin + " is not enabled; run `patchbay plugins enable " +
                           plugin + " --env " + environment_.name + "`");
    }
    if (const std::string why = environment_.refusal(*entry->manifest); !why.empty())
      return fault(at, "use: " + why);
    node.plugin = entry->manifest;
    pick(at, *entry->manifest, component, node);
  }

  void pick(const std::string& at, const Manifest& manifest, const std::string& name, Node& node) {
    std::vector<const ComponentManifest*> fitting;
    std::string has, choices;
    std::vector<std::string> names;
    for (const auto& component : manifest.components) {
      names.push_back(component.name);
      has += (has.empty() ? "" : ", ") + manifest.id + "." + component.name + " (" +
             std::string(kind_name(component.kind)) + ")";
      if (component.kind != node.kind || (!name.empty() && component.name != name)) continue;
      fitting.push_back(&component);
      choices += (choices.empty() ? "" : " or ") + manifest.id + "." + component.name;
    }
    if (fitting.size() == 1) {
      node.component = fitting[0];
    } else if (node.use.size() > manifest.id.size() &&
               std::find(names.begin(), names.end(), name) == names.end()) {
      fault(at, "use: " + manifest.id + " has no component " + name + did_you_mean(name, names) +
                    "; it has " + has);
    } else if (fitting.empty()) {
      fault(at, "use: " + node.use + " stands where a " + std::string(kind_name(node.kind)) +
                    " must be (" + place(node.kind) + "); it has " + has);
    } else {
      fault(at, "use: " + manifest.id + " has several of this kind; write " + choices);
    }
  }

  static std::string place(Kind kind) {
    switch (kind) {
      case Kind::kSource:
        return "it reads no node";
      case Kind::kSink:
        return "no node reads it";
      default:
        return "it reads a node and is read by another";
    }
  }

  void read_streams(size_t i, const Json::Value& json, Node& node) {
    const std::string at = pointer(i) + "/streams";
    const auto& known = node.component->streams;
    const auto check_known = [&](const std::string& name, const std::string& where) {
      if (known.empty() || std::find(known.begin(), known.end(), name) != known.end()) return;
      fault(where, "streams: " + node.use + " has no stream " + name + did_you_mean(name, known));
    };
    for (Json::ArrayIndex j = 0; json.isArray() && j < json.size(); ++j) {
      node.streams.selected.push_back(json[j].asString());
      check_known(json[j].asString(), at + "/" + std::to_string(j));
    }
    if (!json.isObject()) return;
    for (const auto& name : json.getMemberNames()) {
      node.streams.selected.push_back(name);
      check_known(name, at + "/" + name);
      if (!json[name].isMember("rename")) continue;
      node.streams.renamed[name] = json[name]["rename"].asString();
    }
    check_renames(at, node.streams);
  }

  void check_renames(const std::string& at, const StreamSelection& streams) {
    std::map<std::string, std::string> taken;
    for (const auto& name : streams.selected) {
      const auto renamed = streams.renamed.find(name);
      const std::string as = renamed == streams.renamed.end() ? name : renamed->second;
      const auto [other, is_new] = taken.emplace(as, name);
      if (!is_new)
        fault(at + "/" + name, "streams: " + other->second + " and " + name + " both become " + as);
    }
  }

  Document& document_;
  const Environment& environment_;
  const Catalog& catalog_;
  std::vector<Fault>& faults_;
  std::vector<std::string>& passwords_;
  const Json::Value& list_;
  std::vector<std::string> ids_;
  std::vector<std::vector<size_t>> from_;
  std::vector<unsigned> readers_;
  std::set<size_t> lost_;  // nodes that read one that is not there
  std::vector<size_t> order_;
  std::vector<Node> nodes_;
};

}  // namespace

std::vector<Node> read_nodes(Document& document, const Environment& environment,
                             const Catalog& catalog, std::vector<Fault>& faults,
                             std::vector<std::string>& passwords) {
  return NodeReader(document, environment, catalog, faults, passwords).read();
}

void check_graph(const Document& document, const Pipeline& pipeline, std::vector<Fault>& faults) {
  const auto fault = [&](const std::string& at, const std::string& message) {
    faults.push_back({document.file, document.at(at), message});
  };
  const auto is_sink = [](const Node& node) { return node.kind == Kind::kSink; };
  const auto& nodes = pipeline.nodes;
  if (std::none_of(nodes.begin(), nodes.end(), is_sink) && faults.empty())
    fault("/nodes", "nodes: nothing is written; the last node must be a sink");
  // The rest is only true of a graph whose parts are known.
  if (!faults.empty()) return;
  check_targets(document.file, pipeline.nodes, faults);
  check_references(document.file, pipeline.nodes, faults);
  check_rules(document.file, pipeline, faults);
  const GuaranteeResult result = compute_guarantee(pipeline);
  if (pipeline.require && *pipeline.require > result.guarantee) {
    std::string why;
    for (const auto& limit : result.limited_by) why += "; " + limit;
    fault("/require", "require: exactly_once can't be kept" + why);
  }
}

}  // namespace patchbay::host
