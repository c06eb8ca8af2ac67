// What a verb works with: the arguments, and the parts of the host, made when first asked for.
#pragma once

#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cli/arguments.h"
#include "cli/signal_watch.h"
#include "environment/environment.h"
#include "pipeline/parse_pipeline.h"
#include "report/logger.h"
#include "report/printed.h"
#include "report/redactor.h"
#include "report/table.h"
#include "state/state_store.h"

namespace patchbay::host {

class Invocation {
 public:
  Invocation(Arguments arguments, SignalWatch& signals);

  const Arguments arguments;
  Redactor redactor;
  FaultHook faults;
  SignalWatch& signals;  // of the process

  bool json() const { return arguments.get("output") == "json"; }
  const Environment& environment();
  std::vector<std::string> environment_names() const;  // that there are, local included
  std::filesystem::path environment_dir(const std::string& name) const;
  Invocation in_environment(const std::string& name) const;  // the same command line in another
  const Catalog& catalog();
  PluginDirs plugin_dirs() const;  // where the catalog looks
  // Of the pipeline; made where missing.
  StateStore& state(const std::string& pipeline);
  // The same for those who only look: without records it is empty, and nothing is made.
  StateStore& look(const std::string& pipeline);
  // Pipelines of which there are records, those of the version before as well.
  std::vector<std::string> recorded_pipelines();
  void close_state(const std::string& pipeline) { states_.erase(pipeline); }
  Logger& logger();
  // Reads the PIPELINE argument number `n`.
  Pipeline pipeline(size_t n, const RunClock& clock);
  Pipeline pipeline_at(const std::string& given, const RunClock& clock);  // a file, a name or "-"
  RunClock clock() const;
  // Without --set; the redactor hears of passwords.
  ParseOptions parse_options(const RunClock& clock);
  // Passwords in URLs of the command line are never printed.
  void learn_passwords(const std::vector<std::string>& words);
  // The name under which a PIPELINE argument, a file or already a name, keeps its state.
  std::string pipeline_name(size_t n) { return pipeline_name_of(arguments.positional.at(n)); }
  std::string pipeline_name_of(const std::string& given);
  // The same, of a pipeline that there is or of which there are records. Throws UsageError.
  std::string recorded_name(size_t n);
  std::unique_ptr<SecretStore> secrets();

  void print(const Printed& text);                                   // to stdout, redacted
  void print_json(const Json::Value& value);                         // one document
  void print_json_line(const Json::Value& value);                    // one of many
  void print_part(const Printed& before, const Json::Value& value);  // of a document, compact
  void print_error(const Printed& text);                             // to stderr, redacted
  bool printed() const { return printed_; }  // whether stdout has anything yet
  // From now on all of this goes to stderr: stdout has a pipeline's data.
  void print_to_stderr();
  static Terminal terminal();
  // What a crash prints in place of the command's document: this one, with what happened.
  void prepare_crash_report(Json::Value document);

 private:
  Places places() const;
  void write_out(const std::string& text);
  static void write_to(int fd, const std::string& text);

  bool printed_ = false;
  int output_ = STDOUT_FILENO;
  std::map<std::string, std::unique_ptr<StateStore>> states_;  // by pipeline
  std::optional<Environment> environment_;
  std::optional<Catalog> catalog_;
  StateStore& store(const std::string& pipeline, StateStore::Open open);
  const std::filesystem::path& own_state_folder();  // throws where others may change it
  bool state_checked_ = false;
  std::unique_ptr<Logger> logger_;
};

}  // namespace patchbay::host
