// What a verb works with: the arguments, and the parts of the host, made when first asked for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/arguments.h"
#include "environment/environment.h"
#include "pipeline/parse_pipeline.h"
#include "report/logger.h"
#include "report/redactor.h"
#include "report/table.h"
#include "state/state_store.h"

namespace patchbay::host {

class Invocation {
 public:
  explicit Invocation(Arguments arguments);

  const Arguments arguments;
  Redactor redactor;
  FaultHook faults;

  bool json() const { return arguments.get("output") == "json"; }
  const Environment& environment();
  std::vector<std::string> environment_names() const;  // that there are, local included
  std::filesystem::path environment_dir(const std::string& name) const;
  Invocation in_environment(const std::string& name) const;  // the same command line in another
  const Catalog& catalog();
  PluginDirs plugin_dirs() const;  // where the catalog looks
  StateStore& state();
  Logger& logger();
  // Reads the PIPELINE argument number `n`.
  Pipeline pipeline(size_t n, const RunClock& clock);
  Pipeline pipeline_at(const std::string& given, const RunClock& clock);  // a file, a name or "-"
  RunClock clock() const;
  // The name under which a PIPELINE argument, a file or already a name, keeps its state.
  std::string pipeline_name(size_t n);
  std::unique_ptr<SecretStore> secrets();

  void print(const std::string& text);             // to stdout, redacted
  void print_json(const Json::Value& value);       // one document
  void print_json_line(const Json::Value& value);  // one of many
  bool printed() const { return printed_; }        // whether stdout has anything yet
  static Terminal terminal();
  // What a crash prints in place of the command's document: this one, with what happened.
  void prepare_crash_report(Json::Value document);

 private:
  Places places() const;
  void write_out(const std::string& text);

  bool printed_ = false;
  std::optional<Environment> environment_;
  std::optional<Catalog> catalog_;
  std::unique_ptr<StateStore> state_;
  std::unique_ptr<Logger> logger_;
};

}  // namespace patchbay::host
