// What a state is a state of, as far as the pipeline file says: the options that are marked
// `identity` in the manifests, and the tables. As JSON that is kept beside the state.
#pragma once

#include <json/value.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "pipeline/pipeline.h"

namespace patchbay::host {

// {"use": "sqlite", "options": {"path": "/data/shop.db"}, "table": "orders"}: what the node reads
// as this stream, or where it writes it. Paths are absolute; ${run.id} and the like stay as
// written.
Json::Value node_identity(const Node& node, const std::string& stream);

// Where a sink writes, whatever its tables, as text.
std::string place_identity(const Node& sink);

// Where a sink writes these streams, as text: a prepared epoch goes nowhere else.
std::string target_identity(const Node& sink, const std::set<std::string>& streams);

// The names under which a source's stream reaches each sink that it flows to: several where the
// ways rename it. Of a transform that makes streams of its own, nothing is known.
using NamesBySink = std::map<size_t, std::set<std::string>>;
NamesBySink names_at_sinks(const Pipeline& pipeline, size_t source, const std::string& stream);

struct IdentityDifference {
  std::string what;  // "path of src"
  std::string was, is;
};

// Members that differ, in words. `node` is the id that the words name.
std::vector<IdentityDifference> compare_identities(const std::string& node, const Json::Value& was,
                                                   const Json::Value& is);

}  // namespace patchbay::host
