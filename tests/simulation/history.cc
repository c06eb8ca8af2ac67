#include "simulation/history.h"

#include <sqlite3.h>

#include "simulation/scene.h"
#include "state/state_store.h"

namespace patchbay::simulation {
namespace {

using std::chrono::hours, std::chrono::milliseconds, std::chrono::seconds;

class History {
 public:
  explicit History(Scene& scene) : scene_(scene), world_(scene.world()), random_(scene.random()) {}

  void live() {
    choose_policy();
    scene_.begin();
    for (int64_t left = random_.between(2, 7); left > 0; --left) {
      make_trouble();
      for (uint64_t edits = random_.below(4); edits > 0; --edits) edit();
      something();
    }
    end_trouble();
    settle_down();
  }

 private:
  void choose_policy() {
    Policy& policy = scene_.scheduler().policy();
    policy.stay = random_.uniform();
    policy.priorities = random_.chance(0.2);
    policy.jump = random_.chance(0.5) ? 0 : 0.01;
    policy.spurious = random_.chance(0.5) ? 0 : 0.1;
  }

  void edit() {
    for (const auto& source : scene_.spec().sources) {
      SourceSystem& system = world_.source(source.id);
      system.grows = system.grows || (source.grows && random_.chance(0.2));
      if (random_.chance(0.7)) system.edit();
    }
    scene_.tell("somebody edits the sources");
  }

  double maybe(double chance, double most) {
    return random_.chance(chance) ? random_.uniform() * most : 0;
  }

  void make_trouble() {
    for (const auto& [name, sink] : world_.sinks()) {
      Trouble& trouble = sink->trouble;
      trouble = {};
      trouble.refused = maybe(0.2, 0.1);
      trouble.answer_lost = maybe(0.3, 0.3);
      trouble.late = maybe(0.3, 0.2);
      trouble.twice = maybe(0.3, 0.3);
      trouble.lost = maybe(0.2, 0.3);
      if (random_.chance(0.1))
        trouble.away_until = scene_.scheduler().now() + milliseconds(random_.below(2000));
    }
    for (const auto& [name, source] : world_.sources()) {
      source->trouble.refused = maybe(0.2, 0.1);
      source->trouble.changes = maybe(0.3, 0.1);
    }
    // Many calls fail, or one of a run.
    const double most = random_.chance(0.5) ? 0.02 : 0.001;
    world_.disk().trouble.errors = maybe(0.15, most);
    world_.disk().trouble.unsynced = maybe(0.15, 0.3);
    world_.disk().trouble.full = random_.chance(0.03);
    if (random_.chance(0.1))
      scene_.scheduler().step_wall(hours(random_.between(-24 * 400, 24 * 400)));
  }

  void end_trouble() {
    for (const auto& [name, sink] : world_.sinks()) {
      sink->trouble = {};
      sink->writing.empties = true;
      if (sink->writing.judges_late) sink->writing.unique = false;
    }
    for (const auto& [name, source] : world_.sources()) source->trouble = {};
    world_.disk().trouble = {};
    scene_.tell("the trouble is over");
  }

  RunRequest random_request() {
    RunRequest request;
    if (random_.chance(0.35)) request.kill_at = 1 + random_.below(scene_.usual_points());
    if (random_.chance(0.3)) request.kill_at_step = 1 + random_.below(40);
    if (random_.chance(0.15))
      request.kill_after = random_.of<std::string>({"state.record.after", "sim.commit.before",
                                                    "sim.commit.after", "state.committed.before"});
    if (random_.chance(0.05)) {
      request.freeze_at = 1 + random_.below(scene_.usual_points());
      request.freeze_for = seconds(random_.below(30));
    }
    if (random_.chance(0.06)) request.interrupt_at = 1 + random_.below(scene_.usual_points());
    request.options.full_refresh = random_.chance(0.06);
    return request;
  }

  void something() {
    const RunRequest request = random_request();
    const RunResult result =
        scene_.run(request, request.options.full_refresh ? " --full-refresh" : "");
    if (result.died && random_.chance(0.4)) scene_.lose_power();
    if (random_.chance(0.5)) scene_.decide(result);
    if (random_.chance(0.05)) scene_.discard("", "", "");
    if (random_.chance(0.05)) scene_.back_up();
    if (random_.chance(0.05)) scene_.go_back_to_backup();
    if (random_.chance(0.04)) scene_.lead_elsewhere();
  }

  // Without trouble, and with the limits that a user would raise, all becomes as it must be.
  void settle_down() {
    Json::Value rejects;
    rejects["max"] = 1'000'000;
    scene_.spec().settings["rejects"] = rejects;
    if (scene_.spec().settings["on_schema_change"].asString() == "fail")
      scene_.spec().settings["on_schema_change"] = "evolve";
    scene_.parse_again();
    for (int i = 0;; ++i) {
      const RunResult result = scene_.run({}, "");
      if (result.outcome == "ok") return;
      scene_.decide(result);
      if (i == 8)
        scene_.scheduler().fail("without any trouble it does not become ok: " + result.message);
    }
  }

  Scene& scene_;
  World& world_;
  Random& random_;
};

}  // namespace

HistoryResult play(uint64_t seed, bool traces) {
  HistoryResult result;
  sqlite3_randomness(0, nullptr);  // it is seeded anew, by the history's own disk
  Scene scene(seed, traces, result);
  result.refused = !scene.make_pipeline();
  if (result.refused) return result;
  try {
    scene.scheduler().run([&] {
      try {
        History(scene).live();
      } catch (const Error& error) {  // of the world's own look at the state
        scene.scheduler().fail(std::string("the state cannot be read: ") + error.what());
      }
    });
  } catch (const Failure& failure) {
    result.failure = failure.what();
  }
  result.hash = scene.scheduler().hash();
  result.steps = scene.scheduler().steps();
  return result;
}

}  // namespace patchbay::simulation
