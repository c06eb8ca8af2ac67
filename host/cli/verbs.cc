#include "cli/verbs.h"

#include <unistd.h>

#include <array>
#include <functional>

#include "cli/exit_codes.h"
#include "cli/render.h"
#include "state/run_lock.h"

namespace patchbay::host {
namespace {

struct Verb {
  std::string_view name;
  int (*run)(Invocation&);
};

constexpr std::array kTable{Verb{"run", verb_run},
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
                            Verb{"conformance", verb_conformance},
                            Verb{"completion", verb_completion},
                            Verb{"version", verb_version},
                            Verb{"help", verb_help}};

void complain(const Redactor& redactor, const std::string& message) {
  const std::string text = redactor.redact("patchbay: " + message) + "\n";
  [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, text.data(), text.size());
}

int call_verb(Invocation& call) {
  for (const auto& verb : kTable) {
    if (verb.name == call.arguments.verb->name) return verb.run(call);
  }
  throw Error(Code::kInternal, std::string(call.arguments.verb->name) + ": has no code");
}

int guarded(const Redactor& redactor, const std::function<int()>& work) {
  try {
    return work();
  } catch (const UsageError& error) {
    complain(redactor, error.what());
    return kExitUsage;
  } catch (const MissingSecrets& error) {
    complain(redactor, error.what());
    return kExitAuth;
  } catch (const Faults& error) {
    complain(redactor, error.what());
    return kExitConfig;
  } catch (const AlreadyRunning& error) {
    complain(redactor, error.what());
    return kExitAlreadyRunning;
  } catch (const Error& error) {
    complain(redactor, error.what());
    return exit_code_of(error.code());
  } catch (const std::exception& error) {
    complain(redactor, std::string(error.what()) + "; this is a bug");
    return kExitBug;
  }
}

}  // namespace

int dispatch(const std::vector<std::string>& words) {
  const Redactor nothing;
  return guarded(nothing, [&] {
    Invocation call(parse_arguments(words));
    if (call.arguments.help) {
      call.print(help_text(call.arguments.verb->name == "help" ? nullptr : call.arguments.verb));
      return int{kExitOk};
    }
    return guarded(call.redactor, [&] { return call_verb(call); });
  });
}

}  // namespace patchbay::host
