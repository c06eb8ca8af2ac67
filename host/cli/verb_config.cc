// schema, completion, version, help.
#include "cli/completion.h"
#include "cli/exit_codes.h"
#include "cli/reference.h"
#include "cli/render.h"
#include "cli/verbs.h"
#include "patchbay/abi.h"
#include "patchbay/suggest.h"

#ifndef PATCHBAY_VERSION
#define PATCHBAY_VERSION "0.0.0"
#endif

namespace patchbay::host {

int verb_schema(Invocation& call) {
  call.print_json(pipeline_schema(call.catalog()));
  return kExitOk;
}

int verb_completion(Invocation& call) {
  call.print(Printed::lines(completion_script(call.arguments.positional[0])));
  return kExitOk;
}

int verb_version(Invocation& call) {
  if (!call.json()) {
    call.print(Printed("patchbay " PATCHBAY_VERSION ", plugin ABI ", std::to_string(BAY_ABI_MAJOR),
                       ".", std::to_string(BAY_ABI_MINOR), "\n"));
    return kExitOk;
  }
  Json::Value json;
  json["version"] = PATCHBAY_VERSION;
  json["abi"]["major"] = BAY_ABI_MAJOR;
  json["abi"]["minor"] = BAY_ABI_MINOR;
  call.print_json(json);
  return kExitOk;
}

int verb_help(Invocation& call) {
  if (call.arguments.has("man")) {
    call.print(Printed::lines(manual_page()));
    return kExitOk;
  }
  if (call.arguments.has("markdown")) {
    call.print(Printed::lines(command_reference()));
    return kExitOk;
  }
  if (call.arguments.positional.empty()) {
    call.print(Printed::lines(help_text(nullptr)));
    return kExitOk;
  }
  const std::string& word = call.arguments.positional[0];
  const VerbSpec* verb = find_verb(word);
  if (!verb) {
    std::vector<std::string> names;
    for (const auto& one : verb_specs()) names.emplace_back(one.name);
    throw UsageError("help: there is no command " + word + did_you_mean(word, names) +
                     " (see `patchbay help`)");
  }
  call.print(Printed::lines(help_text(verb)));
  return kExitOk;
}

}  // namespace patchbay::host
