// A pipeline in its world: runs it, looks at what came of it, and asks the model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulation/facts.h"
#include "simulation/history.h"
#include "simulation/pipelines.h"
#include "simulation/run.h"

namespace patchbay::simulation {

class Scene {
 public:
  Scene(uint64_t seed, bool traces, HistoryResult& result);

  // False where `validate` refuses it.
  bool make_pipeline();
  void begin();  // of the world's side

  // Each in a thread of the world.
  RunResult run(RunRequest request, const std::string& how);
  // Several processes side by side.
  std::vector<RunResult> run_together(std::vector<RunRequest> requests, const std::string& how);
  std::vector<host::GivenSplit> plan();
  // Mistakes of the user, which the host must refuse, and which are put right after one run: a
  // state from a backup, and a sink that leads elsewhere. Nothing where they would be none.
  void back_up();
  void go_back_to_backup();
  void lead_elsewhere();
  // What the user does on the command line, which takes the state for itself.
  void with_state(const std::string& what, const std::function<void(host::StateStore&)>& work);
  // What the user does about a run that says that it needs a decision; false where it needs none.
  bool decide(const RunResult& result);
  void discard(const std::string& how, const std::string& sink, const std::string& shows);
  void lose_power();
  void change_settings(const std::string& name, const Json::Value& value);
  // After something happened: what is there, judged.
  const StateFacts& look();
  void tell(const std::string& line);

  Scheduler& scheduler() { return scheduler_; }
  World& world() { return world_; }
  Random& random() { return scheduler_.random(); }
  PipelineSpec& spec() { return spec_; }
  const host::Pipeline& pipeline() const { return *pipeline_; }
  void parse_again();
  uint64_t usual_points() const { return usual_points_; }
  HistoryResult& result() { return result_; }

 private:
  void run_in_vain(const std::string& why, bool idle_too);
  bool has_state_for(const std::string& sink) const;
  void take_out(const std::vector<uint64_t>& epochs, const std::string& named);
  RunRequest named(RunRequest request);
  void judge_run(const RunResult& result, const model::Run& facts);
  void judge(const model::Faults& faults);
  bool may_need_a_word() const;
  template <class Rows>
  void excuse(const std::string& sink, const Rows& rows, model::Time before) {
    for (const model::Id row : rows) excuses_[sink][row] = before;
  }

  HistoryResult& result_;
  Scheduler scheduler_;
  World world_;
  PipelineSpec spec_;
  std::optional<host::Pipeline> pipeline_;
  std::vector<model::Run> runs_;
  Excuses excuses_;
  std::set<uint64_t> taken_out_;  // epochs
  bool went_without_ = false;
  Disk::Copy backup_;
  uint64_t epochs_of_backup_ = 0;
  StateFacts state_;
  std::map<std::string, int64_t> reported_;  // written, by stream, over all reports
  uint64_t usual_points_ = 1000;
};

}  // namespace patchbay::simulation
