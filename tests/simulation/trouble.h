// What goes wrong between a plugin and its system, by chance.
#pragma once

#include "simulation/scheduler.h"

namespace patchbay::simulation {

struct Trouble {
  double refused = 0;      // a call does nothing, and says that the system is unavailable
  double answer_lost = 0;  // it is done, and the caller hears that the system is unavailable
  double late = 0;         // the same, but it is done later, whatever happens until then
  double twice = 0;        // it is done now, and once more later
  double changes = 0;      // sources: somebody edits in the middle of reading
  double lost = 0;         // sinks: of what is prepared
  double refuses = 0;      // sinks: rows at the commit, with a reason
  Clock::time_point away_until{};

  bool is_away(const Scheduler& scheduler) const { return scheduler.now() < away_until; }
};

}  // namespace patchbay::simulation
