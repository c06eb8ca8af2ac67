// The way from a plugin to its system: requests take time, and may be lost, late or doubled.
#pragma once

#include <functional>

#include "patchbay/call.h"
#include "simulation/trouble.h"

namespace patchbay::simulation {

class World;

// What a request does at the system; also what it does there a second time, or late. By value only:
// the process may be gone by then.
using Request = std::function<void()>;

// Sends it and waits for the answer. Throws Error kUnavailable or kCancelled; then nobody knows
// whether it is done, will be, or will not.
void send(World& world, Call& call, const Trouble& trouble, const Request& request);

// A request that changes nothing: it is not late, and not doubled.
void ask(World& world, Call& call, const Trouble& trouble);

}  // namespace patchbay::simulation
