#include "simulation/scene.h"

#include <algorithm>
#include <sstream>

#include "state/state_store.h"

namespace patchbay::simulation {

Scene::Scene(uint64_t seed, bool traces, HistoryResult& result)
    : result_(result), scheduler_(seed), world_(scheduler_) {
  scheduler_.traces = traces;
}

void Scene::tell(const std::string& line) {
  scheduler_.note(line);
  result_.story.push_back(line);
}

bool Scene::make_pipeline() {
  spec_ = random_pipeline(random());
  pipeline_ = parse(spec_);
  if (pipeline_) tell("pipeline " + spec_.text());
  return pipeline_.has_value();
}

void Scene::parse_again() {
  pipeline_ = parse(spec_);
  if (!pipeline_) scheduler_.fail("the pipeline is not taken any more: " + spec_.text());
}

void Scene::change_settings(const std::string& name, const Json::Value& value) {
  spec_.settings[name] = value;
  parse_again();
}

void Scene::begin() {
  int64_t keys = 0;
  const bool joins = std::any_of(spec_.targets.begin(), spec_.targets.end(),
                                 [](const TargetSpec& target) { return target.joins; });
  for (const auto& source : spec_.sources) {
    world_.source(source.id).begin({source.kind, source.streams, source.parts, source.ties, keys});
    if (!joins) keys += 1'000'000;
  }
  for (const auto& [name, writing] : spec_.sinks) world_.sink(name).writing = writing;
}

RunRequest Scene::named(RunRequest request) {
  request.run_id = "run" + std::to_string(++result_.runs);
  return request;
}

RunResult Scene::run(RunRequest request, const std::string& how) {
  return run_together({std::move(request)}, how)[0];
}

std::vector<RunResult> Scene::run_together(std::vector<RunRequest> requests,
                                           const std::string& how) {
  std::vector<StartedRun> started;
  std::vector<model::Run> facts;
  for (auto& request : requests) {
    model::Run run;
    run.begin = scheduler_.event();
    run.refresh = request.options.full_refresh;
    run.whole = !request.options.splits && !request.options.limit && request.options.only.empty();
    facts.push_back(run);
    started.emplace_back(world_, *pipeline_, named(std::move(request)));
    tell(started.back().process().name + " begins" + how);
  }
  std::vector<RunResult> results;
  for (size_t i = 0; i < started.size(); ++i) {
    scheduler_.wait_for(started[i].process());
    facts[i].end = scheduler_.event();
    const RunResult& result = results.emplace_back(started[i].result());
    if (!result.died) usual_points_ = std::max<uint64_t>(200, started[i].process().points);
    facts[i].reported = !result.died;
    facts[i].ok = result.outcome == "ok";
    runs_.push_back(facts[i]);
    tell(started[i].process().name +
         (result.died ? " is killed" : ": " + result.outcome + " " + result.message));
  }
  for (size_t i = 0; i < results.size(); ++i) judge_run(results[i], facts[i]);
  return results;
}

void Scene::judge_run(const RunResult& result, const model::Run& facts) {
  const bool needs_a_word = result.message.find("would append them again") != std::string::npos &&
                            result.message.find("are given up") == std::string::npos &&
                            result.message.find("are to be read again;") == std::string::npos;
  if (needs_a_word && !may_need_a_word())
    scheduler_.fail("rows are in one sink and not in the other: " + result.message);
  const model::Report report = report_of(result);
  judge(model::check_report(report));
  for (const auto& counts : report.counts) reported_[counts.stream] += counts.written;
  const std::vector<model::Covered> before = state_.states;
  look();
  judge(model::check_kept(before, state_.states));
  if (!facts.ok || !facts.whole) return;
  judge(model::check_agreement(facts_of(world_, spec_, state_, runs_, excuses_)));
}

const StateFacts& Scene::look() {
  state_ = look_at_state(world_, "p");
  const model::History history = facts_of(world_, spec_, state_, runs_, excuses_);
  for (const auto& sink : history.sinks) judge(model::check_sink(history, sink));
  judge(model::check_states(history, state_.states, scheduler_.event()));
  judge(check_values(world_, spec_));
  if (spec_.targets.size() != 1 || !excuses_.empty()) return state_;
  const model::Sink& only = history.sinks[0];
  if (only.write != model::Write::kAppend) return state_;
  int64_t reported = 0;
  for (const auto& stream : only.streams)
    reported += reported_[stream.substr(stream.find('/') + 1)];
  judge(model::check_books(history, only, reported));
  return state_;
}

// Where the sinks that lose what they prepared are asked first, only a loss that none of them
// confessed, or a refusal at the commit, leaves rows in one sink and not in the other.
bool Scene::may_need_a_word() const {
  int forgetful = 0;  // but for those that are asked to keep their rows where another forgets them
  for (const auto& [name, writing] : spec_.sinks) {
    if (writing.judges_late || world_.sinks().at(name)->has_lost()) return true;
    forgetful +=
        writing.session && !writing.keeps_on_request && writing.mode == model::Write::kAppend;
  }
  return forgetful > 1;
}

void Scene::judge(const model::Faults& faults) {
  if (faults.empty()) return;
  std::string all;
  for (const auto& fault : faults) all += "\n  " + fault;
  scheduler_.fail("the model does not agree:" + all);
}

bool Scene::decide(const RunResult& result) {
  const std::string without = "` goes on, and ";
  const size_t end = result.message.find(without);
  if (end == std::string::npos) {
    if (result.message.find("or give them up: `patchbay state discard") == std::string::npos)
      return false;
    discard("", "", "");
    return true;
  }
  const size_t begin = result.message.rfind(' ', end) + 1;
  // Lanes fail one by one, and each names the sinks that have its rows.
  std::string shows;
  for (size_t at = 0; (at = result.message.find("; but ", at)) != std::string::npos;) {
    at += 6;
    shows += result.message.substr(at, result.message.find(" the same rows", at) - at) + " ";
  }
  // Where two sinks lack the rows, going on without one of them does not help.
  if (random().chance(0.5) || std::exchange(went_without_, true)) {
    discard("again", "", shows);
  } else {
    discard("without", result.message.substr(begin, end - begin), shows);
  }
  return true;
}

void Scene::discard(const std::string& how, const std::string& sink, const std::string& shows) {
  const std::vector<uint64_t> epochs = look().recorded;
  // What was taken out of a sink is to be read again: another decision would come too late.
  const bool decided = std::any_of(epochs.begin(), epochs.end(),
                                   [&](uint64_t epoch) { return taken_out_.contains(epoch); });
  const std::string option = decided ? "again" : how;
  if (option == "without") excuse(sink, world_.sink(sink).prepared_in(epochs), model::kStill);
  if (option == "again") take_out(epochs, shows);
  with_state("state discard" + (option.empty() ? "" : " --" + option + " " + sink),
             [&](host::StateStore& state) {
               Json::Value json(Json::objectValue);
               if (option == "again") json["again"] = true;
               if (option == "without") json["without"] = sink;
               state.discard_recorded(json);
             });
}

// The user takes rows out of the sinks that were named, "t1 has" or "t1 and t2 have", and of no
// other. Without a name there is nothing to take out.
void Scene::take_out(const std::vector<uint64_t>& epochs, const std::string& named) {
  std::istringstream words(named);
  std::string word;
  while (words >> word) {
    if (!world_.sinks().contains(word)) continue;
    taken_out_.insert(epochs.begin(), epochs.end());
    const auto is_wanted = [&](uint64_t epoch) { return taken_out_.contains(epoch); };
    excuse(word, world_.sink(word).take_out(is_wanted), scheduler_.event());
  }
}

// Sinks would meet the name of an unfinished epoch again, and know none of a state without epochs.
void Scene::back_up() {
  if (look().unfinished > 0 || state_.next_epoch == 1) return;
  backup_ = world_.disk().copy();
  epochs_of_backup_ = state_.next_epoch;
  tell("the state is backed up");
}

void Scene::go_back_to_backup() {
  const bool is_seen =
      std::any_of(world_.sinks().begin(), world_.sinks().end(), [&](const auto& one) {
        return one.second->writing.knows_newest && one.second->newest() >= epochs_of_backup_;
      });
  if (backup_.empty() || !is_seen) return;
  const Disk::Instead older(world_.disk(), backup_);
  // With nothing to read it delivers nothing twice, and asks no sink.
  run_in_vain("the state is an old one, out of a backup", false);
}

bool Scene::has_state_for(const std::string& sink) const {
  return std::any_of(state_.states.begin(), state_.states.end(), [&](const auto& state) {
    return std::any_of(spec_.targets.begin(), spec_.targets.end(), [&](const auto& target) {
      return target.sink == sink && std::find(target.streams.begin(), target.streams.end(),
                                              state.stream) != target.streams.end();
    });
  });
}

void Scene::lead_elsewhere() {
  look();
  auto node = std::find_if(spec_.nodes.begin(), spec_.nodes.end(),
                           [&](const NodeSpec& one) { return spec_.sinks.contains(one.id); });
  if (state_.unfinished != state_.prepared) return;
  if (!state_.prepared_sinks.contains(node->id) && !has_state_for(node->id)) return;
  const std::string elsewhere = node->id + "x";
  world_.sink(elsewhere).writing = spec_.sinks[node->id];
  node->with["system"] = elsewhere;
  parse_again();
  run_in_vain("a sink leads elsewhere", true);
  node->with["system"] = node->id;
  parse_again();
}

void Scene::run_in_vain(const std::string& why, bool idle_too) {
  StartedRun started(world_, *pipeline_, named({}));
  tell(started.process().name + " begins, though " + why);
  scheduler_.wait_for(started.process());
  const RunResult& result = started.result();
  tell(started.process().name + ": " + result.outcome + " " + result.message);
  const auto& streams = result.report["streams"];
  const bool reads = std::any_of(streams.begin(), streams.end(),
                                 [](const auto& one) { return one["attempts"].asInt() > 0; });
  if ((reads || idle_too) && (result.outcome == "ok" || result.outcome == "partial"))
    scheduler_.fail("a run goes on, though " + why);
}

void Scene::lose_power() {
  world_.disk().lose_power();
  tell("the power is lost");
  look();  // what the killed run had not synchronised may be gone
}

std::vector<host::GivenSplit> Scene::plan() {
  RunRequest request;
  request.plans = true;
  request.run_id = "plan";
  StartedRun started(world_, *pipeline_, std::move(request));
  scheduler_.wait_for(started.process());
  return started.result().splits;
}

void Scene::with_state(const std::string& what,
                       const std::function<void(host::StateStore&)>& work) {
  tell(what);
  Process& process = scheduler_.start("command", [this, &work] {
    host::FaultHook faults(nullptr);
    try {
      host::StateStore state(kStateDir, "p", faults);
      work(state);
    } catch (const Error& error) {
      tell(std::string("fails: ") + error.what());
    }
  });
  process.at_end.push_back([this, &process] { world_.leave(process); });
  scheduler_.wait_for(process);
}

}  // namespace patchbay::simulation
