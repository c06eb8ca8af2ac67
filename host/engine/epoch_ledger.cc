#include "engine/epoch_ledger.h"

#include <algorithm>

#include "pipeline/identity.h"
#include "report/json_text.h"
#include "sync/planted.h"

namespace patchbay::host {

EpochLedger::EpochLedger(RunContext& run, CommitTurns& turns, const Lane& lane,
                         std::string txn_prefix, std::vector<SettledSink> sinks)
    : run_(run),
      turns_(turns),
      lane_(lane),
      txn_prefix_(std::move(txn_prefix)),
      sinks_(std::move(sinks)) {}

void EpochLedger::count(uint64_t epoch, const std::string& stream, const StreamCounts& counts) {
  const Guard lock(mutex_);
  open_[epoch].counts[stream].add(counts);
}

std::string EpochLedger::txn(uint64_t epoch, size_t node) const {
  return txn_prefix_ + "-e" + std::to_string(epoch) + "-n" + std::to_string(node);
}

EpochInfo EpochLedger::info(uint64_t epoch, size_t node) const {
  const Guard lock(mutex_);
  const auto found = open_.find(epoch);
  return run_.epoch_info(node, txn(epoch, node), found == open_.end() ? 0 : found->second.number);
}

// A row of a later epoch may be refused before anything of the earlier ones is written: their
// numbers go up all the same.
void EpochLedger::begin_locked(uint64_t last) {
  for (auto& [epoch, open] : open_) {
    if (epoch > last) return;
    if (open.begun || (PLANTED(number_of_reading) && epoch < last)) continue;
    EpochBegin begin{run_.run_id, lane_.key, {}};
    for (const auto& sink : sinks_)
      begin.txns.push_back({run_.pipeline.nodes[sink.node].id, txn(epoch, sink.node)});
    open.number = run_.state.begin_epoch(begin);
    open.begun = true;
  }
}

void EpochLedger::begin(uint64_t epoch) {
  const Guard lock(mutex_);
  open_[epoch];
  begin_locked(epoch);
}

void EpochLedger::keep_reject(uint64_t epoch, const std::string& node, const std::string& stream,
                              const RejectedRows& rejected) {
  if (run_.options.look_only) return;
  const Guard lock(mutex_);
  Epoch& open = open_[epoch];
  begin_locked(epoch);
  const Batch& rows = rejected.rows;
  const std::string schema = compact_json(to_json(*rows.schema()));
  for (int64_t row = 0; row < rows.rows(); ++row) {
    run_.state.add_reject({run_.run_id, lane_.key, open.number, stream, node, rejected.code,
                           rejected.reason, rejected.position_json,
                           row_to_json(*rows.schema(), rows.array(), row), schema});
  }
  open.counts[stream].rejected += rows.rows();
}

bool EpochLedger::is_on_record() const {
  const Guard lock(mutex_);
  return is_on_record_;
}

bool EpochLedger::has_rejects(uint64_t epoch) const {
  const Guard lock(mutex_);
  const auto found = open_.find(epoch);
  return found != open_.end() &&
         std::any_of(found->second.counts.begin(), found->second.counts.end(),
                     [](const auto& one) { return one.second.rejected > 0; });
}

void EpochLedger::add_states(uint64_t epoch, std::vector<SplitState> states) {
  const Guard lock(mutex_);
  auto& all = open_[epoch].states;
  for (auto& state : states) all.push_back(std::move(state));
}

void EpochLedger::note_written(uint64_t epoch, size_t node, const std::string& stream) {
  const Guard lock(mutex_);
  open_[epoch].written[node].insert(stream);
}

void EpochLedger::enter_commit(const CancelToken& cancel) { turns_.enter(lane_, cancel); }

void EpochLedger::sink_prepared(uint64_t epoch, size_t node, std::vector<std::string> tokens,
                                const CancelToken& cancel) {
  {
    Lock lock(mutex_);
    Epoch& open = open_[epoch];
    open.tokens[node] = std::move(tokens);
    if (++open.sinks_prepared < (PLANTED(commit_before_all_prepared) ? 1 : sinks_.size())) {
      changed_.wait(lock, [&] { return failed_ || committed_ > epoch; });
      if (committed_ <= epoch) throw Error(Code::kCancelled, "cancelled");
      return;
    }
  }
  commit(epoch, cancel);
}

EpochRecord EpochLedger::make_record(uint64_t epoch, Epoch& open) {
  EpochRecord record;
  record.run = run_.run_id;
  record.lane = lane_.key;
  record.epoch = open.number;
  record.states = open.states;
  for (const auto& sink : sinks_) {
    const auto& tokens = open.tokens[sink.node];
    if (tokens.empty()) continue;
    const Node& node = run_.pipeline.nodes[sink.node];
    record.sinks.push_back({node.id, txn(epoch, sink.node), tokens,
                            target_identity(node, open.written[sink.node]),
                            run_.place_of(sink.node)});
  }
  for (const auto& [stream, counts] : open.counts) {
    for (auto& field : run_.fields_to_record(stream)) record.fields.push_back(std::move(field));
  }
  for (const auto& state : open.states) {
    if ((state.state_json.empty() && !state.done) || run_.options.replay) continue;
    record.identities.push_back({state.of, run_.identities.of(state.of)});
    if (run_.options.full_refresh) record.refreshed.push_back(state.of);
  }
  record.counts = counts_to_json(open.counts);
  return record;
}

// Only the thread of the last sink is here for this epoch; the other sinks wait, the source may
// count later epochs.
void EpochLedger::commit(uint64_t epoch, const CancelToken& cancel) {
  Lock lock(mutex_);
  Epoch& open = open_.at(epoch);
  run_.judge_rejects(open.counts);
  if (open.begun || !open.states.empty()) {
    begin_locked(epoch);
    const EpochRecord record = make_record(epoch, open);
    for (const auto& sink : PLANTED(record_after_commit) ? sinks_ : std::vector<SettledSink>{}) {
      for (const auto& prepared : record.sinks) {
        if (prepared.node != run_.pipeline.nodes[sink.node].id) continue;
        EpochServices call(run_, sink.node, cancel,
                           run_.epoch_info(sink.node, prepared.txn, record.epoch));
        sink.instance->commit(call, prepared.txn, record.epoch, prepared.tokens);
      }
    }
    open.goes_on_record = true;  // a write that fails may be there all the same
    run_.state.record_epoch(record);
    open.recorded = true;
    lock.unlock();
    try {
      Settlement(run_, sinks_, cancel).commit(record);
    } catch (const EpochAborted&) {
      lock.lock();
      open.aborted = true;
      throw;
    }
    run_.add_committed(open.counts);
    lock.lock();
  }
  numbers_[epoch] = open.number;
  open_.erase(epoch);
  committed_ = epoch + 1;
  changed_.notify_all();
  lock.unlock();
  turns_.leave(lane_);
}

uint64_t EpochLedger::committed() const {
  const Guard lock(mutex_);
  return committed_;
}

bool EpochLedger::wait_committed(uint64_t epochs) {
  Lock lock(mutex_);
  bool first = true;
  changed_.wait(lock, [&] {
    const bool woken = PLANTED(wait_is_not_repeated) && !std::exchange(first, false);
    return failed_ || committed_ >= epochs || woken;
  });
  return committed_ >= epochs;
}

uint64_t EpochLedger::number_of(uint64_t epoch) const {
  const Guard lock(mutex_);
  return numbers_.at(epoch);
}

void EpochLedger::fail() {
  {
    const Guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }
  turns_.wake();
}

// What can't be aborted now stays on record, and the next run aborts it: the failure that led here
// is the one to report.
bool EpochLedger::abort_epoch(uint64_t epoch, const Epoch& open, bool keep_rejects) {
  if (PLANTED(abort_on_record_first)) run_.state.aborted(open.number, keep_rejects);
  for (const auto& sink : sinks_) {
    const std::vector<std::string> txns{txn(epoch, sink.node)};
    CleanupServices services(run_, sink.node,
                             run_.epoch_info(sink.node, txns.front(), open.number));
    try {
      sink.instance->abort(services, txns);
    } catch (const Error& error) {
      if (PLANTED(late_abort_is_forgotten)) continue;
      run_.warn(
          run_.pipeline.nodes[sink.node].id,
          std::string("its open transaction is left for the next run to abort: ") + error.what());
      return false;
    }
  }
  run_.state.aborted(open.number, keep_rejects);
  return true;
}

void EpochLedger::leave_on_record() {
  const Guard lock(mutex_);
  is_on_record_ = true;
}

CountsByStream EpochLedger::abort_open(bool rejects_are_evidence) {
  // Not held while sinks are called: fail() must get through at any time.
  std::map<uint64_t, Epoch> left;
  {
    const Guard lock(mutex_);
    left.swap(open_);
  }
  CountsByStream counts;
  for (const auto& [epoch, open] : left) {
    if (open.recorded && !open.aborted &&
        !PLANTED(recorded_is_aborted)) {  // the next attempt or run settles it
      run_.add_unsettled(open.counts);
      leave_on_record();
      continue;
    }
    for (const auto& [stream, c] : open.counts) {
      counts[stream].add(c);
      if (!rejects_are_evidence) run_.forget_rejects(stream, c.rejected);
    }
    if (!open.begun || open.aborted) continue;
    if (!abort_epoch(epoch, open, rejects_are_evidence) && open.goes_on_record) leave_on_record();
  }
  return counts;
}

}  // namespace patchbay::host
