#include "engine/settlement.h"

#include <algorithm>

#include "pipeline/guarantee.h"
#include "sync/planted.h"

namespace patchbay::host {

int commit_rank(const Node& sink, bool forgets) {
  if (!forgets) return 2;
  return would_double(sink) ? 1 : 0;
}

Settlement::Settlement(RunContext& run, std::vector<SettledSink> sinks, const CancelToken& cancel)
    : run_(run), cancel_(cancel), sinks_(std::move(sinks)) {
  const auto rank = [&](const SettledSink& sink) {
    return commit_rank(run_.pipeline.nodes[sink.node], run_.forgets[sink.node]);
  };
  std::stable_sort(sinks_.begin(), sinks_.end(), [&](const auto& a, const auto& b) {
    return (rank(a) < rank(b)) != PLANTED(order_is_reversed);
  });
}

const PreparedSink* Settlement::prepared_of(const EpochRecord& record,
                                            const SettledSink& sink) const {
  for (const auto& prepared : record.sinks) {
    if (prepared.node == run_.pipeline.nodes[sink.node].id) return &prepared;
  }
  return nullptr;
}

EpochServices Settlement::services(const SettledSink& sink, const std::string& txn,
                                   uint64_t number) const {
  return {run_, sink.node, cancel_, run_.epoch_info(sink.node, txn, number)};
}

// What is prepared is not thrown away for a passing fault: the commit itself is tried again.
void Settlement::commit_sink(const EpochRecord& record, const SettledSink& sink) {
  const PreparedSink& prepared = *prepared_of(record, sink);
  EpochServices call = services(sink, prepared.txn, record.epoch);
  Backoff backoff(run_.retry());
  for (uint32_t attempt = 1;; ++attempt) {
    try {
      return sink.instance->commit(call, prepared.txn, record.epoch, prepared.tokens);
    } catch (const NodeError& error) {
      if (error.code() != Code::kUnavailable || error.exhausted()) throw;
      const auto wait = backoff.after(attempt, sync::now(), sync::uniform_random());
      if (!wait && PLANTED(failed_commit_passes)) return;
      if (!wait || !cancel_.wait_for(*wait)) throw;
    }
  }
}

void Settlement::abort_sink(const EpochRecord& record, const SettledSink& sink) {
  const PreparedSink* prepared = prepared_of(record, sink);
  if (!prepared) return;
  EpochServices call = services(sink, prepared->txn, record.epoch);
  const std::vector<std::string> txns{prepared->txn};
  sink.instance->abort(call, txns);
}

Settled Settlement::abort_all(const EpochRecord& record) {
  for (const auto& sink : sinks_) abort_sink(record, sink);
  run_.state.aborted(record.epoch, false);
  return Settled::kAborted;
}

void Settlement::refuse_to_double(const EpochRecord& record, const Names& kept,
                                  const std::string& lacking, const std::string& why) const {
  run_.state.note_reported(record.run, kept);
  std::string all;
  for (const auto& sink : kept) all += (all.empty() ? "" : " and ") + sink;
  const std::string& pipeline = run_.pipeline.name;
  const bool one = kept.size() == 1;
  throw RowsWouldDouble(lacking, Code::kRemote,
                        why + "; but " + all + (one ? " has" : " have") + " the same rows (run " +
                            record.run + ") and would append them again. Take them out of " + all +
                            " and `patchbay state discard " + pipeline +
                            " --again` reads them for all; or `patchbay state discard " + pipeline +
                            " --without " + lacking + "` goes on, and " + lacking +
                            " never gets them",
                        "", false);
}

void Settlement::give_up(const EpochRecord& record, const Names& kept, const NodeError& why) {
  if (!kept.empty() && !PLANTED(lost_rows_double))
    refuse_to_double(record, kept, why.node(), why.what());
  abort_all(record);
}

// Beside those that have committed just now: what the one that failed has lost may have been lost
// after all had committed, when somebody took it away.
Settlement::Names Settlement::who_shows(const EpochRecord& record, const SettledSink& failed,
                                        Names kept) {
  for (const auto& sink : sinks_) {
    const std::string& id = run_.pipeline.nodes[sink.node].id;
    const bool is_open = &sink != &failed && prepared_of(record, sink) &&
                         would_double(run_.pipeline.nodes[sink.node]) &&
                         std::find(kept.begin(), kept.end(), id) == kept.end();
    if (is_open && outcome_of(record, sink) == Outcome::kCommitted) kept.push_back(id);
  }
  return kept;
}

void Settlement::commit_all(const EpochRecord& record) {
  Names kept;
  bool any = false;
  for (const auto& sink : sinks_) {
    if (!prepared_of(record, sink)) continue;
    try {
      commit_sink(record, sink);
    } catch (const NodeError& error) {
      const Code code = error.code();
      if (code == Code::kNotFound ||
          (code == Code::kUnavailable && PLANTED(failed_commit_aborts))) {
        give_up(record, who_shows(record, sink, kept), error);
        throw EpochAborted(error, Code::kUnavailable,
                           std::string(error.what()) + "; its rows are read again");
      }
      const bool refused = code == Code::kData || code == Code::kRemote || code == Code::kSchema;
      if (!refused || any || outcome_of(record, sink) == Outcome::kCommitted) throw;
      give_up(record, who_shows(record, sink, kept), error);
      throw EpochAborted(error, code, error.what());
    }
    any = true;
    if (would_double(run_.pipeline.nodes[sink.node]))
      kept.push_back(run_.pipeline.nodes[sink.node].id);
  }
  run_.state.committed(record.epoch);
}

void Settlement::commit(const EpochRecord& record) { commit_all(record); }

Outcome Settlement::outcome_of(const EpochRecord& record, const SettledSink& sink) {
  const PreparedSink& prepared = *prepared_of(record, sink);
  EpochServices call = services(sink, prepared.txn, record.epoch);
  return sink.instance->outcome(call, prepared.txn, prepared.tokens);
}

// Of several sinks one may have lost its rows before any showed them: then none shall.
bool Settlement::is_lost(const EpochRecord& record) {
  if (record.sinks.size() < 2) return false;
  bool gone = false;
  for (const auto& sink : sinks_) {
    if (!prepared_of(record, sink)) continue;
    const Outcome outcome = outcome_of(record, sink);
    // Who can't tell may show them already.
    const bool may_double =
        outcome == Outcome::kUnknown && would_double(run_.pipeline.nodes[sink.node]);
    if (outcome == Outcome::kCommitted || (may_double && !PLANTED(unknown_counts_as_lost)))
      return false;
    gone = gone || outcome == Outcome::kGone;
  }
  return gone;
}

Settled Settlement::recover(const UnfinishedEpoch& epoch) {
  const EpochRecord& record = epoch.record;
  if (epoch.phase == EpochPhase::kDiscarded) return settle_discarded(record);
  if (epoch.phase == EpochPhase::kBegun || is_lost(record)) return abort_all(record);
  try {
    commit_all(record);
    return Settled::kCommitted;
  } catch (const EpochAborted& error) {
    run_.warn(error.node(), std::string("rows that an earlier run prepared are not committed, and "
                                        "are read again: ") +
                                error.what());
    return Settled::kAborted;
  }
}

// Where a sink cannot tell whether it shows the rows, its commit is the one question it answers.
bool Settlement::shows(const EpochRecord& record, const SettledSink& sink) {
  const Outcome outcome = outcome_of(record, sink);
  if (outcome != Outcome::kUnknown) return outcome == Outcome::kCommitted;
  try {
    commit_sink(record, sink);
    return true;
  } catch (const NodeError& error) {
    const Code code = error.code();
    const bool nothing = code == Code::kNotFound || code == Code::kData || code == Code::kRemote ||
                         code == Code::kSchema;
    if (!nothing) throw;
    return false;
  }
}

Settled Settlement::settle_without(const EpochRecord& record, const std::string& without) {
  for (const auto& sink : sinks_) {
    if (!prepared_of(record, sink)) continue;
    if (run_.pipeline.nodes[sink.node].id == without) {
      abort_sink(record, sink);
    } else {
      commit_sink(record, sink);
    }
  }
  run_.state.committed(record.epoch);
  return Settled::kCommitted;
}

// The user has taken the rows out of the sinks that a message named. Another may show them, too, or
// a commit may have come late. A user who got no message decides for all sinks.
Settled Settlement::settle_again(const EpochRecord& record) {
  if (!record.discard.isMember("reported")) return abort_all(record);
  for (const auto& sink : sinks_) abort_sink(record, sink);
  const Json::Value& reported = record.discard["reported"];
  Names kept;
  std::string lacking;
  for (const auto& sink : sinks_) {
    if (!prepared_of(record, sink)) continue;
    const Node& node = run_.pipeline.nodes[sink.node];
    const bool is_reported =
        std::find(reported.begin(), reported.end(), Json::Value(node.id)) != reported.end();
    const bool doubles = would_double(node) && !is_reported;
    if (doubles && shows(record, sink)) {
      kept.push_back(node.id);
    } else {
      lacking = node.id;
    }
  }
  if (!kept.empty()) {
    refuse_to_double(record, kept, lacking.empty() ? kept[0] : lacking,
                     "its rows are to be read again");
  }
  run_.state.aborted(record.epoch, false);
  return Settled::kAborted;
}

// The user gives the epoch up, and may not know that some sink shows it already. The word
// of a sink that a message named no longer counts: the user may have taken the rows out.
Settled Settlement::settle_discarded(const EpochRecord& record) {
  if (PLANTED(discard_asks_nobody)) return abort_all(record);
  if (record.discard["again"].asBool()) return settle_again(record);
  if (record.discard.isMember("without"))
    return settle_without(record, record.discard["without"].asString());
  Names kept;
  for (const auto& sink : record.discard["reported"]) kept.push_back(sink.asString());
  std::string lacking = kept.empty() ? "" : kept[0];
  for (const auto& sink : sinks_) {
    const std::string& id = run_.pipeline.nodes[sink.node].id;
    const bool is_reported = std::find(kept.begin(), kept.end(), id) != kept.end();
    if (!prepared_of(record, sink) || is_reported) continue;
    if (!shows(record, sink)) {
      lacking = id;
    } else if (would_double(run_.pipeline.nodes[sink.node])) {
      kept.push_back(id);
    }
  }
  if (lacking.empty()) {
    run_.state.committed(record.epoch);
    return Settled::kCommitted;
  }
  if (!kept.empty()) refuse_to_double(record, kept, lacking, "its prepared rows are given up");
  return abort_all(record);
}

}  // namespace patchbay::host
