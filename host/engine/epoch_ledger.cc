#include "engine/epoch_ledger.h"

#include <json/value.h>

namespace patchbay::host {
namespace {

Json::Value counts_json(const CountsByStream& counts) {
  Json::Value out(Json::objectValue);
  for (const auto& [stream, c] : counts) {
    Json::Value& entry = out[stream];
    entry["rows_read"] = Json::Int64(c.read);
    entry["rows_rejected"] = Json::Int64(c.rejected);
    entry["bytes_read"] = Json::Int64(c.bytes);
    for (const auto& [sink, rows] : c.written) entry["rows_written"][sink] = Json::Int64(rows);
  }
  return out;
}

}  // namespace

EpochLedger::EpochLedger(RunContext& run, std::string lane, std::string txn_prefix,
                         std::vector<LedgerSink> sinks)
    : run_(run),
      lane_(std::move(lane)),
      txn_prefix_(std::move(txn_prefix)),
      sinks_(std::move(sinks)) {}

void EpochLedger::count(uint64_t epoch, const std::string& stream, const StreamCounts& counts) {
  const Guard lock(mutex_);
  open_[epoch].counts[stream].add(counts);
}

std::string EpochLedger::txn(uint64_t epoch, size_t node) const {
  return txn_prefix_ + "-e" + std::to_string(epoch) + "-n" + std::to_string(node);
}

void EpochLedger::begin_locked(uint64_t epoch, Epoch& open) {
  if (open.begun) return;
  EpochBegin begin{run_.run_id, run_.pipeline.name, lane_, {}};
  for (const auto& sink : sinks_) begin.txns.push_back({sink.id, txn(epoch, sink.node)});
  open.number = run_.state.begin_epoch(begin);
  open.begun = true;
}

void EpochLedger::begin(uint64_t epoch) {
  const Guard lock(mutex_);
  begin_locked(epoch, open_[epoch]);
}

void EpochLedger::keep_reject(uint64_t epoch, const std::string& node, const std::string& stream,
                              const RejectedRows& rejected) {
  if (run_.options.look_only) return;
  const Guard lock(mutex_);
  Epoch& open = open_[epoch];
  begin_locked(epoch, open);
  const Batch& rows = rejected.rows;
  for (int64_t row = 0; row < rows.rows(); ++row) {
    run_.state.add_reject({run_.run_id, run_.pipeline.name, lane_, open.number, stream, node,
                           rejected.code, rejected.reason, rejected.position_json,
                           row_to_json(*rows.schema(), rows.array(), row)});
  }
  open.counts[stream].rejected += rows.rows();
}

void EpochLedger::add_states(uint64_t epoch, std::vector<SplitState> states) {
  const Guard lock(mutex_);
  auto& all = open_[epoch].states;
  for (auto& state : states) all.push_back(std::move(state));
}

void EpochLedger::sink_prepared(uint64_t epoch, size_t node, std::vector<std::string> tokens,
                                NodeServices& services) {
  {
    Lock lock(mutex_);
    Epoch& open = open_[epoch];
    open.tokens[node] = std::move(tokens);
    if (++open.sinks_prepared < sinks_.size()) {
      changed_.wait(lock, [&] { return failed_ || committed_ > epoch; });
      if (committed_ <= epoch) throw Error(Code::kCancelled, "cancelled");
      return;
    }
  }
  commit(epoch, services);
}

void EpochLedger::record(uint64_t epoch, Epoch& open) {
  EpochRecord record{run_.run_id, run_.pipeline.name, lane_, open.number, open.states, {}, {}, {}};
  for (const auto& sink : sinks_) {
    const auto& tokens = open.tokens[sink.node];
    if (!tokens.empty()) record.sinks.push_back({sink.id, txn(epoch, sink.node), tokens});
  }
  for (const auto& [stream, counts] : open.counts) {
    for (auto& field : run_.fields_to_record(stream)) record.fields.push_back(std::move(field));
  }
  record.counts = counts_json(open.counts);
  run_.state.record_epoch(record);
  open.recorded = true;
}

// A prepared epoch is not thrown away for a passing fault: the commit itself is tried again.
void EpochLedger::commit_sink(const Epoch& open, uint64_t epoch, const LedgerSink& sink,
                              NodeServices& services) {
  Backoff backoff(run_.retry());
  for (uint32_t attempt = 1;; ++attempt) {
    try {
      return sink.instance->commit(services, txn(epoch, sink.node), open.number,
                                   open.tokens.at(sink.node));
    } catch (const NodeError& error) {
      // What was prepared is gone: the next attempt settles that, and reads the rows again.
      if (error.code() == Code::kNotFound)
        throw NodeError(error.node(), Code::kUnavailable, error.what(), "", false);
      if (error.code() != Code::kUnavailable || error.exhausted()) throw;
      const auto wait = backoff.after(attempt, sync::now(), sync::uniform_random());
      if (!wait || !services.cancel().wait_for(*wait)) throw;
    }
  }
}

// Only the thread of the last sink is here for this epoch; the other sinks wait, the source may
// count later epochs.
void EpochLedger::commit(uint64_t epoch, NodeServices& services) {
  Lock lock(mutex_);
  Epoch& open = open_.at(epoch);
  run_.judge_rejects(open.counts);
  bool anything = open.begun || !open.states.empty();
  if (anything) {
    begin_locked(epoch, open);
    record(epoch, open);
    lock.unlock();
    for (const auto& sink : sinks_) {
      if (!open.tokens[sink.node].empty()) commit_sink(open, epoch, sink, services);
    }
    run_.state.committed(run_.pipeline.name, lane_, open.number);
    run_.add_committed(open.counts);
    lock.lock();
  }
  numbers_[epoch] = open.number;
  open_.erase(epoch);
  committed_ = epoch + 1;
  changed_.notify_all();
}

uint64_t EpochLedger::committed() const {
  const Guard lock(mutex_);
  return committed_;
}

bool EpochLedger::wait_committed(uint64_t epochs) {
  Lock lock(mutex_);
  changed_.wait(lock, [&] { return failed_ || committed_ >= epochs; });
  return committed_ >= epochs;
}

uint64_t EpochLedger::number_of(uint64_t epoch) const {
  const Guard lock(mutex_);
  return numbers_.at(epoch);
}

void EpochLedger::fail() {
  const Guard lock(mutex_);
  failed_ = true;
  changed_.notify_all();
}

// What can't be aborted now stays on record, and the next run aborts it: the failure that led here
// is the one to report.
void EpochLedger::abort_epoch(uint64_t epoch, const Epoch& open, bool keep_rejects,
                              NodeServices& services) {
  for (const auto& sink : sinks_) {
    const std::vector<std::string> txns{txn(epoch, sink.node)};
    try {
      sink.instance->abort(services, txns);
    } catch (const Error& error) {
      return run_.warn(
          sink.id,
          std::string("its open transaction is left for the next run to abort: ") + error.what());
    }
  }
  run_.state.aborted(run_.pipeline.name, lane_, open.number, keep_rejects);
}

CountsByStream EpochLedger::abort_open(bool rejects_are_evidence, NodeServices& services) {
  // Not held while sinks are called: fail() must get through at any time.
  std::map<uint64_t, Epoch> left;
  {
    const Guard lock(mutex_);
    left.swap(open_);
  }
  CountsByStream counts;
  for (const auto& [epoch, open] : left) {
    if (open.recorded) continue;  // the next attempt or run commits it
    for (const auto& [stream, c] : open.counts) {
      counts[stream].add(c);
      if (!rejects_are_evidence) run_.forget_rejects(stream, c.rejected);
    }
    if (open.begun) abort_epoch(epoch, open, rejects_are_evidence, services);
  }
  return counts;
}

}  // namespace patchbay::host
