// The source of a replay: rejects on record, as rows or, for a node that reads files, as files.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "manifest/manifest.h"
#include "patchbay/abi.h"
#include "state/state_store.h"

namespace patchbay::host {

// What a replay reads: the rejects of one node.
struct ReplayFeed {
  StateStore& state;
  std::vector<RejectGroup> groups;
  // The bytes of a file that holds these records, as the node makes it; null where it takes rows.
  std::function<std::string(const std::vector<std::string>& records)> make_file;
};

std::shared_ptr<const Manifest> replay_manifest(bool gives_files);

// Behind that manifest. Its sources read the feed of the ReplayScope that is open in the process.
const bay_plugin* replay_plugin();

class ReplayScope {
 public:
  explicit ReplayScope(const ReplayFeed& feed);
  ~ReplayScope();
  ReplayScope(const ReplayScope&) = delete;
  ReplayScope& operator=(const ReplayScope&) = delete;
};

}  // namespace patchbay::host
