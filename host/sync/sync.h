// Threads, locks, time and chance as the engine uses them. Here they are the standard ones, at no
// cost. The simulator (tests/simulation) compiles the same code with PATCHBAY_SIMULATION: there a
// seed decides which thread runs next, and time is what the simulator says.
#pragma once

#ifdef PATCHBAY_SIMULATION

#include "simulation/sync_body.h"

#else

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace patchbay::host::sync {

using Mutex = std::mutex;
using Condition = std::condition_variable;
using Thread = std::jthread;  // joins when it goes

// The clock that only goes forward.
inline std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

inline std::chrono::system_clock::time_point wall_now() { return std::chrono::system_clock::now(); }

double uniform_random();  // in [0, 1)

}  // namespace patchbay::host::sync

#endif

namespace patchbay::host {

using Guard = std::lock_guard<sync::Mutex>;
using Lock = std::unique_lock<sync::Mutex>;

}  // namespace patchbay::host
