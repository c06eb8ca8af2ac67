#include "simulation/world.h"

#include "simulation/waits.h"

namespace patchbay::simulation {
namespace {

World* the_world = nullptr;

}  // namespace

World::World(Scheduler& scheduler) : scheduler_(scheduler), disk_(scheduler.random()) {
  the_world = this;
  forget_tokens();
}

World::~World() { the_world = nullptr; }

World& World::current() { return *the_world; }

SourceSystem& World::source(const std::string& name) {
  auto& source = sources_[name];
  if (!source) source = std::make_unique<SourceSystem>(*this, name);
  return *source;
}

SinkSystem& World::sink(const std::string& name) {
  auto& sink = sinks_[name];
  if (!sink) sink = std::make_unique<SinkSystem>(*this, name);
  return *sink;
}

void World::leave(const Process& process) {
  disk_.leave(process);
  for (auto& [name, sink] : sinks_) sink->leave(process);
}

}  // namespace patchbay::simulation
