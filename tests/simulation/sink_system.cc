#include "simulation/sink_system.h"

#include <algorithm>

#include "simulation/world.h"
#include "sync/planted.h"

namespace patchbay::simulation {

void SinkSystem::broken(const std::string& what) const {
  world_.scheduler().fail("the host breaks a rule of the ABI at sink " + name_ + ": " + what);
}

void SinkSystem::check_call(const EpochName& epoch, const char* what) {
  if (epoch.scope.empty()) broken(std::string(what) + " without a scope");
  if (epoch.number == 0) broken(std::string(what) + " of " + epoch.txn + " without a number");
  if (epoch.settled >= epoch.number)
    broken(std::string(what) + " of an epoch that it calls settled: " + epoch.txn);
  Scope& scope = scopes_[epoch.scope];
  if (epoch.number <= scope.settled)
    broken(std::string(what) + " of " + epoch.txn + ", number " + std::to_string(epoch.number) +
           ", though all up to " + std::to_string(scope.settled) + " were called settled");
  const auto [owner, is_new] = scope.numbers.emplace(epoch.number, epoch.txn);
  if (!is_new && owner->second != epoch.txn)
    broken("number " + std::to_string(epoch.number) + " is of " + owner->second + " and of " +
           epoch.txn);
  settle(epoch);
}

void SinkSystem::check_open(const EpochName& epoch) {
  check_call(epoch, "open");
  if (const auto spent = spent_.find(epoch.txn); spent != spent_.end())
    broken("open in " + epoch.txn + ", which was " + spent->second);
  if (epoch.txn.size() > 200 ||
      epoch.txn.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != std::string::npos)
    broken("the name " + epoch.txn);
}

void SinkSystem::check_tokens(const EpochName& epoch, const std::vector<std::string>& tokens) {
  for (const auto& token : tokens) {
    if (!token.starts_with(name_ + "|" + epoch.txn + "|"))
      broken("a token that is another's: " + token + " for " + epoch.txn);
  }
}

void SinkSystem::note_prepare(const EpochName& epoch) {
  prepares_.try_emplace(epoch.txn, prepares_.size(), world_.scheduler().process());
}

// Where several sinks share an epoch, the trouble of another may come between.
void SinkSystem::check_alone(const EpochName& epoch) {
  if (!writing.unique || world_.sinks().size() > 1) return;
  const auto own = prepares_.find(epoch.txn);
  if (own == prepares_.end() || !asked_to_commit_.insert(epoch.txn).second) return;
  for (const auto& [txn, other] : prepares_)
    if (other.second == own->second.second && other.first > own->second.first)
      broken(txn + " was prepared between the prepare and the commit of " + epoch.txn +
             ", though it commits alone");
}

SinkSystem::Transaction& SinkSystem::transaction(const EpochName& epoch) {
  Transaction& transaction = transactions_[epoch.txn];
  transaction.scope = epoch.scope;
  transaction.number = epoch.number;
  return transaction;
}

bool SinkSystem::is_forgotten(const EpochName& epoch) const {
  const auto scope = scopes_.find(epoch.scope);
  return scope != scopes_.end() && epoch.number <= scope->second.settled;
}

// What is settled is forgotten at once: a host that said so too early will see.
void SinkSystem::settle(const EpochName& epoch) {
  Scope& scope = scopes_[epoch.scope];
  if (epoch.settled <= scope.settled) return;
  scope.settled = epoch.settled;
  std::erase_if(transactions_, [&](const auto& one) {
    if (one.second.scope != epoch.scope || one.second.number > scope.settled) return false;
    if (one.second.state == State::kPrepared)
      broken(one.first + " is called settled, and nobody has committed or aborted it");
    return true;
  });
}

bool SinkSystem::prepare(const EpochName& epoch, const std::string& token, PreparedRows rows,
                         const Process* owner) {
  if (is_forgotten(epoch)) return false;
  Transaction& own = transaction(epoch);
  if (own.state == State::kAborted || own.state == State::kCommitted) return false;
  for (const auto& [table, all] : rows)
    for (const auto& row : all) ever_prepared_[epoch.number].insert(row.id);
  own.state = State::kPrepared;
  own.owner = writing.session ? owner : nullptr;
  own.prepared[token] = std::move(rows);
  return true;
}

SinkSystem::Verdict SinkSystem::commit(const EpochName& epoch,
                                       const std::vector<std::string>& tokens) {
  if (is_forgotten(epoch)) return Verdict::kDone;  // nobody waits for the answer any more
  auto found = transactions_.find(epoch.txn);
  if (PLANTED(late_commit_of_another) && spent_.contains(epoch.txn))
    return commit_another(epoch.scope);
  if (found == transactions_.end()) return Verdict::kGone;
  Transaction& own = found->second;
  if (own.state == State::kCommitted) return Verdict::kDone;
  if (own.state != State::kPrepared) return Verdict::kGone;
  std::erase_if(own.prepared, [&](const auto& one) {  // what no token names was never reported
    return std::find(tokens.begin(), tokens.end(), one.first) == tokens.end();
  });
  if (own.prepared.size() != tokens.size()) return Verdict::kGone;
  if (refuses(own)) return Verdict::kRefused;
  apply(own);
  own.state = State::kCommitted;
  spent_[epoch.txn] = "committed";
  Scope& scope = scopes_[epoch.scope];
  scope.newest = std::max(scope.newest, epoch.number);
  return Verdict::kDone;
}

// Of a bug that is planted.
SinkSystem::Verdict SinkSystem::commit_another(const std::string& scope) {
  for (auto& [txn, other] : transactions_) {
    if (other.scope != scope || other.state != State::kPrepared) continue;
    apply(other);
    other.state = State::kCommitted;
    break;
  }
  return Verdict::kDone;
}

bool SinkSystem::refuses(const Transaction& transaction) const {
  PreparedRows all;
  for (const auto& [token, prepared] : transaction.prepared)
    for (const auto& [table, rows] : prepared)
      all[table].insert(all[table].end(), rows.begin(), rows.end());
  for (const auto& [table, rows] : all) {
    if (writing.unique && !conflicts(table, rows).empty()) return true;
    const auto there = tables_.find(table);
    const bool has_rows = there != tables_.end() && !there->second.rows.empty();
    if (writing.mode == model::Write::kReplace && rows.empty() && has_rows && !writing.empties)
      return true;
  }
  return false;
}

std::vector<size_t> SinkSystem::conflicts(const std::string& table,
                                          const std::vector<SinkRow>& rows,
                                          const std::string& txn) const {
  std::set<int64_t> keys;
  if (const auto there = tables_.find(table); there != tables_.end())
    for (const auto& row : there->second.rows) keys.insert(row.key);
  if (const auto own = transactions_.find(txn); own != transactions_.end())
    for (const auto& [token, prepared] : own->second.prepared)
      if (const auto beside = prepared.find(table); beside != prepared.end())
        for (const auto& row : beside->second) keys.insert(row.key);
  std::vector<size_t> out;
  for (size_t i = 0; i < rows.size(); ++i)
    if (!keys.insert(rows[i].key).second) out.push_back(i);
  return out;
}

std::string SinkSystem::words(const Transaction& transaction) const {
  std::string text = name_ + " shows epoch " + std::to_string(transaction.number) + ":";
  for (const auto& [token, prepared] : transaction.prepared) {
    for (const auto& [table, rows] : prepared) {
      text += " " + table + " gets";
      for (const auto& row : rows)
        text += " " + std::to_string(row.id) + "/" + std::to_string(row.key);
    }
  }
  return text;
}

void SinkSystem::put(Table& table, SinkRow row, uint64_t epoch) {
  row.epoch = epoch;
  if (writing.mode == model::Write::kUpsert) {
    for (auto& there : table.rows) {
      if (there.key != row.key) continue;
      there = row;
      return;
    }
  }
  table.rows.push_back(row);
}

void SinkSystem::apply(const Transaction& transaction) {
  if (world_.scheduler().traces) world_.scheduler().trace(words(transaction));
  std::set<std::string> changed;
  for (const auto& [token, prepared] : transaction.prepared) {
    for (const auto& [name, rows] : prepared) {
      const bool is_first = changed.insert(name).second || PLANTED(replace_per_writer);
      Table& table = tables_[name];
      if (is_first && writing.mode == model::Write::kReplace) table.rows.clear();
      for (const auto& row : rows) put(table, row, transaction.number);
    }
  }
  note_moments(changed);
}

void SinkSystem::note_moments(const std::set<std::string>& changed) {
  const model::Time now = world_.scheduler().event();
  const auto note = [&](const std::string& name, const std::vector<const Table*>& tables) {
    model::Moment moment{now, {}};
    for (const Table* table : tables)
      for (const auto& row : table->rows) moment.rows.insert({row.id, row.other});
    auto& moments = moments_[name];
    if (moments.empty() || moments.back().rows != moment.rows) moments.push_back(std::move(moment));
  };
  if (!writing.objects) {
    for (const auto& name : changed) note(name, {&tables_[name]});
    return;
  }
  std::vector<const Table*> all;
  for (const auto& [name, table] : tables_) all.push_back(&table);
  note("", all);
}

std::set<model::Id> SinkSystem::prepared_in(const std::vector<uint64_t>& epochs) const {
  std::set<model::Id> rows;
  for (const uint64_t epoch : epochs)
    if (const auto found = ever_prepared_.find(epoch); found != ever_prepared_.end())
      rows.insert(found->second.begin(), found->second.end());
  return rows;
}

std::vector<model::Id> SinkSystem::take_out(const std::function<bool(uint64_t epoch)>& is_wanted) {
  std::vector<model::Id> out;
  std::set<std::string> changed;
  for (auto& [name, table] : tables_) {
    std::erase_if(table.rows, [&](const SinkRow& row) {
      if (!is_wanted(row.epoch)) return false;
      out.push_back(row.id);
      changed.insert(name);
      return true;
    });
  }
  note_moments(changed);
  return out;
}

void SinkSystem::abort(const EpochName& epoch) {
  if (is_forgotten(epoch)) return;
  Transaction& own = transactions_[epoch.txn];
  if (own.state == State::kCommitted || PLANTED(fence_is_ignored)) return;
  own = {epoch.scope, epoch.number, State::kAborted, {}, nullptr};
  spent_[epoch.txn] = "aborted";
}

SinkSystem::State SinkSystem::outcome(const EpochName& epoch) {
  const auto found = transactions_.find(epoch.txn);
  const State state = found == transactions_.end() ? State::kOpen : found->second.state;
  if (state == State::kCommitted || state == State::kPrepared) return state;
  abort(epoch);  // a commit that is still on its way must find the same
  return State::kAborted;
}

uint64_t SinkSystem::newest(const std::string& scope) const {
  const auto found = scopes_.find(scope);
  return found == scopes_.end() ? 0 : found->second.newest;
}

uint64_t SinkSystem::newest() const {
  uint64_t newest = 0;
  for (const auto& [name, scope] : scopes_) newest = std::max(newest, scope.newest);
  return newest;
}

void SinkSystem::leave(const Process& process) {
  std::erase_if(transactions_, [&](const auto& one) {
    return one.second.state == State::kPrepared && one.second.owner == &process;
  });
}

void SinkSystem::lose_something() {
  for (auto& [txn, transaction] : transactions_) {
    if (transaction.state != State::kPrepared || !world_.random().chance(trouble.lost)) continue;
    world_.scheduler().note("lost: " + txn);
    has_lost_ = has_lost_ || !transaction.owner;
    transaction = {transaction.scope, transaction.number, State::kAborted, {}, nullptr};
  }
}

}  // namespace patchbay::simulation
