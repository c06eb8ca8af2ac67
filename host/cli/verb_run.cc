// run.
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <set>

#include "cli/exit_codes.h"
#include "cli/signal_watch.h"
#include "cli/verbs.h"
#include "engine/engine.h"
#include "manifest/config_check.h"
#include "patchbay/posix_error.h"
#include "pipeline/guarantee.h"
#include "pipeline/references.h"
#include "pipeline/targets.h"
#include "replay/replay_run.h"
#include "report/json_text.h"
#include "report/progress.h"
#include "report/run_report.h"
#include "report/ulid.h"
#include "state/run_lock.h"

namespace patchbay::host {
namespace {

// Files that reach a sink without becoming rows on any way.
void refuse_uncounted(const Pipeline& pipeline) {
  std::vector<bool> whole(pipeline.nodes.size());
  for (size_t i = 0; i < pipeline.nodes.size(); ++i) {
    const Node& node = pipeline.nodes[i];
    if (node.kind == Kind::kSource)
      whole[i] = gives_of(*node.component, node.config) == Flow::kObjects;
    for (const size_t from : node.from_index) whole[i] = whole[i] || whole[from];
    const bool decodes = node.kind == Kind::kTransform &&
                         takes_of(*node.component, node.config) == Flow::kObjects &&
                         gives_of(*node.component, node.config) == Flow::kRows;
    if (decodes) whole[i] = false;
    if (whole[i] && node.kind == Kind::kSink) {
      throw UsageError("--limit: counts rows, and " + node.id +
                       " gets whole files that nothing reads as rows; leave --limit out, or name "
                       "fewer files");
    }
  }
}

// Rows that do not pass can't be counted off, and a part of a table's content is not its content.
void refuse_limit(const Pipeline& pipeline) {
  refuse_uncounted(pipeline);
  for (const auto& node : pipeline.nodes) {
    if (replaces(node) || mirrors(node)) {
      throw UsageError(
          "--limit: " + node.id + " has " + way_of_writing(node) +
          ", and would be left with the first rows alone; leave --limit out, look with "
          "`patchbay preview`, or set write: append for a trial into another table");
    }
    const std::string system = rows_stay_in(node);
    if (system.empty()) continue;
    throw UsageError("--limit: the rows of " + node.id + " stay inside " + system +
                     "; leave it out, or put a LIMIT into the query");
  }
}

RunOptions run_options(Invocation& call, const Pipeline& pipeline) {
  RunOptions options;
  options.only = call.arguments.list("only");
  if (call.arguments.has("limit")) {
    options.limit = parse_count("limit", call.arguments.get("limit"), 1);
    refuse_limit(pipeline);
  }
  options.full_refresh = call.arguments.has("full-refresh");
  options.edge_bytes = call.environment().edge_bytes;
  if (!call.arguments.has("split")) return options;
  if (options.full_refresh)
    throw UsageError("--split: forgets no state; use --full-refresh without it");
  options.splits = read_splits(call.arguments.get("split"), pipeline);
  return options;
}

// The splits that this run has for itself; empty = the pipeline.
std::vector<std::string> locked_splits(const Pipeline& pipeline, const RunOptions& options) {
  std::vector<std::string> keys;
  if (!options.splits) return keys;
  for (const auto& split : *options.splits)
    keys.push_back(split_key(pipeline.nodes[split.node], split.plan));
  return keys;
}

ProgressStyle progress_style(const std::string& name) {
  if (name == "none") return ProgressStyle::kNone;
  if (name == "bar") return ProgressStyle::kBar;
  if (name == "log") return ProgressStyle::kLog;
  return Terminal::of(STDERR_FILENO).is_terminal ? ProgressStyle::kBar : ProgressStyle::kLog;
}

// One run, from the lock to the report.
class RunVerb {
 public:
  RunVerb(Invocation& call, RunClock clock, Pipeline pipeline, RunOptions options)
      : call_(call),
        clock_(std::move(clock)),
        pipeline_(std::move(pipeline)),
        options_(std::move(options)),
        lock_(call.environment().state_folder(), pipeline_.name,
              locked_splits(pipeline_, options_)),
        secrets_(call.secrets()),
        context_(pipeline_, options_, call.environment().name, clock_.run_id,
                 call.state(pipeline_.name), *secrets_, call.faults) {
    // Of a copy, the types that were guessed are told: no file says them.
    if (writes_to_standard_output(pipeline_)) call_.print_to_stderr();
    if (options_.one_off) context_.schema_seen = [this](const Schema& schema) { show(schema); };
  }

  void replay(std::vector<RejectGroup> groups) { replayed_ = std::move(groups); }

  int run() {
    SignalWatch::Scope scope(call_.signals,
                             {[this](int) { cancel(); }, [this] { context_.cleanup.cancel(); },
                              [this](int signal) { give_up(signal); }});
    outcome_.run = clock_.run_id;
    outcome_.pipeline = pipeline_.name;
    outcome_.environment = call_.environment().name;
    outcome_.started = clock_.started;
    outcome_.guarantee = guarantee_name(compute_guarantee(pipeline_).guarantee);
    call_.logger().set_run(pipeline_.name, clock_.run_id);
    context_.warn = [this](const std::string& node, const std::string& message) {
      call_.logger().log(BAY_LOG_WARN, node, message);
    };
    call_.state(pipeline_.name)
        .begin_run({clock_.run_id, pipeline_.name, outcome_.environment, iso_time(clock_.started)},
                   !options_.splits);
    outcome_.state_before = call_.state(pipeline_.name).stream_states();
    prepare_crash_report();
    execute();
    record();
    scope.done();
    print(report_json(outcome_, context_));
    if (outcome_.usage) throw UsageError(outcome_.failure.message);
    return outcome_.exit_code;
  }

 private:
  void show(const Schema& schema) {
    const std::lock_guard lock(shown_mutex_);
    if (!shown_.insert(schema.name).second) return;
    std::string columns;
    for (const auto& field : schema.fields)
      columns += (columns.empty() ? "" : ", ") + field.name + " " + type_name(field.type);
    call_.logger().log(BAY_LOG_INFO, schema.name, columns);
  }

  // Secrets are resolved before anything can print them.
  void learn_secrets() {
    for (const auto& node : pipeline_.nodes) {
      for (const auto& name : secrets_in(node.component->config, node.config))
        secrets_->resolve(name);
    }
  }

  // No epoch ends inside an object: what goes on in its middle is not known.
  void note_commit_rows() {
    if (!pipeline_.commit.rows_given) return;
    for (const auto& node : pipeline_.nodes) {
      if (node.kind != Kind::kSource || gives_of(*node.component, node.config) != Flow::kObjects)
        continue;
      call_.logger().log(BAY_LOG_WARN, node.id,
                         "commit.rows: an object is read whole before anything of it is committed; "
                         "rows: " +
                             std::to_string(pipeline_.commit.rows) + " ends no epoch inside one");
    }
  }

  void execute() {
    note_commit_rows();
    try {
      const Progress progress(progress_style(call_.arguments.get("progress", "auto")), context_,
                              call_.logger());
      learn_secrets();
      Runtime runtime(context_, call_.logger(), load_for_replay);
      std::optional<ReplayRun> replay;
      if (options_.replay) replay.emplace(runtime, std::move(replayed_));
      Engine engine(runtime);
      outcome_.result = execute(engine);
    } catch (const NodeError& error) {
      fail({{}, error.code(), false, error.node(), error.what()});
    } catch (const Error& error) {
      fail({{}, error.code(), false, "", error.what()});
    } catch (const UsageError& error) {
      fail({{}, Code::kConfig, false, "", error.what()});
      outcome_.usage = true;
    } catch (const std::exception& exception) {
      const Error error = error_of(exception);
      fail({{}, error.code(), false, "", error.what()});
    }
  }

  // A signal ends the engine while there is one.
  RunResult execute(Engine& engine) {
    struct Known {
      RunVerb& verb;
      Known(RunVerb& run, Engine* known) : verb(run) { verb.know(known); }
      ~Known() { verb.know(nullptr); }
    } const known(*this, &engine);
    if (context_.cancel.cancelled()) throw Error(Code::kCancelled, "cancelled");
    return engine.execute();
  }
  void know(Engine* engine) {
    const std::lock_guard lock(engine_mutex_);
    engine_ = engine;
  }
  void cancel() {
    context_.cancel.cancel();
    const std::lock_guard lock(engine_mutex_);
    if (engine_) engine_->cancel();
  }

  void fail(LaneFailure failure) {
    outcome_.failed_early = true;
    outcome_.failure = std::move(failure);
  }

  void record() {
    end_clock();
    judge(outcome_, call_.signals.signal());
    try {
      outcome_.state_after = call_.state(pipeline_.name).stream_states();
      const Json::Value json = call_.redactor.redact_json(report_json(outcome_, context_));
      call_.state(pipeline_.name)
          .finish_run(clock_.run_id, iso_time(outcome_.finished), outcome_.outcome,
                      outcome_.exit_code, compact_json(json));
      forget_what_is_old();
    } catch (const Error& error) {
      // What was moved is told all the same.
      if (!outcome_.failed_early) fail({{}, error.code(), false, "", error.what()});
      if (outcome_.exit_code == kExitOk) judge(outcome_, 0);
    }
  }

  void forget_what_is_old() {
    const Environment& environment = call_.environment();
    StateStore& state = call_.state(pipeline_.name);
    const auto before = [&](std::chrono::milliseconds age) {
      return iso_time(outcome_.finished - age);
    };
    if (environment.keep_rejects) state.clear_rejects("", before(*environment.keep_rejects));
    if (environment.keep_runs) state.clear_runs(before(*environment.keep_runs));
  }

  void print(const Json::Value& json) {
    if (call_.json()) {
      call_.print_json(json);
    } else {
      const TextReport text = report_text(outcome_, context_, Invocation::terminal().color);
      call_.print(text.report);
      call_.print_error(text.failures);
    }
  }

  // A plugin does not return: what is known is reported, the next run recovers.
  void give_up(int signal) {
    end_clock();
    judge(outcome_, signal);
    print(report_json(outcome_, context_));
    _exit(outcome_.exit_code);
  }

  void end_clock() {
    outcome_.finished = std::chrono::system_clock::now();
    outcome_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  }

  void prepare_crash_report() {
    if (!call_.json()) return;
    RunOutcome crashed = outcome_;
    crashed.finished = crashed.started;
    crashed.outcome = "failed";
    crashed.exit_code = kExitBug;
    call_.prepare_crash_report(report_json(crashed, context_));
  }

  Invocation& call_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  const RunClock clock_;
  const Pipeline pipeline_;
  const RunOptions options_;
  const RunLock lock_;
  const std::unique_ptr<SecretStore> secrets_;
  RunContext context_;
  RunOutcome outcome_;
  std::vector<RejectGroup> replayed_;
  std::mutex engine_mutex_;
  Engine* engine_ = nullptr;
  std::mutex shown_mutex_;
  std::set<std::string> shown_;  // streams
};

}  // namespace

int verb_run(Invocation& call) {
  const RunClock clock = call.clock();
  Pipeline pipeline = call.pipeline(0, clock);
  RunOptions options = run_options(call, pipeline);
  return RunVerb(call, clock, std::move(pipeline), std::move(options)).run();
}

int run_replay(Invocation& call, const RunClock& clock, Pipeline pipeline,
               std::vector<RejectGroup> groups) {
  RunOptions options;
  options.edge_bytes = call.environment().edge_bytes;
  options.replay = true;
  RunVerb verb(call, clock, std::move(pipeline), std::move(options));
  verb.replay(std::move(groups));
  return verb.run();
}

int run_copy(Invocation& call, const RunClock& clock, Pipeline pipeline) {
  RunOptions options = run_options(call, pipeline);
  options.one_off = true;
  return RunVerb(call, clock, std::move(pipeline), std::move(options)).run();
}

}  // namespace patchbay::host
