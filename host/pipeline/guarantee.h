// What a pipeline promises, computed over the whole graph from one table of rules, and what is
// refused because no run of it could be right.
#pragma once

#include <string>
#include <vector>

#include "pipeline/fault.h"
#include "pipeline/pipeline.h"

namespace patchbay::host {

enum class RuleEffect {
  kLimits,   // the guarantee is at_least_once
  kRefuses,  // validate says so, with the node's place
};

// A rule as people read it: docs/promises.md prints the table.
struct GuaranteeRule {
  const char* name;
  const char* when;
  RuleEffect effect;
  const char* instead;  // what to write
};
const std::vector<GuaranteeRule>& guarantee_rules();

struct GuaranteeResult {
  Guarantee guarantee = Guarantee::kExactlyOnce;
  std::vector<std::string> limited_by;  // "bq: writes at least once with method: stream"
};

GuaranteeResult compute_guarantee(const Pipeline& pipeline);

// Adds a fault for each place of the pipeline that a rule refuses.
void check_rules(const std::string& file, const Pipeline& pipeline, std::vector<Fault>& faults);

// Does the sink make the stream's new content visible all at once, in place of the old? Such
// streams have one epoch.
bool replaces(const Node& node);

// Does it follow the stream: rows or objects that a whole read of it lacks are deleted? Then the
// read must be one epoch.
bool mirrors(const Node& node);

// The option that says so of a sink that replaces or mirrors, as a pipeline has it.
std::string way_of_writing(const Node& node);

// Do its rows go by keys, so that of several with one key the last counts?
bool goes_by_keys(const Node& node);

// Has the option with the names of the node's objects something that is another in each run?
bool names_differ_by_run(const Node& node);

// Would rows that the sink has stand in it twice, if another epoch brought them again? Not where it
// replaces, goes by keys, or writes files that take their names again in each run.
bool would_double(const Node& sink);

}  // namespace patchbay::host
