#include "cli/verbs.h"

#include <unistd.h>

#include <array>
#include <optional>

#include "cli/completion.h"
#include "cli/exit_codes.h"
#include "cli/render.h"
#include "patchbay/posix_error.h"
#include "pipeline/passwords.h"
#include "report/json_text.h"
#include "state/run_lock.h"

namespace patchbay::host {
namespace {

constexpr std::array kTable{Verb{"run", verb_run},
                            Verb{"copy", verb_copy},
                            Verb{"validate", verb_validate},
                            Verb{"check", verb_check},
                            Verb{"plan", verb_plan},
                            Verb{"discover", verb_discover},
                            Verb{"preview", verb_preview},
                            Verb{"plugins", verb_plugins},
                            Verb{"state", verb_state},
                            Verb{"runs", verb_runs},
                            Verb{"rejects", verb_rejects},
                            Verb{"schema", verb_schema},
                            Verb{"new", verb_new},
                            Verb{"conformance", hand_over_to_conformance},
                            Verb{"completion", verb_completion},
                            Verb{"version", verb_version},
                            Verb{"help", verb_help}};

void say(int fd, const std::string& text) {
  [[maybe_unused]] const ssize_t n = write(fd, text.data(), text.size());
}

int call_verb(Invocation& call, const std::vector<Verb>& own) {
  const std::string_view name = call.arguments.verb->name;
  for (const auto& verb : own) {
    if (verb.name == name) return verb.run(call);
  }
  for (const auto& verb : kTable) {
    if (verb.name == name) return verb.run(call);
  }
  throw Error(Code::kInternal, std::string(call.arguments.verb->name) + ": has no code");
}

struct Failure {
  int exit_code;
  std::string error_class, message;
  std::vector<std::string> lines;  // of stderr; empty = the message
};

Failure failure_of(Code code, const std::string& message) {
  return {exit_code_of(code), std::string(class_name(code)), message, {}};
}

Failure failure_of(int exit_code, const char* error_class, const Faults& faults) {
  Failure failure{exit_code, error_class, faults.what(), {}};
  for (const auto& fault : faults.all()) failure.lines.push_back(fault.text());
  return failure;
}

// Of the exception that is being handled.
Failure current_failure() {
  try {
    throw;
  } catch (const UsageError& error) {
    return {kExitUsage, "usage", error.what(), {}};
  } catch (const MissingSecrets& faults) {
    return failure_of(kExitAuth, "auth", faults);
  } catch (const Faults& faults) {
    return failure_of(kExitConfig, "config", faults);
  } catch (const AlreadyRunning& error) {
    return {kExitAlreadyRunning, "already_running", error.what(), {}};
  } catch (const Error& error) {
    return failure_of(error.code(), error.what());
  } catch (const std::exception& exception) {
    const Error error = error_of(exception);
    if (error.code() == Code::kInternal)
      return failure_of(error.code(), std::string(error.what()) + "; this is a bug");
    // What this program itself looks for and does not find is a fault of its configuration.
    return failure_of(error.code() == Code::kNotFound ? Code::kConfig : error.code(), error.what());
  }
}

// One line on stderr for each fault.
Printed failure_text(const Failure& failure) {
  Printed text;
  for (const auto& line : failure.lines) text.add("patchbay: ", line, "\n");
  return text.empty() ? text.add("patchbay: ", failure.message, "\n") : text;
}

Json::Value failure_json(const Failure& failure) {
  Json::Value json;
  json["outcome"] = "failed";
  json["exit_code"] = failure.exit_code;
  json["error"]["class"] = failure.error_class;
  json["error"]["message"] = failure.message;
  return json;
}

}  // namespace

int dispatch(const std::vector<std::string>& words, SignalWatch& signals,
             const std::vector<Verb>& own) {
  Redactor early;  // until there is an invocation
  for (const auto& word : words) {
    for (const auto& password : passwords_in_urls(word)) early.learn(password);
  }
  std::optional<Invocation> call;
  try {
    if (!words.empty() && words[0] == kCompleteVerb) {
      say(STDOUT_FILENO, complete({words.begin() + 1, words.end()}, signals));
      return kExitOk;
    }
    call.emplace(parse_arguments(words), signals);
    call->learn_passwords(words);
    if (asks_for_json(words)) call->prepare_crash_report(failure_json({kExitBug, "", "", {}}));
    if (!call->arguments.help) return call_verb(*call, own);
    call->print(Printed::lines(
        help_text(call->arguments.verb->name == "help" ? nullptr : call->arguments.verb)));
    return kExitOk;
  } catch (...) {
    const Failure failure = current_failure();
    const Redactor& redactor = call ? call->redactor : early;
    say(STDERR_FILENO, redactor.redact(failure_text(failure).text()));
    // A script that asked for JSON gets it, unless the verb's own document says how it went.
    if (asks_for_json(words) && !(call && call->printed()))
      say(STDOUT_FILENO, safe_json(pretty_json(redactor.redact_json(failure_json(failure)))));
    return failure.exit_code;
  }
}

}  // namespace patchbay::host
