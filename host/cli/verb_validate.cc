// validate.
#include <algorithm>

#include "cli/exit_codes.h"
#include "cli/values.h"
#include "cli/verbs.h"
#include "files/local_files.h"

namespace patchbay::host {
namespace {

struct Validated {
  std::vector<Fault> faults;
  int exit_code = kExitOk;
  std::vector<NamedValue> values;
};

Validated validate_one(Invocation& call, const std::string& pipeline) {
  Validated result;
  try {
    result.values = call.pipeline_at(pipeline, call.clock()).values;
  } catch (const MissingSecrets& faults) {
    result = {faults.all(), kExitAuth, {}};
  } catch (const Faults& faults) {
    result = {faults.all(), kExitConfig, {}};
  } catch (const Error& error) {
    result = {{{pipeline, {}, error.what()}}, exit_code_of(error.code()), {}};
    const std::string prefix = pipeline + ": ";
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

// What is found, in one environment or in all of them.
class Validation {
 public:
  explicit Validation(bool name_environment) : name_environment_(name_environment) {}

  // Everything of one environment, its own file first.
  void environment(Invocation& call, const std::string& name) {
    try {
      for (const auto& pipeline : pipelines_of(call))
        add(call, name, pipeline, validate_one(call, pipeline));
    } catch (const Faults& faults) {
      add(call, name, "environment.yaml", {faults.all(), kExitConfig, {}});
    }
  }

  Json::Value list{Json::arrayValue};
  Printed text;
  int exit_code = kExitOk;

 private:
  static std::vector<std::string> pipelines_of(Invocation& call) {
    const Environment& environment = call.environment();
    if (!call.arguments.positional.empty()) return call.arguments.positional;
    if (environment.local)
      throw UsageError("validate: needs a PIPELINE, or --env for all of an environment");
    std::vector<std::string> files;
    for (const auto& file : entries_of(environment.pipelines())) {
      const std::string extension = file.extension().string();
      if (extension == ".yaml" || extension == ".yml" || extension == ".json")
        files.push_back(file.string());
    }
    return files;
  }

  void add(Invocation& call, const std::string& environment, const std::string& pipeline,
           const Validated& result) {
    if (exit_code == kExitOk || result.exit_code == kExitConfig)
      exit_code = result.exit_code == kExitOk ? exit_code : result.exit_code;
    Json::Value one;
    one["pipeline"] = pipeline;
    one["environment"] = environment;
    one["valid"] = result.faults.empty();
    one["faults"] = Json::arrayValue;
    const std::string where = name_environment_ ? environment + ": " : "";
    if (result.faults.empty()) text.add(where, pipeline, ": ok\n");
    for (const auto& fault : result.faults) {
      one["faults"].append(fault_json(fault));
      text.add(where, fault.text(), "\n");
    }
    if (call.arguments.has("values")) {
      one["values"] = values_json(result.values);
      if (!result.values.empty()) text.add(values_text(result.values));
    }
    list.append(one);
  }

  bool name_environment_;
};

}  // namespace

int verb_validate(Invocation& call) {
  const bool all = call.arguments.get("env") == "all";
  Validation validation(all);
  if (!all) {
    validation.environment(call, call.environment().name);
  } else {
    for (const auto& name : call.environment_names()) {
      if (name == "local") continue;
      Invocation one = call.in_environment(name);
      validation.environment(one, name);
    }
    if (validation.list.empty() && validation.text.empty())
      validation.text.add("no environment has a pipeline\n");
  }
  if (call.json()) {
    call.print_json(validation.list);
  } else {
    call.print(validation.text);
  }
  return validation.exit_code;
}

}  // namespace patchbay::host
