#include "simulation/sink_calls.h"

#include "simulation/remote.h"

namespace patchbay::simulation {

void PreparingWriter::require_unprepared(const char* what) const {
  if (prepared_) world_.scheduler().fail(std::string(what) + " after prepare");
}

void PreparingWriter::write(Call& call, Batch batch) {
  const Serial::Call one(serial_, "write");
  require_unprepared("write");
  ask(world_, call, system_.trouble);
  given_ += batch.rows();
  take(call, batch);
}

patchbay::Prepared PreparingWriter::prepare(Call& call) {
  const Serial::Call one(serial_, "prepare");
  require_unprepared("prepare");
  prepared_ = true;
  const Epoch info = call.epoch();
  const EpochName epoch{info.scope, info.txn, info.number, info.settled};
  system_.check_call(epoch, "prepare");
  system_.note_prepare(epoch);
  const PreparedRows rows = prepared(call);
  if (info.durable && !system_.writing.keeps_on_request)
    world_.scheduler().fail("prepare: asked to keep what it always keeps, or never");
  const Process* const owner = info.durable ? nullptr : world_.scheduler().process();
  call.durable_step("sim.prepare.before");
  send(world_, call, system_.trouble, [&system = system_, epoch, token = token_, rows, owner] {
    system.prepare(epoch, token, rows, owner);
  });
  call.durable_step("sim.prepare.after");
  return {token_, accepted()};
}

SimulatedSink::SimulatedSink(const Config& config)
    : world_(World::current()), system_(world_.sink(config.get<std::string>("system"))) {}

// What the call is about, judged.
EpochName SimulatedSink::epoch_of(Call& call, const std::string& txn, const char* what) {
  const Epoch epoch = call.epoch();
  if (epoch.txn != txn)
    world_.scheduler().fail(std::string(what) + " of " + txn + ", though the epoch is " +
                            epoch.txn);
  const EpochName name{epoch.scope, epoch.txn, epoch.number, epoch.settled};
  system_.check_call(name, what);
  return name;
}

std::unique_ptr<patchbay::Writer> SimulatedSink::open(Call& call, const SchemaPtr& stream,
                                                      const std::string& txn) {
  const Serial::Call one(serial_, "open");
  system_.check_open(epoch_of(call, txn, "open"));
  ask(world_, call, system_.trouble);
  return make_writer(stream, system_.name() + "|" + txn + "|" + std::to_string(++writers_));
}

void SimulatedSink::commit(Call& call, const std::string& txn, uint64_t,
                           std::span<const std::string> tokens) {
  const Serial::Call one(serial_, "commit");
  const EpochName epoch = epoch_of(call, txn, "commit");
  const std::vector<std::string> all(tokens.begin(), tokens.end());
  system_.check_tokens(epoch, all);
  system_.check_alone(epoch);
  system_.lose_something();
  call.durable_step("sim.commit.before");
  const auto verdict = std::make_shared<SinkSystem::Verdict>();
  send(world_, call, system_.trouble,
       [&system = system_, epoch, all, verdict] { *verdict = system.commit(epoch, all); });
  call.durable_step("sim.commit.after");
  if (*verdict == SinkSystem::Verdict::kGone)
    throw Error(Code::kNotFound, "what was prepared in " + txn + " is gone");
  if (*verdict == SinkSystem::Verdict::kRefused)
    throw Error(Code::kData, "rows of " + txn + " are refused");
}

void SimulatedSink::abort(Call& call, std::span<const std::string> txns) {
  const Serial::Call one(serial_, "abort");
  for (const auto& txn : txns) {
    const EpochName epoch = epoch_of(call, txn, "abort");
    send(world_, call, system_.trouble, [&system = system_, epoch] { system.abort(epoch); });
  }
}

Outcome SimulatedSink::outcome(Call& call, const std::string& txn, std::span<const std::string>) {
  const Serial::Call one(serial_, "outcome");
  const EpochName epoch = epoch_of(call, txn, "outcome");
  if (!system_.writing.knows_outcome) return Outcome::kUnknown;
  ask(world_, call, system_.trouble);
  switch (system_.outcome(epoch)) {
    case SinkSystem::State::kCommitted:
      return Outcome::kCommitted;
    case SinkSystem::State::kPrepared:
      return Outcome::kPrepared;
    default:
      return Outcome::kGone;
  }
}

uint64_t SimulatedSink::newest(Call& call) {
  const Serial::Call one(serial_, "newest");
  if (!system_.writing.knows_newest) return 0;
  ask(world_, call, system_.trouble);
  return system_.newest(call.epoch().scope);
}

}  // namespace patchbay::simulation
