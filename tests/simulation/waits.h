// Waits of simulated plugins.
#pragma once

#include "simulation/scheduler.h"

namespace patchbay::simulation {

// Waits that long; false as soon as the call's token (call.cancel_fd()) is cancelled.
bool wait_unless_cancelled(int fd, Duration time);
void forget_tokens();  // between two histories

}  // namespace patchbay::simulation
