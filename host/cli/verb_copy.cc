// copy.
#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "pipeline/copy_pipeline.h"

namespace patchbay::host {

namespace {

// A name on the command line may be the secret itself: it is not shown unless there is such a
// secret.
void check_names(Invocation& call, const std::vector<SecretUse>& uses) {
  const auto secrets = call.secrets();
  for (const auto& use : uses) {
    try {
      secrets->resolve(use.name, kHiddenName);
    } catch (const Error& error) {
      if (error.code() != Code::kAuth && error.code() != Code::kConfig) throw;
      call.redactor.learn(use.name);
      throw Error(error.code(), not_a_secret(use.option, error.what()));
    }
  }
}

}  // namespace

int verb_copy(Invocation& call) {
  CopyRequest request{call.arguments.positional[0],
                      call.arguments.positional[1],
                      call.arguments.get("from-format"),
                      call.arguments.get("to-format"),
                      {},
                      call.arguments.has("limit")};
  for (const auto& setting : call.arguments.all("set")) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError("--set " + setting + ": must be NODE.OPTION=VALUE");
    request.settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  const CopyPipeline copy = copy_pipeline(call.catalog(), request);
  check_names(call, copy.secrets);
  if (call.arguments.has("print")) {
    call.print(Printed::lines(safe_json(copy.text)));
    return kExitOk;
  }
  const RunClock clock = call.clock();
  return run_copy(call, clock,
                  parse_pipeline_text("copy", copy.text, call.environment(), call.catalog(),
                                      call.parse_options(clock)));
}

}  // namespace patchbay::host
