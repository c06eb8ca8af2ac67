// What a pipeline promises, computed from what its components declare.
#pragma once

#include <string>
#include <vector>

#include "pipeline/pipeline.h"

namespace patchbay::host {

struct GuaranteeResult {
  Guarantee guarantee = Guarantee::kExactlyOnce;
  std::vector<std::string>
      limited_by;  // "bq: at_least_once with method stream"; empty for exactly once
};

GuaranteeResult compute_guarantee(const Pipeline& pipeline);

// Does the sink make the stream's new content visible all at once, in place of the old? Such
// streams have one epoch.
bool replaces(const Node& node);

// Would rows that the sink has stand in it twice, if another epoch brought them again? Not where it
// replaces, goes by keys, or writes files, which take their names again.
bool would_double(const Node& sink);

}  // namespace patchbay::host
