// Random pipelines: their text for the host, and what the model is told of them.
#pragma once

#include <json/value.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipeline/pipeline.h"
#include "simulation/source_system.h"
#include "simulation/world.h"

namespace patchbay::simulation {

struct NodeSpec {
  std::string id, use;
  std::vector<std::string> from;
  Json::Value with = Json::objectValue;
};

struct SourceSpec {
  std::string id;
  SourceKind kind = SourceKind::kCursor;
  bool incremental = true;
  std::vector<std::string> streams;
  int parts = 1;
  bool ties = false, grows = false;
};

// A table of a sink, or all of its objects.
struct TargetSpec {
  std::string sink, table;  // empty: its objects
  model::Write write = model::Write::kAppend;
  std::vector<std::string> streams;   // "source/stream"
  std::vector<std::string> refusers;  // nodes on the way that refuse rows, the sink among them
  std::map<std::string, bool> drops_of, refuses_of;  // by stream: a `sift` on the way
  std::set<std::string> whole;  // of the streams: those of which each run reads everything
  bool joins = false, unique = false;
};

struct PipelineSpec {
  std::vector<NodeSpec> nodes;
  std::vector<SourceSpec> sources;
  std::map<std::string, Writing> sinks;
  std::vector<TargetSpec> targets;
  Json::Value settings;  // commit, retry, rejects, concurrency, on_schema_change

  std::string text() const;
  bool refuses_grown() const { return settings["on_schema_change"].asString() == "reject"; }
};

PipelineSpec random_pipeline(Random& random);

// As the host reads it; nothing where `validate` refuses it.
std::optional<host::Pipeline> parse(const PipelineSpec& spec);

}  // namespace patchbay::simulation
