// Brings a sink's tables to the schema of the streams it gets, once per instance, stream and
// schema.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "engine/component.h"
#include "engine/run_context.h"

namespace patchbay::host {

class SchemaSteps {
 public:
  explicit SchemaSteps(RunContext& run) : run_(run) {}

  // Plans, judges by the pipeline's policy, applies. `origin` is the source's stream, for the
  // report. Other lanes wait. Throws kSchema where a column is missing and the policy does not
  // allow to add or leave it out.
  void bring_up(size_t sink, Instance& instance, const SchemaPtr& schema, const std::string& origin,
                NodeServices& services);

 private:
  void judge(size_t sink, Json::Value& step, const std::string& origin);

  RunContext& run_;
  std::mutex mutex_;
  std::map<std::pair<const Instance*, std::string>, Schema> done_;
};

}  // namespace patchbay::host
