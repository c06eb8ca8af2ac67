#include "simulation/remote.h"

#include <memory>
#include <utility>

#include "simulation/waits.h"
#include "simulation/world.h"

namespace patchbay::simulation {
namespace {

using std::chrono::milliseconds, std::chrono::microseconds;

Duration some_time(Random& random, int64_t most_ms) {
  return microseconds(random.below(static_cast<uint64_t>(most_ms) * 1000));
}

[[noreturn]] void unavailable(const char* what) { throw Error(Code::kUnavailable, what); }

void wait(Call& call, Duration time) {
  if (!wait_unless_cancelled(call.cancel_fd(), time)) throw Error(Code::kCancelled, "cancelled");
}

// A message that is on its way whatever becomes of its sender.
void send_late(World& world, Request request, int64_t most_ms) {
  const Duration delay = some_time(world.random(), most_ms);
  world.scheduler().spawn(nullptr, "a late request", [&world, request, delay] {
    world.scheduler().sleep(delay);
    request();
  });
}

// From the sending until it arrives: if the sender ends or gives up meanwhile, it may still arrive.
class InFlight {
 public:
  InFlight(World& world, const Request& request)
      : flight_(std::make_shared<Flight>(Flight{world, request})) {
    world.scheduler().process()->at_end.push_back([flight = flight_] { flight->leave_alone(); });
  }
  ~InFlight() { flight_->leave_alone(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  void is_settled() { flight_->settled = true; }

 private:
  struct Flight {
    World& world;
    Request request;
    bool settled = false;

    void leave_alone() {
      if (std::exchange(settled, true)) return;
      const uint64_t fate = world.random().below(3);
      if (fate == 1) request();
      if (fate == 2) send_late(world, request, 60'000);
    }
  };
  std::shared_ptr<Flight> flight_;
};

}  // namespace

void send(World& world, Call& call, const Trouble& trouble, const Request& request) {
  Random& random = world.random();
  InFlight flight(world, request);
  if (trouble.is_away(world.scheduler()) || random.chance(trouble.refused)) {
    flight.is_settled();
    wait(call, some_time(random, 5));
    unavailable("the system cannot be reached");
  }
  if (random.chance(trouble.late)) {
    flight.is_settled();
    send_late(world, request, 30'000);
    wait(call, some_time(random, 20));
    unavailable("no answer came");
  }
  wait(call, some_time(random, 3));
  flight.is_settled();
  request();
  if (random.chance(trouble.twice)) send_late(world, request, 10'000);
  wait(call, some_time(random, 3));
  if (random.chance(trouble.answer_lost)) unavailable("the connection ended before the answer");
}

void ask(World& world, Call& call, const Trouble& trouble) {
  wait(call, some_time(world.random(), 3));
  if (trouble.is_away(world.scheduler()) || world.random().chance(trouble.refused))
    unavailable("the system cannot be reached");
}

}  // namespace patchbay::simulation
