// copy.
#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "pipeline/copy_pipeline.h"

namespace patchbay::host {

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
  const std::string text = copy_pipeline(call.catalog(), request);
  if (call.arguments.has("print")) {
    call.print(Printed::lines(safe_json(text)));
    return kExitOk;
  }
  const RunClock clock = call.clock();
  return run_copy(call, clock,
                  parse_pipeline_text("copy", text, call.environment(), call.catalog(),
                                      ParseOptions{{}, clock}));
}

}  // namespace patchbay::host
