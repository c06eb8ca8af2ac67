#include "engine/runtime.h"

#include "engine/services.h"
#include "loader/plugin_library.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

class LoggerForNode final : public NodeLog {
 public:
  LoggerForNode(Logger& logger, std::string node, NodeFigures& figures)
      : logger_(logger), node_(std::move(node)), figures_(figures) {}
  bool enabled(uint32_t level) const override { return logger_.enabled(level); }
  void log(uint32_t level, std::string_view message, std::string_view fields_json) override {
    logger_.log(level, node_, message, fields_json);
  }
  void metric_add(std::string_view name, double amount) override {
    figures_.add_metric(name, amount);
  }

 private:
  Logger& logger_;
  const std::string node_;
  NodeFigures& figures_;
};

}  // namespace

Runtime::Runtime(RunContext& run, Logger& logger)
    : Runtime(run, logger, [](const Manifest& manifest) {
        return load_plugin({manifest.id, manifest.version, manifest.library}, host_table());
      }) {}

Runtime::Runtime(RunContext& run, Logger& logger, const Load& load) : run_(run), logger_(logger) {
  for (const auto& node : run_.pipeline.nodes) {
    logs_.push_back(std::make_unique<LoggerForNode>(logger, node.id, run_.figures[logs_.size()]));
    const Manifest& manifest = *node.plugin;
    if (plugins_.contains(manifest.id)) continue;
    try {
      plugins_[manifest.id] = load(manifest);
    } catch (const Error& error) {
      throw NodeError(node.id, error.code(), error.what(), "", false);
    }
  }
}

const bay_component& Runtime::component_of(const Node& node) const {
  const bay_plugin* plugin = plugins_.at(node.plugin->id);
  const auto kind = static_cast<uint32_t>(node.kind) + BAY_SOURCE;
  for (size_t i = 0; i < plugin->n_components; ++i) {
    const bay_component& component = *plugin->components[i];
    const std::string_view name(component.name.data, component.name.size);
    if (component.kind == kind && name == node.component->name) return component;
  }
  throw NodeError(node.id, Code::kConfig,
                  "plugin " + node.plugin->id + ": its library has no " +
                      std::string(kind_name(node.kind)) + " " + node.component->name +
                      ", its manifest does; reinstall patchbay-plugin-" + node.plugin->id,
                  "", false);
}

std::unique_ptr<Instance> Runtime::make_instance(size_t i) {
  const Node& node = run_.pipeline.nodes[i];
  BasicServices services(run_, i, run_.cancel);
  return std::make_unique<Instance>(component_of(node), node.plugin->id, node.id, *logs_[i],
                                    compact_json(node.config), services);
}

InstanceSet Runtime::make_instances(const std::vector<size_t>& nodes) {
  InstanceSet set;
  set.instances.resize(run_.pipeline.nodes.size());
  for (const size_t node : nodes) set.instances[node] = make_instance(node);
  return set;
}

}  // namespace patchbay::host
