#include "pipeline/guarantee.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <set>

#include "pipeline/identity.h"
#include "pipeline/prepared.h"
#include "pipeline/ways.h"

namespace patchbay::host {
namespace {

// What a rule found: the node whose place is named, and why.
struct Finding {
  size_t node;
  std::string message;
};
using Findings = std::vector<Finding>;

bool writes(const Node& node, const char* mode) {
  return node.kind == Kind::kSink && node.config["write"].isString() &&
         node.config["write"].asString() == mode;
}

// For the rules: a pipeline with what is asked of it again and again.
struct Subject {
  const Pipeline& pipeline;
  const Ways ways;

  explicit Subject(const Pipeline& subject) : pipeline(subject), ways(subject) {}
  const Node& node(size_t i) const { return pipeline.nodes[i]; }
  std::vector<size_t> of(Kind kind) const {
    std::vector<size_t> out;
    for (size_t i = 0; i < pipeline.nodes.size(); ++i) {
      if (pipeline.nodes[i].kind == kind) out.push_back(i);
    }
    return out;
  }
  std::optional<std::string> incremental(size_t source) const {
    return incremental_by(*node(source).component, node(source).config);
  }
  // "src, which returns only what is new (cursor: id)"
  std::string described(size_t source) const {
    const std::string option = *incremental(source);
    const Json::Value& value = node(source).config[option];
    return node(source).id + ", which returns only what is new" +
           (option.empty() ? "" : " (" + option + ": " + value.asString() + ")");
  }
  // How it returns everything.
  std::string whole(size_t source) const {
    const std::string option = *incremental(source);
    if (option.empty()) return "";
    const bool by_value = node(source).component->incremental.size() > 1;
    return by_value ? "set " + option + ": all" : "leave out " + option;
  }
};

Findings not_replayable(const Subject& s) {
  Findings out;
  for (const size_t i : s.of(Kind::kSource)) {
    if (!s.node(i).component->replayable)
      out.push_back({i, s.node(i).id + ": its rows cannot be read again from a state"});
  }
  return out;
}

Findings at_least_once_sink(const Subject& s) {
  Findings out;
  for (const size_t i : s.of(Kind::kSink)) {
    const Node& node = s.node(i);
    if (delivery_of(*node.component, node.config) != Delivery::kAtLeastOnce) continue;
    const Json::Value& delivery = node.component->delivery;
    const std::string option = delivery.isObject() ? delivery["option"].asString() : "";
    out.push_back(
        {i, node.id + ": writes at least once" +
                (option.empty() ? "" : " with " + option + ": " + node.config[option].asString())});
  }
  return out;
}

Findings whole_appended(const Subject& s) {
  Findings out;
  for (const size_t sink : s.of(Kind::kSink)) {
    if (!would_double(s.node(sink))) continue;
    for (const size_t source : s.ways.sources_of(sink)) {
      const bool says = !s.node(source).component->incremental.isNull();
      if (!says || s.incremental(source)) continue;
      out.push_back({sink, s.node(sink).id + ": appends all of " + s.node(source).id +
                               " in each run, and once more where a run that failed half-way is "
                               "repeated; set write: replace or upsert, or let " +
                               s.node(source).id + " return only what is new"});
    }
  }
  return out;
}

Findings two_that_forget(const Subject& s) {
  Findings out;
  for (const auto& [first, second] : forgetful_pairs(s.pipeline)) {
    out.push_back(
        {second, s.node(first).id + " and " + s.node(second).id +
                     ": both lose what they prepared when the process ends, so a crash "
                     "between their commits leaves the rows in one of them only; let one of "
                     "them write: upsert or replace, or give each a pipeline of its own"});
  }
  return out;
}

Findings new_into_replace(const Subject& s) {
  Findings out;
  for (const size_t sink : s.of(Kind::kSink)) {
    if (!replaces(s.node(sink))) continue;
    for (const size_t source : s.ways.sources_of(sink)) {
      const auto by = s.incremental(source);
      // The newest object is the whole of what is meant; a source that is always so is read anew.
      if (!by || by->empty() || s.node(source).config[*by] == "newest") continue;
      out.push_back({sink, "node " + s.node(sink).id + " replaces its table with the rows of " +
                               s.described(source) + ": nothing else would be left in it; " +
                               s.whole(source) + ", or set write: append or upsert"});
    }
  }
  return out;
}

Findings beside_replace(const Subject& s) {
  Findings out;
  for (const size_t source : s.of(Kind::kSource)) {
    if (!s.incremental(source)) continue;
    std::vector<size_t> replacing, others;
    for (const size_t sink : s.of(Kind::kSink)) {
      if (s.ways.leads(source, sink)) (replaces(s.node(sink)) ? replacing : others).push_back(sink);
    }
    if (replacing.empty()) continue;
    for (const size_t other : others) {
      out.push_back({other, "node " + s.node(other).id + " gets only what is new of " +
                                s.node(source).id + ", and " + s.node(replacing[0]).id +
                                " beside it has to be given all of it: " + s.node(other).id +
                                " would get older rows again; give one of them a pipeline of its "
                                "own, or set write: upsert for both"});
    }
  }
  return out;
}

Findings whole_view_of_new(const Subject& s) {
  Findings out;
  for (const size_t i : s.of(Kind::kTransform)) {
    if (!needs_all(*s.node(i).component, s.node(i).config)) continue;
    bool read_anew = false;
    for (const size_t sink : s.of(Kind::kSink))
      read_anew = read_anew || (s.ways.leads(i, sink) && replaces(s.node(sink)));
    for (const size_t source : s.ways.sources_of(i)) {
      const auto by = s.incremental(source);
      if (!by || (by->empty() && read_anew)) continue;
      const std::string whole = s.whole(source);
      out.push_back(
          {i, "node " + s.node(i).id + " joins or aggregates rows of " + s.described(source) +
                  ": it would not see those of earlier runs; " +
                  (whole.empty() ? "" : whole + " and ") +
                  "set write: replace, or over: new where its queries are right for the new rows "
                  "alone"});
    }
  }
  return out;
}

// Do rows become objects between the two? Then who names them.
std::optional<size_t> encoder_between(const Subject& s, size_t source, size_t sink) {
  for (const size_t i : s.ways.between(source, sink)) {
    const Node& node = s.node(i);
    if (takes_of(*node.component, node.config) == Flow::kRows &&
        gives_of(*node.component, node.config) == Flow::kObjects)
      return i;
  }
  return std::nullopt;
}

Findings new_into_fixed_name(const Subject& s) {
  Findings out;
  for (const size_t sink : s.of(Kind::kSink)) {
    const Node& node = s.node(sink);
    const std::string& option = node.component->names_option;
    if (option.empty() || takes_of(*node.component, node.config) != Flow::kObjects) continue;
    if (node.config["if_exists"] == "fail" || names_differ_by_run(node)) continue;
    const std::string path = node.config[option].asString();
    const bool takes_key = path.find("{key}") != std::string::npos;
    for (const size_t source : s.ways.sources_of(sink)) {
      if (!s.incremental(source)) continue;
      // Objects that pass as they are stand for themselves, whatever they are called.
      const auto encoder = encoder_between(s, source, sink);
      if (!encoder || (takes_key && names_differ_by_run(s.node(*encoder)))) continue;
      out.push_back(
          {sink, "node " + node.id + " writes " + path + " anew in each run, with the rows of " +
                     s.described(source) +
                     ": what the run before delivered would be gone; put ${run.id} into " +
                     option});
    }
  }
  return out;
}

Findings kinds_that_differ(const Subject& s) {
  Findings out;
  for (size_t i = 0; i < s.pipeline.nodes.size(); ++i) {
    const Node& to = s.node(i);
    const Flow takes = takes_of(*to.component, to.config);
    for (const size_t from : to.from_index) {
      const Flow gives = gives_of(*s.node(from).component, s.node(from).config);
      if (takes == Flow::kAny || gives == Flow::kAny || takes == gives) continue;
      const bool objects = gives == Flow::kObjects;
      out.push_back({i, "node " + to.id + " takes " + (objects ? "rows" : "files") + ", and " +
                            s.node(from).id + " returns " + (objects ? "files" : "rows") +
                            ": put " +
                            (objects ? "csv.decode, json.decode or parquet.decode"
                                     : "csv.encode, json.encode or parquet.encode") +
                            " between them"});
    }
  }
  return out;
}

// A file by what it is, not by one of its names: links and other ways to it say the same.
std::string file_of(const std::string& path) {
  struct stat found = {};
  if (!path.empty() && stat(path.c_str(), &found) == 0) {
    return std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
  }
  std::error_code error;
  const auto plain = std::filesystem::weakly_canonical(path, error);
  return error ? path : plain.string();
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// The place that a node reads or writes, as far as its options say; nothing where they do not.
std::optional<std::string> place_of(const Node& node) {
  if (!node.component->target.isArray()) return std::nullopt;
  const Json::Value options = node_identity(node, "")["options"];
  std::string place = node.plugin->id;
  for (const auto& option : node.component->target) {
    const Json::Value& value = options.isMember(option.asString()) ? options[option.asString()]
                                                                   : node.config[option.asString()];
    const std::string text = value.asString();
    place += "|" + (option == "path" ? file_of(text) : text);
  }
  return place;
}

// The tables that it names; nothing where it is a query.
std::optional<std::set<std::string>> tables_of(const Node& node) {
  if (node.config.isMember("query")) return std::nullopt;
  std::set<std::string> out;
  const Json::Value& tables = node.config[node.component->tables_option];
  for (const auto& table : tables) out.insert(table.asString());
  return out;
}

Findings reads_what_it_writes(const Subject& s) {
  Findings out;
  for (const size_t sink : s.of(Kind::kSink)) {
    const Node& to = s.node(sink);
    for (const size_t source : s.ways.sources_of(sink)) {
      const Node& from = s.node(source);
      if (to.plugin->id != from.plugin->id || to.component->tables_option.empty()) continue;
      const auto place = place_of(to);
      if (!place || place != place_of(from)) continue;
      const auto read = tables_of(from);
      if (!read) continue;
      const Json::Value& mapped = to.config[to.component->tables_option];
      std::set<std::string> written;
      const Json::Value& named = from.config[from.component->tables_option];
      for (const auto& stream :
           named.isObject() ? named.getMemberNames() : Json::Value::Members()) {
        for (const auto& [where, names] : names_at_sinks(s.pipeline, source, stream)) {
          if (where != sink) continue;
          for (const auto& name : names)
            written.insert(mapped.isObject() && mapped[name].isString() ? mapped[name].asString()
                                                                        : name);
        }
      }
      std::string both;
      const bool folds = to.component->folds_case;
      const auto reads = [&](const std::string& table) {
        return std::any_of(read->begin(), read->end(), [&](const std::string& one) {
          return one == table || (folds && lower(one) == lower(table));
        });
      };
      for (const auto& table : written) {
        if (reads(table)) both += (both.empty() ? "" : ", ") + table;
      }
      // Every table there is, each into itself.
      if (read->empty() && (!mapped.isObject() || mapped.empty())) both = "the same tables";
      if (both.empty()) continue;
      out.push_back({sink, "node " + to.id + " writes what " + from.id + " reads (" + both +
                               "): they would wait for each other, or read what was just written; "
                               "write to another table or schema with tables:, then rename it"});
    }
  }
  return out;
}

Findings file_onto_itself(const Subject& s) {
  Findings out;
  for (const size_t sink : s.of(Kind::kSink)) {
    const Node& to = s.node(sink);
    const std::string& option = to.component->names_option;
    if (option.empty() || !to.config[option].isString()) continue;
    for (const size_t source : s.ways.sources_of(sink)) {
      const Node& from = s.node(source);
      if (to.plugin->id != from.plugin->id || !from.config["path"].isString()) continue;
      if (to.config["bucket"] != from.config["bucket"] ||
          to.config["endpoint"] != from.config["endpoint"])
        continue;
      const std::string read = from.config["path"].asString(), write = to.config[option].asString();
      const std::string folder = read.substr(0, read.rfind('/') + 1);
      const bool itself = file_of(read) == file_of(write) ||
                          (write == folder + "{key}" && !encoder_between(s, source, sink));
      if (!itself) continue;
      out.push_back({sink, "node " + to.id + " writes " + write + ", which " + from.id +
                               " reads: write to another place, and move it there afterwards"});
    }
  }
  return out;
}

struct CodedRule {
  GuaranteeRule text;
  Findings (*find)(const Subject&);
};

// The one table. docs/promises.md is made from it.
const CodedRule kRules[] = {
    {{"source without replay", "a source whose rows cannot be read again from a state",
      RuleEffect::kLimits, ""},
     not_replayable},
    {{"sink at least once", "a sink that writes at least once under its options",
      RuleEffect::kLimits, "another value of the option that is named"},
     at_least_once_sink},
    {{"whole source appended",
      "a source that returns everything in each run, into a sink that appends", RuleEffect::kLimits,
      "`write: replace` or `upsert`, or a source that returns what is new"},
     whole_appended},
    {{"two sinks that forget",
      "two appending sinks of one source that lose what they prepared when the process ends",
      RuleEffect::kLimits, "`write: upsert` or `replace` for one, or a pipeline for each"},
     two_that_forget},
    {{"new rows replace a table",
      "a source that returns only what is new, into a sink that replaces", RuleEffect::kRefuses,
      "`select: all`, no `cursor`; or `write: append` or `upsert`"},
     new_into_replace},
    {{"append beside replace",
      "a source that returns only what is new, into a sink that replaces and one that does not",
      RuleEffect::kRefuses, "a pipeline for each, or `write: upsert` for both"},
     beside_replace},
    {{"join or aggregate over new rows",
      "a transform that must see all rows, over a source that returns only what is new",
      RuleEffect::kRefuses,
      "a source that returns everything and `write: replace`, or `over: new`"},
     whole_view_of_new},
    {{"new rows into a fixed name",
      "rows of a source that returns only what is new, into objects that have the same name in "
      "each run",
      RuleEffect::kRefuses, "`${run.id}` in the name, or `if_exists: fail`"},
     new_into_fixed_name},
    {{"rows and files",
      "an edge from a node that returns files to one that takes rows, or the reverse",
      RuleEffect::kRefuses, "a decoder or an encoder between them"},
     kinds_that_differ},
    {{"table onto itself", "a source and a sink that are one table", RuleEffect::kRefuses,
      "another table or schema"},
     reads_what_it_writes},
    {{"file onto itself", "a source and a sink that are one file or folder", RuleEffect::kRefuses,
      "another place"},
     file_onto_itself},
};

}  // namespace

const std::vector<GuaranteeRule>& guarantee_rules() {
  static const std::vector<GuaranteeRule> rules = [] {
    std::vector<GuaranteeRule> out;
    for (const auto& rule : kRules) out.push_back(rule.text);
    return out;
  }();
  return rules;
}

GuaranteeResult compute_guarantee(const Pipeline& pipeline) {
  const Subject subject(pipeline);
  GuaranteeResult result;
  for (const auto& rule : kRules) {
    if (rule.text.effect != RuleEffect::kLimits) continue;
    for (auto& finding : rule.find(subject)) {
      result.guarantee = Guarantee::kAtLeastOnce;
      result.limited_by.push_back(std::move(finding.message));
    }
  }
  return result;
}

void check_rules(const std::string& file, const Pipeline& pipeline, std::vector<Fault>& faults) {
  const Subject subject(pipeline);
  for (const auto& rule : kRules) {
    if (rule.text.effect != RuleEffect::kRefuses) continue;
    for (auto& finding : rule.find(subject)) {
      faults.push_back({file, pipeline.nodes[finding.node].position, std::move(finding.message)});
    }
  }
}

std::string_view guarantee_name(Guarantee guarantee) {
  return guarantee == Guarantee::kExactlyOnce ? "exactly_once" : "at_least_once";
}

bool replaces(const Node& node) { return writes(node, "replace"); }
bool mirrors(const Node& node) {
  const bool objects =
      node.kind == Kind::kSink && node.config["mirror"].isBool() && node.config["mirror"].asBool();
  return objects || writes(node, "mirror");
}
std::string way_of_writing(const Node& node) {
  const Json::Value& write = node.config["write"];
  return write.isString() ? "write: " + write.asString() : "mirror: true";
}

bool goes_by_keys(const Node& node) { return writes(node, "upsert") || writes(node, "mirror"); }

bool names_differ_by_run(const Node& node) {
  const std::string& option = node.component->names_option;
  if (option.empty() || !node.literal.isObject() || !node.literal[option].isString()) return false;
  const std::string text = node.literal[option].asString();
  return text.find("${run.id") != std::string::npos || text.find("${run.time") != std::string::npos;
}

bool would_double(const Node& sink) {
  const Json::Value& objects = sink.plugin->uris["objects"];
  if (objects.isBool() && objects.asBool()) return names_differ_by_run(sink);
  return !replaces(sink) && !goes_by_keys(sink);
}

}  // namespace patchbay::host
