// What a run of replay_pipeline needs beside its pipeline.
#pragma once

#include <memory>
#include <vector>

#include "engine/runtime.h"
#include "replay/replay_source.h"
#include "sync/sync.h"

namespace patchbay::host {

// Loads plugins from their packages, and the replay's source from here.
const bay_plugin* load_for_replay(const Manifest& manifest);

// While it lives, the pipeline's source reads these rejects. Throws NodeError kConfig where the
// node reads files, and makes none of what it refused.
class ReplayRun {
 public:
  ReplayRun(Runtime& runtime, std::vector<RejectGroup> groups);

 private:
  std::string make_file(const std::vector<std::string>& records);

  Runtime& runtime_;
  std::unique_ptr<Instance> node_;  // that refused, where it reads files
  sync::Mutex mutex_;               // one call on it at a time
  ReplayFeed feed_;
  ReplayScope scope_;
};

}  // namespace patchbay::host
