// The pipeline of a replay: rejects of one node go through it again, and on.
#pragma once

#include "pipeline/pipeline.h"

namespace patchbay::host {

// The node and all that is behind it, fed by replay_manifest's source. Throws Error kConfig that
// says why, where it could not be right: the node is a source; a node behind it works on whole
// streams or on several; a sink would be left with the rejects alone; or, unless `overwrite`, one
// goes by keys, and a refused row may be older than the one that its key has by now.
Pipeline replay_pipeline(const Pipeline& pipeline, size_t node, bool overwrite);

}  // namespace patchbay::host
