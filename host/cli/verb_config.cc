// validate, schema, completion, version, help.
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
namespace {

struct Validated {
  std::vector<Fault> faults;
  int exit_code = kExitOk;
};

Validated validate_one(Invocation& call, size_t n) {
  Validated result;
  try {
    call.pipeline(n, call.clock());
  } catch (const MissingSecrets& faults) {
    result = {faults.all(), kExitAuth};
  } catch (const Faults& faults) {
    result = {faults.all(), kExitConfig};
  } catch (const Error& error) {
    result = {{{call.arguments.positional[n], {}, error.what()}}, exit_code_of(error.code())};
    const std::string prefix = call.arguments.positional[n] + ": ";
    std::string& message = result.faults[0].message;
    if (message.starts_with(prefix)) message = message.substr(prefix.size());
  }
  return result;
}

Json::Value fault_json(const Fault& fault) {
  Json::Value json;
  json["file"] = fault.file;
  json["line"] = fault.position.line;
  json["column"] = fault.position.column;
  json["message"] = fault.message;
  return json;
}

}  // namespace

int verb_validate(Invocation& call) {
  int exit_code = kExitOk;
  Json::Value list(Json::arrayValue);
  std::string text;
  for (size_t i = 0; i < call.arguments.positional.size(); ++i) {
    const Validated result = validate_one(call, i);
    if (exit_code == kExitOk || result.exit_code == kExitConfig) {
      exit_code = result.exit_code == kExitOk ? exit_code : result.exit_code;
    }
    Json::Value one;
    one["pipeline"] = call.arguments.positional[i];
    one["valid"] = result.faults.empty();
    one["faults"] = Json::arrayValue;
    if (result.faults.empty()) text += call.arguments.positional[i] + ": ok\n";
    for (const auto& fault : result.faults) {
      one["faults"].append(fault_json(fault));
      text += fault.text() + "\n";
    }
    list.append(one);
  }
  if (call.json()) {
    call.print_json(list);
  } else {
    call.print(text);
  }
  return exit_code;
}

int verb_schema(Invocation& call) {
  call.print_json(pipeline_schema(call.catalog()));
  return kExitOk;
}

int verb_completion(Invocation& call) {
  call.print(completion_script(call.arguments.positional[0]));
  return kExitOk;
}

int verb_version(Invocation& call) {
  if (!call.json()) {
    call.print("patchbay " PATCHBAY_VERSION ", plugin ABI " + std::to_string(BAY_ABI_MAJOR) + "." +
               std::to_string(BAY_ABI_MINOR) + "\n");
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
    call.print(manual_page());
    return kExitOk;
  }
  if (call.arguments.has("markdown")) {
    call.print(command_reference());
    return kExitOk;
  }
  if (call.arguments.positional.empty()) {
    call.print(help_text(nullptr));
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
  call.print(help_text(verb));
  return kExitOk;
}

}  // namespace patchbay::host
