#include "simulation/pipelines.h"

#include <algorithm>

#include "pipeline/parse_pipeline.h"
#include "report/json_text.h"
#include "simulation/plugins.h"

namespace patchbay::simulation {
namespace {

// An output of a node that sinks may read, with what became of the rows on the way.
struct Output {
  std::string node;
  std::vector<std::string> streams;  // "source/stream"
  std::vector<std::string> names;    // the same, as they are called there
  std::vector<std::string> refusers;
  bool incremental = true, joins = false, drops = false, refuses = false;
  bool objects = false, blobs = false;
};

class Maker {
 public:
  explicit Maker(Random& random) : random_(random) {}

  PipelineSpec make() {
    settings();
    const uint64_t shape = random_.below(20);
    if (shape < 2) {
      sink(encode(source("cursor")));
    } else if (shape < 4) {
      sink(source("blobs"));
    } else if (shape < 6) {
      sinks({decode(source("blobs"))});
    } else if (shape < 8) {
      sinks({join(source(table_kind()), source(table_kind()))});
    } else if (shape < 9) {
      const Output whole = source(random_.of<std::string>({"objects", "objects", "tables"}), true);
      tables({whole}, "replace");
      tables({whole}, "append");
    } else {
      std::vector<Output> outputs;
      const int64_t sources = random_.chance(0.7) ? 1 : random_.between(2, 3);
      for (int64_t i = 0; i < sources; ++i) {
        outputs.push_back(
            source(random_.of<std::string>({"cursor", "cursor", "feed", "objects", "tables"})));
        if (random_.chance(0.5)) outputs.back() = sift(outputs.back());
      }
      sinks(outputs);
    }
    return std::move(spec_);
  }

 private:
  void settings() {
    Json::Value& root = spec_.settings;
    root["commit"]["rows"] = Json::Int64(random_.between(1, 6));
    if (random_.chance(0.2)) root["commit"]["every"] = "5ms";
    root["concurrency"] = Json::Int64(random_.between(1, 3));
    root["retry"]["attempts"] = Json::Int64(random_.between(1, 4));
    root["retry"]["delay"] = "100ms";
    if (random_.chance(0.7))
      root["rejects"]["max"] = Json::Int64(random_.between(0, 30));
    else if (random_.chance(0.3))
      root["rejects"]["max"] = "50%";
    root["on_schema_change"] = random_.of<std::string>({"fail", "ignore", "reject", "evolve"});
  }

  std::string table_kind() { return random_.chance(0.5) ? "tables" : "feed"; }

  NodeSpec& node(const std::string& id, const std::string& use,
                 const std::vector<std::string>& from) {
    return spec_.nodes.emplace_back(NodeSpec{id, use, from});
  }

  // `whole`: each run returns everything.
  Output source(const std::string& component, bool whole = false) {
    const std::string id = "s" + std::to_string(spec_.sources.size() + 1);
    SourceSpec source;
    source.id = id;
    source.kind = component == "objects" || component == "blobs" ? SourceKind::kObjects
                  : component == "tables"                        ? SourceKind::kTables
                                                                 : SourceKind::kCursor;
    source.parts = static_cast<int>(random_.between(1, 3));
    const char first = static_cast<char>('a' + 2 * spec_.sources.size());
    source.streams = {std::string(1, first)};
    if (random_.chance(0.3)) source.streams.emplace_back(1, static_cast<char>(first + 1));
    source.ties = random_.chance(0.4);
    source.grows = component != "blobs" && random_.chance(0.2);
    NodeSpec& made = node(id, "simsource." + component, {});
    made.with["system"] = id;
    if (component == "cursor") made.with["cursor"] = "id";
    if (component == "feed") made.with["snapshot"] = true;
    if (component == "cursor" && random_.chance(0.5)) made.with["snapshot"] = true;
    const bool select_new = source.kind == SourceKind::kObjects && !whole && random_.chance(0.65);
    if (source.kind == SourceKind::kObjects) made.with["select"] = select_new ? "new" : "all";
    source.incremental = source.kind == SourceKind::kCursor || select_new;
    Output out{id, {}, source.streams, {id}};
    for (const auto& stream : source.streams) out.streams.push_back(id + "/" + stream);
    out.incremental = source.incremental;
    out.objects = out.blobs = component == "blobs";
    spec_.sources.push_back(std::move(source));
    return out;
  }

  Output sift(const Output& from) {
    NodeSpec& made = node("m" + from.node, "simtf.sift", {from.node});
    Output out = from;
    out.node = made.id;
    out.drops = random_.chance(0.5);
    out.refuses = random_.chance(0.5);
    made.with["drops"] = out.drops;
    made.with["refuses"] = out.refuses;
    out.refusers.push_back(made.id);
    return out;
  }

  Output decode(const Output& from) {
    NodeSpec& made = node("d", "simtf.decode", {from.node});
    Output out = from;
    out.node = made.id;
    out.objects = out.blobs = false;
    return out;
  }

  Output encode(const Output& from) {
    NodeSpec& made = node("e", "simtf.encode", {from.node});
    made.with["key"] = random_.chance(0.8) ? "{stream}_${run.id}" : "{stream}";
    Output out = from;
    out.node = made.id;
    out.objects = true;
    return out;
  }

  // A stream of a join has one part, so that the model can tell what it was.
  Output join(const Output& a, const Output& b) {
    for (auto& source : spec_.sources) {
      source.streams.resize(1);
      source.parts = 1;
    }
    node("j", "simtf.join", {a.node, b.node});
    Output out{"j", {a.streams[0], b.streams[0]}, {"joined"}, {a.node, b.node}};
    out.incremental = a.incremental || b.incremental;
    out.joins = true;
    return out;
  }

  void sinks(const std::vector<Output>& outputs) {
    const int64_t n = random_.chance(0.5) ? 1 : random_.between(2, 3);
    for (int64_t i = 0; i < n; ++i) {
      // All of them somewhere, and each sink something.
      std::vector<Output> some;
      for (const auto& output : outputs)
        if (i == 0 || outputs.size() == 1 || random_.chance(0.6)) some.push_back(output);
      if (!some.empty()) tables(some, random_mode());
    }
  }

  void sink(const Output& from) {
    NodeSpec& made = node("t1", "simobj.objects", {from.node});
    made.with["system"] = "t1";
    made.with["path"] = from.blobs || random_.chance(0.7) ? "out/{key}" : "out/${run.id}/{key}";
    Writing& writing = spec_.sinks["t1"];
    writing.mode = model::Write::kReplace;
    writing.objects = true;
    TargetSpec target;
    target.sink = "t1";
    if (from.blobs) target.write = model::Write::kUpsert;
    for (const auto& stream : from.streams)
      target.streams.push_back(stream + (from.blobs ? "#" : ""));
    target.refusers = from.refusers;
    if (!from.incremental) target.whole.insert(target.streams.begin(), target.streams.end());
    spec_.targets.push_back(std::move(target));
  }

  Writing random_writing(const std::string& mode, bool joins) {
    Writing writing;
    writing.mode = mode == "append"    ? model::Write::kAppend
                   : mode == "replace" ? model::Write::kReplace
                                       : model::Write::kUpsert;
    // One at most: reports add up what several sinks refuse of one row.
    const bool first = spec_.sinks.empty();
    writing.unique = mode == "append" && !joins && first && random_.chance(0.25);
    writing.judges_late = writing.unique && random_.chance(0.3);
    writing.session = random_.chance(0.5);
    writing.keeps_on_request = writing.session && random_.chance(0.5);
    writing.knows_outcome = random_.chance(0.7);
    writing.knows_newest = random_.chance(0.7);
    return writing;
  }

  std::string random_mode() {
    return random_.of<std::string>({"append", "append", "replace", "upsert"});
  }

  void tables(const std::vector<Output>& from, std::string mode) {
    const std::string id = "t" + std::to_string(spec_.sinks.size() + 1);
    const bool joins = from[0].joins;
    if (joins) mode = "replace";
    const Writing writing = random_writing(mode, joins);
    std::vector<std::string> nodes;
    for (const auto& output : from) nodes.push_back(output.node);
    const std::string plugin = writing.keeps_on_request ? "simeither"
                               : writing.session        ? "simsession"
                                                        : (writing.unique ? "sim" : "simdb");
    NodeSpec& made = node(id, plugin + (writing.unique ? "alone.table" : ".table"), nodes);
    made.with["system"] = id;
    made.with["write"] = mode;
    const bool one_table = !joins && random_.chance(0.3);
    std::map<std::string, TargetSpec> targets;
    for (const auto& output : from) {
      for (size_t i = 0; i < output.names.size(); ++i) {
        const std::string table = one_table ? "all" : output.names[i];
        if (one_table) made.with["tables"][output.names[i]] = table;
        add(targets[table], output, i, id, table, writing);
      }
    }
    spec_.sinks[id] = writing;
    for (auto& [table, target] : targets) spec_.targets.push_back(std::move(target));
  }

  static void add(TargetSpec& target, const Output& output, size_t i, const std::string& sink,
                  const std::string& table, const Writing& writing) {
    target.sink = sink;
    target.table = table;
    target.write = writing.mode;
    target.unique = writing.unique;
    target.joins = output.joins;
    std::vector<std::string> streams = output.streams;
    if (!output.joins) streams = {output.streams[i]};
    target.streams.insert(target.streams.end(), streams.begin(), streams.end());
    if (!output.incremental) target.whole.insert(streams.begin(), streams.end());
    target.drops_of[output.streams[i]] = output.drops;
    target.refuses_of[output.streams[i]] = output.refuses;
    target.refusers.insert(target.refusers.end(), output.refusers.begin(), output.refusers.end());
    target.refusers.push_back(sink);
  }

  Random& random_;
  PipelineSpec spec_;
};

}  // namespace

std::string PipelineSpec::text() const {
  Json::Value root = settings;
  root["name"] = "p";
  for (const auto& node : nodes) {
    Json::Value json;
    json["id"] = node.id;
    json["use"] = node.use;
    json["from"] = Json::arrayValue;
    for (const auto& from : node.from) json["from"].append(from);
    json["with"] = node.with;
    root["nodes"].append(json);
  }
  return host::compact_json(root);
}

PipelineSpec random_pipeline(Random& random) { return Maker(random).make(); }

std::optional<host::Pipeline> parse(const PipelineSpec& spec) {
  static const host::Environment environment = [] {
    host::Environment local;
    local.name = "local";
    local.local = true;
    return local;
  }();
  host::ParseOptions options;
  options.clock.literal = true;
  try {
    return host::parse_pipeline_text("p.json", spec.text(), environment, simulated_catalog(),
                                     options);
  } catch (const host::Faults&) {
    return std::nullopt;
  }
}

}  // namespace patchbay::simulation
