// The verbs: each prints its result and returns the exit code, or throws.
#pragma once

#include "cli/invocation.h"

namespace patchbay::host {

int verb_run(Invocation& call);
int verb_copy(Invocation& call);
int verb_validate(Invocation& call);
int verb_check(Invocation& call);
int verb_plan(Invocation& call);
int verb_discover(Invocation& call);
int verb_preview(Invocation& call);
int verb_plugins(Invocation& call);
int verb_state(Invocation& call);
int verb_runs(Invocation& call);
int verb_rejects(Invocation& call);
int verb_schema(Invocation& call);
int verb_new(Invocation& call);
int verb_conformance(Invocation& call);
int verb_completion(Invocation& call);
int verb_version(Invocation& call);
int verb_help(Invocation& call);

// plugins verify FILE.deb: before it is installed.
int verify_package(Invocation& call, const std::filesystem::path& file);

// The last runs, newest first; of all pipelines where none is named.
std::vector<RunSummary> newest_runs(Invocation& call, const std::string& pipeline, size_t most);

// One run under the flags of `run`, with its report; the columns of each stream go to stderr when
// they are known.
int run_copy(Invocation& call, const RunClock& clock, Pipeline pipeline);

// One run of a pipeline that replay_pipeline made, over these rejects.
int run_replay(Invocation& call, const RunClock& clock, Pipeline pipeline,
               std::vector<RejectGroup> groups);

// Becomes the program patchbay-conformance, which is installed apart. Throws Error kConfig where it
// is not there.
int hand_over_to_conformance(Invocation& call);

struct Verb {
  std::string_view name;
  int (*run)(Invocation&);
};

// Runs the verb; `own` come before those of patchbay. Every failure becomes one message on stderr,
// redacted, and its exit code.
int dispatch(const std::vector<std::string>& words, SignalWatch& signals,
             const std::vector<Verb>& own = {});

}  // namespace patchbay::host
