#include "pipeline/identity.h"

#include <algorithm>
#include <filesystem>

#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

// The same file, wherever the program was started and by whatever link it is named. What differs
// from run to run names no file yet.
std::string absolute_path(const std::string& text) {
  std::error_code error;
  if (text.find("${") == std::string::npos) {
    const fs::path known = fs::weakly_canonical(text, error);
    if (!error && known.is_absolute()) return known.string();
  }
  const fs::path whole = fs::absolute(text, error);
  return error ? text : whole.lexically_normal().string();
}

Json::Value option_value(const Node& node, const std::string& option, bool path) {
  const Json::Value& written = node.literal.isObject() && node.literal.isMember(option)
                                   ? node.literal[option]
                                   : node.config[option];
  if (path && written.isString()) return absolute_path(written.asString());
  return written;
}

std::string shown(const Json::Value& value) {
  if (value.isNull()) return "not set";
  return value.isString() ? value.asString() : compact_json(value);
}

}  // namespace

Json::Value node_identity(const Node& node, const std::string& stream) {
  Json::Value out;
  out["use"] = node.component->name == node.plugin->id
                   ? node.plugin->id
                   : node.plugin->id + "." + node.component->name;
  const Json::Value& options = node.component->config["properties"];
  for (const auto& name : options.getMemberNames()) {
    const Json::Value& mark = options[name]["identity"];
    if (mark.isNull()) continue;
    out["options"][name] = option_value(node, name, mark == "path");
  }
  if (node.component->tables_option.empty()) return out;
  const Json::Value& tables = node.config[node.component->tables_option];
  const bool named = tables.isObject() && tables[stream].isString();
  // Of a source a stream may be one of a pattern's tables: then it bears its table's own name.
  out["table"] = named ? tables[stream].asString() : stream;
  return out;
}

std::string place_identity(const Node& sink) {
  Json::Value out = node_identity(sink, "");
  out.removeMember("table");
  return compact_json(out);
}

std::string target_identity(const Node& sink, const std::set<std::string>& streams) {
  Json::Value out(Json::objectValue);
  for (const auto& stream : streams) out[stream] = node_identity(sink, stream);
  return compact_json(out);
}

NamesBySink names_at_sinks(const Pipeline& pipeline, size_t source, const std::string& stream) {
  const auto through = [](const StreamSelection& selection, const std::set<std::string>& in) {
    std::set<std::string> out;
    for (const auto& name : in) {
      const bool passes = selection.selected.empty() ||
                          std::find(selection.selected.begin(), selection.selected.end(), name) !=
                              selection.selected.end();
      if (!passes) continue;
      const auto renamed = selection.renamed.find(name);
      out.insert(renamed == selection.renamed.end() ? name : renamed->second);
    }
    return out;
  };
  std::map<size_t, std::set<std::string>> leaving;  // by node
  leaving[source] = through(pipeline.nodes[source].streams, {stream});
  NamesBySink sinks;
  for (size_t i = source + 1; i < pipeline.nodes.size(); ++i) {
    const Node& node = pipeline.nodes[i];
    std::set<std::string> in;
    bool reached = false;
    for (const size_t from : node.from_index) {
      const auto found = leaving.find(from);
      if (found == leaving.end()) continue;
      reached = true;
      in.insert(found->second.begin(), found->second.end());
    }
    if (!reached) continue;
    const bool own_names = node.kind == Kind::kTransform && node.component->many_inputs;
    leaving[i] = own_names ? std::set<std::string>() : through(node.streams, in);
    if (node.kind == Kind::kSink) sinks[i] = leaving[i];
  }
  return sinks;
}

std::vector<IdentityDifference> compare_identities(const std::string& node, const Json::Value& was,
                                                   const Json::Value& is) {
  std::vector<IdentityDifference> out;
  const auto compare = [&](const Json::Value& a, const Json::Value& b,
                           const std::set<std::string>& apart = {}) {
    std::set<std::string> names;
    for (const Json::Value* side : {&a, &b}) {
      if (!side->isObject()) continue;
      for (const auto& name : side->getMemberNames()) names.insert(name);
    }
    for (const auto& name : names) {
      if (apart.contains(name)) continue;
      // An option that the plugin did not have, or did not mark, when the state was kept.
      if (a.isObject() && !a.isMember(name)) continue;
      const Json::Value left = a.isObject() ? a[name] : Json::Value();
      const Json::Value right = b.isObject() ? b[name] : Json::Value();
      if (left != right) out.push_back({name + " of " + node, shown(left), shown(right)});
    }
  };
  compare(was, is, {"options", "system"});
  compare(was["options"], is["options"]);
  // A source with nothing to read may not have looked.
  if (was["system"].isObject() && is["system"].isObject()) compare(was["system"], is["system"]);
  return out;
}

}  // namespace patchbay::host
