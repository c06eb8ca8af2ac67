// check, plan, discover, preview: they reach the systems and change nothing.
#include <functional>

#include "cli/exit_codes.h"
#include "cli/values.h"
#include "cli/verbs.h"
#include "engine/input_services.h"
#include "engine/lane_plan.h"
#include "engine/schema_steps.h"
#include "engine/services.h"
#include "manifest/config_check.h"
#include "patchbay/suggest.h"
#include "pipeline/guarantee.h"
#include "pipeline/references.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

// A pipeline that is looked at, not run: nothing is recorded.
class Look {
 public:
  explicit Look(Invocation& call, std::vector<std::string> only = {})
      : clock_(call.clock()),
        pipeline_(call.pipeline(0, clock_)),
        options_(look_options(std::move(only))),
        secrets_(call.secrets()),
        run_(pipeline_, options_, call.environment().name, clock_.run_id, call.look(pipeline_.name),
             *secrets_, call.faults) {
    call.logger().set_run(pipeline_.name, clock_.run_id);
    for (const auto& node : pipeline_.nodes) {
      for (const auto& name : secrets_in(node.component->config, node.config))
        secrets_->resolve(name);
    }
    runtime_ = std::make_unique<Runtime>(run_, call.logger());
  }

  const Pipeline& pipeline() const { return pipeline_; }
  RunContext& run() { return run_; }
  Runtime& runtime() { return *runtime_; }
  BasicServices services(size_t node) { return BasicServices(run_, node, run_.cancel); }

  size_t node_index(const std::string& id) const {
    std::vector<std::string> ids;
    for (size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      if (pipeline_.nodes[i].id == id) return i;
      ids.push_back(pipeline_.nodes[i].id);
    }
    throw UsageError("--node " + id + ": the pipeline has no such node" + did_you_mean(id, ids));
  }

 private:
  static RunOptions look_options(std::vector<std::string> only) {
    RunOptions options;
    options.only = std::move(only);
    options.look_only = true;
    return options;
  }

  const RunClock clock_;
  const Pipeline pipeline_;
  const RunOptions options_;
  const std::unique_ptr<SecretStore> secrets_;
  RunContext run_;
  std::unique_ptr<Runtime> runtime_;
};

Printed fields_text(const std::vector<Field>& fields, const std::string& indent) {
  Printed text;
  for (const auto& field : fields) {
    text.add(indent, field.name, ": ", type_name(field.type), field.nullable ? "" : " (never null)",
             "\n");
  }
  return text;
}

// A transform's bind: it may ask which node a stream comes from.
class BindServices : public BasicServices, public InputServices {
 public:
  BindServices(RunContext& run, size_t node, std::vector<std::string> from)
      : BasicServices(run, node, run.cancel), from_(std::move(from)) {}

  std::optional<size_t> ready(std::span<const uint32_t>) override { return 0; }  // nothing flows
  const std::string& from(size_t input) const override { return from_.at(input); }

 private:
  const std::vector<std::string> from_;
};

// The schema of each stream as it reaches a node, as far as it is known without data.
using KnownStreams = std::vector<SchemaPtr>;

class StreamPlan {
 public:
  explicit StreamPlan(Look& look) : look_(look) {
    for (size_t i = 0; i < look.pipeline().nodes.size(); ++i) {
      set_.instances.push_back(look.runtime().make_instance(i));
      out_.push_back(streams_of(i));
    }
  }
  const KnownStreams& out(size_t node) const { return out_[node]; }
  Instance& instance(size_t node) { return *set_.instances[node]; }
  InstanceSet& instances() { return set_; }

  KnownStreams into(size_t node) const {
    KnownStreams in;
    const Node& n = look_.pipeline().nodes[node];
    for (const size_t from : n.from_index)
      in.insert(in.end(), out_[from].begin(), out_[from].end());
    return n.kind == Kind::kSink ? filtered(n, in) : in;
  }

 private:
  static KnownStreams filtered(const Node& node, const KnownStreams& streams) {
    const StreamFilter filter{node.streams.selected, node.streams.renamed};
    KnownStreams out;
    for (const auto& stream : streams) {
      if (!filter.passes(stream->name)) continue;
      auto copy = std::make_shared<Schema>(*stream);
      copy->name = filter.name_of(stream->name);
      out.push_back(std::move(copy));
    }
    return out;
  }

  KnownStreams bound(size_t i) {
    const Node& node = look_.pipeline().nodes[i];
    KnownStreams in, streams;
    std::vector<std::string> from;
    for (const size_t upstream : node.from_index) {
      for (const auto& schema : out_[upstream]) {
        if (schema->fields.empty()) continue;
        in.push_back(schema);
        from.push_back(look_.pipeline().nodes[upstream].id);
      }
    }
    if (in.empty()) return {};
    BindServices services(look_.run(), i, std::move(from));
    for (auto& schema : set_.instances[i]->bind(services, in)) {
      streams.push_back(std::make_shared<Schema>(std::move(schema)));
    }
    return streams;
  }

  KnownStreams streams_of(size_t i) {
    const Node& node = look_.pipeline().nodes[i];
    auto services = look_.services(i);
    KnownStreams streams;
    if (node.kind == Kind::kSource) {
      for (const auto& json : set_.instances[i]->discover(services)) {
        streams.push_back(std::make_shared<Schema>(schema_from_json(json)));
      }
    } else if (node.kind == Kind::kTransform) {
      streams = bound(i);
    }
    return filtered(node, streams);
  }

  Look& look_;
  InstanceSet set_;
  std::vector<KnownStreams> out_;
};

Json::Value splits_json(Look& look, StreamPlan& streams, Printed& text) {
  Json::Value list(Json::arrayValue);
  const RecoveredSplits nothing;
  LanePlanner planner(look.run(), nothing);
  const std::vector<Lane> lanes = planner.plan(streams.instances());
  // What run would refuse, plan refuses.
  look.run().identities.learn(planner.streams(), true, [](const std::string&) {});
  for (const auto& lane : lanes) {
    for (const auto& source : lane.sources) {
      for (const auto& split : source.splits) {
        Json::Value one;
        one["node"] = look.pipeline().nodes[source.node].id;
        one["stream"] = split.plan.stream;
        one["split"] = parse_json_text(split.plan.json);
        one["lane"] = lane.key;
        list.append(one);
        text.add("  split ", split_key(look.pipeline().nodes[source.node], split.plan), " (stream ",
                 split.plan.stream, ")\n");
      }
    }
  }
  return list;
}

std::string step_text(const Json::Value& step) {
  std::string text = step["action"].asString();
  for (const char* key : {"table", "field", "type"}) {
    if (step.isMember(key)) text += " " + step[key].asString();
  }
  return text;
}

}  // namespace

int verb_check(Invocation& call) {
  Look look(call);
  Json::Value json(Json::arrayValue);
  Printed text;
  int exit_code = kExitOk;
  for (size_t i = 0; i < look.pipeline().nodes.size(); ++i) {
    const std::string& id = look.pipeline().nodes[i].id;
    Json::Value one;
    one["node"] = id;
    one["ok"] = true;
    auto services = look.services(i);
    try {
      look.runtime().make_instance(i)->check(services);
      text.add(id, ": ok\n");
    } catch (const Error& error) {
      one["ok"] = false;
      one["class"] = std::string(class_name(error.code()));
      one["message"] = error.what();
      text.add(id, ": ", error.what(), "\n");
      if (exit_code == kExitOk) exit_code = exit_code_of(error.code());
    }
    json.append(one);
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(text);
  }
  return exit_code;
}

int verb_plan(Invocation& call) {
  Look look(call, call.arguments.list("only"));
  StreamPlan streams(look);
  const GuaranteeResult guarantee = compute_guarantee(look.pipeline());
  Json::Value json;
  json["pipeline"] = look.pipeline().name;
  json["guarantee"] = std::string(guarantee_name(guarantee.guarantee));
  json["limited_by"] = Json::arrayValue;
  Printed text(look.pipeline().name, ": ", guarantee_name(guarantee.guarantee), "\n");
  for (const auto& limit : guarantee.limited_by) {
    json["limited_by"].append(limit);
    text.add("  limited by ", limit, "\n");
  }
  json["splits"] = splits_json(look, streams, text);
  json["streams"] = Json::arrayValue;
  json["sinks"] = Json::arrayValue;
  for (size_t i = 0; i < look.pipeline().nodes.size(); ++i) {
    const Node& node = look.pipeline().nodes[i];
    for (const auto& stream : streams.out(i)) {
      Json::Value one = to_json(*stream);
      one["node"] = node.id;
      json["streams"].append(one);
    }
    if (node.kind != Kind::kSink) continue;
    Json::Value sink;
    sink["node"] = node.id;
    if (node.config.isMember("write")) sink["write"] = node.config["write"];
    sink["delivery"] = std::string(delivery_name(delivery_of(*node.component, node.config)));
    sink["steps"] = Json::arrayValue;
    text.add("  ", node.id, ": ", sink.isMember("write") ? sink["write"].asString() + ", " : "",
             sink["delivery"].asString(), "\n");
    auto services = look.services(i);
    for (const auto& stream : streams.into(i)) {
      if (stream->fields.empty()) continue;
      Json::Value steps = streams.instance(i).plan_schema(services, *stream);
      take_has_rows(steps);
      for (const auto& step : steps) {
        sink["steps"].append(step);
        text.add("    ", step_text(step), "\n");
        require_allowed(look.pipeline(), i, step);
      }
    }
    json["sinks"].append(sink);
  }
  if (call.arguments.has("values")) {
    json["values"] = values_json(look.pipeline().values);
    text.add(values_text(look.pipeline().values));
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(text);
  }
  return kExitOk;
}

int verb_discover(Invocation& call) {
  Look look(call);
  Json::Value json(Json::arrayValue);
  Printed text;
  const bool one_node = call.arguments.has("node");
  const size_t wanted = one_node ? look.node_index(call.arguments.get("node")) : 0;
  for (size_t i = 0; i < look.pipeline().nodes.size(); ++i) {
    const Node& node = look.pipeline().nodes[i];
    if (node.kind != Kind::kSource || (one_node && i != wanted)) continue;
    auto services = look.services(i);
    for (Json::Value stream : look.runtime().make_instance(i)->discover(services)) {
      text.add(node.id, ": stream ", stream["name"].asString(), "\n");
      text.add(stream.isMember("fields") ? fields_text(schema_from_json(stream).fields, "  ")
                                         : Printed("  (the data tells its fields)\n"));
      stream["node"] = node.id;
      json.append(stream);
    }
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(text);
  }
  return kExitOk;
}

namespace {

// Rows of one stream, as they are shown.
struct Shown {
  SchemaPtr schema;
  Json::Value rows{Json::arrayValue};
};

std::string cell_text(const Json::Value& value) {
  if (value.isNull()) return std::string(kNullCell);
  if (value.isString()) return value.asString();
  std::string text = value.isDouble() ? pretty_json(value) : compact_json(value);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Printed shown_text(const Shown& shown) {
  std::vector<std::string> header;
  for (const auto& field : shown.schema->fields) header.push_back(field.name);
  if (header.empty()) return {};
  Table table(header);
  for (const auto& row : shown.rows) {
    std::vector<std::string> cells;
    for (const auto& name : header) cells.push_back(cell_text(row[name]));
    table.add(std::move(cells));
  }
  return table.text(Invocation::terminal());
}

// The node that a preview shows unless told: the one that the first sink reads.
size_t default_node(const Pipeline& pipeline) {
  for (const auto& node : pipeline.nodes) {
    if (node.kind == Kind::kSink) return node.from_index.at(0);
  }
  return 0;
}

}  // namespace

int verb_preview(Invocation& call) {
  const int64_t wanted = parse_count("rows", call.arguments.get("rows", "20"), 1);
  Look look(call);
  const size_t node = call.arguments.has("node") ? look.node_index(call.arguments.get("node"))
                                                 : default_node(look.pipeline());
  if (look.pipeline().nodes[node].kind == Kind::kSink) {
    throw UsageError("--node " + look.pipeline().nodes[node].id +
                     ": is a sink; choose the node before it");
  }
  if (const std::string system = rows_stay_in(look.pipeline().nodes[node]); !system.empty()) {
    throw UsageError("--node " + look.pipeline().nodes[node].id + ": its rows stay inside " +
                     system + "; look at them there, or at their columns with `patchbay plan`");
  }
  std::map<std::string, Shown> shown;
  int64_t taken = 0;
  const Collector collector{
      node, [&](const SchemaPtr& schema, const Batch& batch) {
        Shown& stream = shown[schema->name];
        stream.schema = schema;
        for (int64_t row = 0; row < batch.rows() && taken < wanted; ++row, ++taken) {
          stream.rows.append(parse_json_text(row_to_json(*schema, batch.array(), row)));
        }
        return taken < wanted;
      }};
  const std::vector<size_t> nodes = upstream_of(look.pipeline(), node);
  InstanceSet instances = look.runtime().make_instances(nodes);
  Lane lane;
  lane.key = "preview";
  lane.nodes = nodes;
  lane.one_epoch = true;
  for (const size_t i : nodes) {
    if (look.pipeline().nodes[i].kind != Kind::kSource) continue;
    auto services = look.services(i);
    LaneSource source{i, {}};
    for (auto& split :
         instances.instances[i]->plan(services, look.pipeline().nodes[i].streams.selected, 1)) {
      if (!split.id.empty()) source.splits.push_back({std::move(split), ""});
    }
    lane.sources.push_back(std::move(source));
  }
  SchemaSteps steps(look.run());
  CommitTurns turns(look.pipeline());
  LaneAttempt(look.run(), steps, turns, instances, lane, "preview", &collector).execute();
  Json::Value json(Json::arrayValue);
  Printed text;
  for (auto& [name, stream] : shown) {
    Json::Value one = to_json(*stream.schema);
    one["rows"] = stream.rows;
    json.append(one);
    if (shown.size() > 1) text.add(name, ":\n");
    text.add(shown_text(stream));
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(shown.empty() ? Printed("no rows\n") : text);
  }
  return kExitOk;
}

}  // namespace patchbay::host
