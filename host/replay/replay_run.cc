#include "replay/replay_run.h"

#include "engine/call.h"
#include "engine/services.h"
#include "loader/plugin_library.h"

namespace patchbay::host {
namespace {

constexpr size_t kNode = 1;  // behind the source

}  // namespace

const bay_plugin* load_for_replay(const Manifest& manifest) {
  if (manifest.library.empty()) return replay_plugin();
  return load_plugin({manifest.id, manifest.version, manifest.library}, host_table());
}

ReplayRun::ReplayRun(Runtime& runtime, std::vector<RejectGroup> groups)
    : runtime_(runtime), feed_{runtime.run().state, std::move(groups), {}}, scope_(feed_) {
  const Node& node = runtime.run().pipeline.nodes[kNode];
  if (takes_of(*node.component, node.config) != Flow::kObjects) return;
  node_ = runtime.make_instance(kNode);
  feed_.make_file = [this](const std::vector<std::string>& records) { return make_file(records); };
  make_file({});
}

std::string ReplayRun::make_file(const std::vector<std::string>& records) {
  const Guard lock(mutex_);
  RunContext& run = runtime_.run();
  BasicServices services(run, kNode, run.cancel);
  if (auto file = node_->file_of(services, records)) return std::move(*file);
  const Node& node = run.pipeline.nodes[kNode];
  throw NodeError(node.id, Code::kConfig,
                  node.use +
                      " makes no file of the records that it refused; its files have to be "
                      "read again: `patchbay state reset`",
                  "", false);
}

}  // namespace patchbay::host
