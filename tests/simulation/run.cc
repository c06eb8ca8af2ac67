#include "simulation/run.h"

#include <csignal>

#include "cli/exit_codes.h"
#include "engine/engine.h"
#include "engine/services.h"
#include "pipeline/guarantee.h"
#include "report/json_text.h"
#include "report/run_report.h"
#include "report/ulid.h"
#include "simulation/plugins.h"
#include "state/state_store.h"

namespace patchbay::simulation {

using namespace host;

// On the heap and never freed by a process that dies: its threads may have used it to the last.
struct StartedRun::Shared {
  World& world;
  Pipeline pipeline;
  RunRequest request;
  RunResult result;
};

namespace {

const Redactor& redactor() {
  static const Redactor none;
  return none;
}

Logger& logger() {
  static Logger to_stderr(0, LogFormat::kText, redactor());
  return to_stderr;
}

void put_in(Json::Value& value, const std::string& run_id) {
  if (value.isObject())
    for (const auto& name : value.getMemberNames()) put_in(value[name], run_id);
  if (!value.isString()) return;
  std::string text = value.asString();
  if (const size_t at = text.find("${run.id}"); at != std::string::npos)
    value = text.replace(at, 9, run_id);
}

std::string words(const RunOutcome& outcome) {
  std::string text;
  const auto add = [&](const LaneFailure& failure) {
    text += (text.empty() ? "" : "; ") + (failure.node.empty() ? "" : failure.node + ": ") +
            failure.message;
  };
  for (const auto& failure : outcome.result.failures) add(failure);
  if (outcome.failed_early) add(outcome.failure);
  return text;
}

// The main thread of the process.
class Main {
 public:
  Main(World& world, const Pipeline& pipeline, const RunRequest& request, RunResult& result)
      : world_(world), pipeline_(pipeline), request_(request), result_(result) {}

  void run() {
    try {
      StateStore state(kStateDir, pipeline_.name, faults_);
      run_with(state);
    } catch (const Error& error) {
      result_.outcome = "failed";
      result_.message = error.what();
      result_.exit_code = exit_code_of(error.code());
    }
    result_.died = false;
  }

 private:
  void plan(RunContext& context) {
    Runtime runtime(context, logger(), [](const Manifest&) { return load_simulated(); });
    for (size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      if (pipeline_.nodes[i].kind != Kind::kSource) continue;
      BasicServices services(context, i, context.cancel);
      for (auto& split : runtime.make_instance(i)->plan(services, {}, 1))
        if (!split.id.empty()) result_.splits.push_back({i, std::move(split)});
    }
  }

  void run_with(StateStore& state) {
    SecretStore secrets({}, [](std::string_view) {});
    RunContext context(pipeline_, request_.options, "local", request_.run_id, state, secrets,
                       faults_);
    context.warn = [&](const std::string& node, const std::string& message) {
      world_.scheduler().note("warning: " + node + ": " + message);
    };
    if (request_.plans) return plan(context);
    outcome_.run = request_.run_id;
    outcome_.pipeline = pipeline_.name;
    outcome_.environment = "local";
    outcome_.started = sync::wall_now();
    outcome_.guarantee = guarantee_name(compute_guarantee(pipeline_).guarantee);
    state.begin_run({request_.run_id, pipeline_.name, "local", iso_time(outcome_.started)},
                    !request_.options.splits);
    outcome_.state_before = state.stream_states();
    execute(context);
    finish(state, context);
  }

  void execute(RunContext& context) {
    try {
      Runtime runtime(context, logger(), [](const Manifest&) { return load_simulated(); });
      Engine engine(runtime);
      const Watch watch(world_.scheduler(), engine, result_.interrupted);
      outcome_.result = engine.execute();
    } catch (const NodeError& error) {
      fail({{}, error.code(), false, error.node(), error.what()});
    } catch (const Error& error) {
      fail({{}, error.code(), false, "", error.what()});
    } catch (const std::exception& error) {
      fail({{}, Code::kInternal, false, "", error.what()});
    }
  }

  // Listens for Ctrl-C while the engine lives.
  class Watch {
   public:
    Watch(Scheduler& scheduler, Engine& engine, bool& interrupted)
        : scheduler_(scheduler), process_(*scheduler.process()) {
      process_.on_interrupt = [this, &engine, &interrupted] {
        interrupted = true;
        thread_ = &scheduler_.spawn(&process_, "signal", [&engine] { engine.cancel(); });
      };
    }
    ~Watch() {
      process_.on_interrupt = nullptr;
      if (thread_) scheduler_.join(*thread_);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Scheduler& scheduler_;
    Process& process_;
    Thread* thread_ = nullptr;
  };

  void fail(LaneFailure failure) {
    outcome_.failed_early = true;
    outcome_.failure = std::move(failure);
  }

  void finish(StateStore& state, const RunContext& context) {
    outcome_.finished = sync::wall_now();
    judge(outcome_, result_.interrupted ? SIGINT : 0);
    try {
      outcome_.state_after = state.stream_states();
      state.finish_run(request_.run_id, iso_time(outcome_.finished), outcome_.outcome,
                       outcome_.exit_code, compact_json(report_json(outcome_, context)));
    } catch (const Error& error) {
      if (!outcome_.failed_early) fail({{}, error.code(), false, "", error.what()});
      if (outcome_.exit_code == 0) judge(outcome_, 0);
    }
    result_.report = report_json(outcome_, context);
    result_.outcome = outcome_.outcome;
    result_.exit_code = outcome_.exit_code;
    result_.message = words(outcome_);
  }

  World& world_;
  const Pipeline& pipeline_;
  const RunRequest& request_;
  RunResult& result_;
  FaultHook faults_{nullptr};
  RunOutcome outcome_;
};

}  // namespace

StartedRun::StartedRun(World& world, const Pipeline& pipeline, RunRequest request)
    : shared_(new Shared{world, pipeline, std::move(request), {}}) {
  for (auto& node : shared_->pipeline.nodes) put_in(node.config, shared_->request.run_id);
  process_ = &world.scheduler().start(shared_->request.run_id, [shared = shared_] {
    Main(shared->world, shared->pipeline, shared->request, shared->result).run();
  });
  process_->kill_at = shared_->request.kill_at;
  process_->kill_at_step = shared_->request.kill_at_step;
  process_->kill_after = shared_->request.kill_after;
  process_->freeze_at = shared_->request.freeze_at;
  process_->freeze_for = shared_->request.freeze_for;
  process_->interrupt_at = shared_->request.interrupt_at;
  process_->at_end.push_back([&world, process = process_] { world.leave(*process); });
}

const RunResult& StartedRun::result() const { return shared_->result; }

}  // namespace patchbay::simulation
