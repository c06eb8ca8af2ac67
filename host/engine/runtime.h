// A pipeline with its plugins loaded: makes instances of its nodes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/component.h"
#include "engine/lane_attempt.h"
#include "engine/run_context.h"
#include "report/logger.h"

namespace patchbay::host {

class Runtime {
 public:
  using Load = std::function<const bay_plugin*(const Manifest&)>;

  // Loads every plugin that the pipeline uses. Throws as load_plugin does.
  Runtime(RunContext& run, Logger& logger);
  // With plugins from elsewhere.
  Runtime(RunContext& run, Logger& logger, const Load& load);

  std::unique_ptr<Instance> make_instance(size_t node);
  InstanceSet make_instances(const std::vector<size_t>& nodes);
  RunContext& run() { return run_; }
  Logger& logger() { return logger_; }

 private:
  const bay_component& component_of(const Node& node) const;

  RunContext& run_;
  Logger& logger_;
  std::map<std::string, const bay_plugin*> plugins_;  // by id
  std::vector<std::unique_ptr<NodeLog>> logs_;        // by node
};

}  // namespace patchbay::host
