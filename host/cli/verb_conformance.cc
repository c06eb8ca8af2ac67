// conformance: a plugin's file against the rules of the ABI.
#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "engine/conformance.h"

namespace patchbay::host {

int verb_conformance(Invocation& call) {
  const ConformanceResult result = run_conformance(call.arguments.positional[0]);
  Json::Value json(Json::arrayValue);
  Printed text;
  bool passed = true;
  for (const auto& check : result.checks) {
    Json::Value one;
    one["check"] = check.name;
    one["ok"] = check.failure.empty();
    if (!check.failure.empty()) one["message"] = check.failure;
    one["why"] = check.why;
    one["contract"] = check.contract;
    json.append(one);
    text.add(check.failure.empty() ? "ok      " : "FAILED  ", check.name);
    if (!check.failure.empty()) {
      text.add(": ", check.failure, "\n        why:  ", check.why,
               "\n        see:  ", check.contract);
    }
    text.add("\n");
    passed &= check.failure.empty();
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(text);
  }
  return passed ? kExitOk : kExitBug;
}

}  // namespace patchbay::host
