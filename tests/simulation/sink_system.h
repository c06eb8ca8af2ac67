// A database that patchbay writes: tables, and the books of epochs that abi.h asks a sink to keep.
//
// As strict as abi.h and not kinder: a host that breaks a rule fails the history.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "simulation/model.h"
#include "simulation/trouble.h"

namespace patchbay::simulation {

class World;

struct SinkRow {
  model::Id id = 0, other = 0;  // of the source's row, and of what a join put beside it
  int64_t key = 0, value = 0;
  std::optional<int64_t> grown = {};
  uint64_t epoch = 0;  // that brought it
};

// How rows get into a table; what the options of a sink say.
struct Writing {
  model::Write mode = model::Write::kAppend;
  bool unique = false;       // a key may stand once: what would double it is refused
  bool judges_late = false;  // at the commit, all or nothing, and not row by row at the prepare
  bool session = false;      // what is prepared goes with the process
  bool keeps_on_request = false;  // unless the host asks to keep it
  bool knows_outcome = true, knows_newest = true;
  bool empties = true;   // no rows may replace rows
  bool objects = false;  // its tables are objects: all of them together are one content
};

// What one writer prepared, by table.
using PreparedRows = std::map<std::string, std::vector<SinkRow>>;

struct EpochName {
  std::string scope, txn;
  uint64_t number = 0, settled = 0;
};

class SinkSystem {
 public:
  enum class State { kOpen, kPrepared, kCommitted, kAborted };
  enum class Verdict { kDone, kGone, kRefused };

  SinkSystem(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  Writing writing;
  Trouble trouble;

  // What the host asks, judged when it asks. `open` may come once for each stream of an epoch.
  void check_call(const EpochName& epoch, const char* what);
  void check_open(const EpochName& epoch);
  void check_tokens(const EpochName& epoch, const std::vector<std::string>& tokens);
  // Of a sink that commits alone: no other lane of the process is between prepare and commit.
  void note_prepare(const EpochName& epoch);
  void check_alone(const EpochName& epoch);

  // What the system does when a request arrives, maybe late.
  bool prepare(const EpochName& epoch, const std::string& token, PreparedRows rows,
               const Process* owner);
  Verdict commit(const EpochName& epoch, const std::vector<std::string>& tokens);
  void abort(const EpochName& epoch);
  State outcome(const EpochName& epoch);  // kAborted: it is not there, and will not be
  uint64_t newest(const std::string& scope) const;
  uint64_t newest() const;  // of any scope

  bool has_table(const std::string& table) const { return tables_.contains(table); }
  bool has_column(const std::string& table) const { return tables_.at(table).grown; }
  void make_table(const std::string& table) { tables_.try_emplace(table); }
  void add_column(const std::string& table) { tables_[table].grown = true; }
  // The rows that would stand twice by key beside those that are there and before them here.
  // `txn`: what other writers of it have prepared counts, too.
  std::vector<size_t> conflicts(const std::string& table, const std::vector<SinkRow>& rows,
                                const std::string& txn = {}) const;

  // The process is over: sessions end.
  void leave(const Process& process);
  void lose_something();

  // Of the user: takes out what these epochs brought, and tells which rows those are.
  std::vector<model::Id> take_out(const std::function<bool(uint64_t epoch)>& is_wanted);

  // The rows that were ever prepared in these epochs.
  std::set<model::Id> prepared_in(const std::vector<uint64_t>& epochs) const;

  const std::string& name() const { return name_; }
  // What was prepared and durable, and went all the same.
  bool has_lost() const { return has_lost_; }
  const std::map<std::string, std::vector<model::Moment>>& moments() const { return moments_; }
  const std::vector<SinkRow>& rows(const std::string& table) { return tables_[table].rows; }

 private:
  struct Table {
    std::vector<SinkRow> rows;
    bool grown = false;
  };
  struct Transaction {
    std::string scope;
    uint64_t number = 0;
    State state = State::kOpen;
    std::map<std::string, PreparedRows> prepared;  // by token
    const Process* owner = nullptr;                // of the session; null = it is durable
  };
  struct Scope {
    uint64_t newest = 0, settled = 0;
    std::map<uint64_t, std::string> numbers;  // whose they are
  };
  Transaction& transaction(const EpochName& epoch);
  bool is_forgotten(const EpochName& epoch) const;
  Verdict commit_another(const std::string& scope);
  bool refuses(const Transaction& transaction) const;
  void apply(const Transaction& transaction);
  void put(Table& table, SinkRow row, uint64_t epoch);
  void note_moments(const std::set<std::string>& changed);
  void settle(const EpochName& epoch);
  std::string words(const Transaction& transaction) const;
  [[noreturn]] void broken(const std::string& what) const;

  World& world_;
  const std::string name_;
  bool has_lost_ = false;
  std::map<std::string, Table> tables_;
  std::map<std::string, Transaction> transactions_;  // by name
  std::map<std::string, Scope> scopes_;
  std::map<uint64_t, std::set<model::Id>> ever_prepared_;  // by epoch
  // By name: the order of the first prepares, and the process.
  std::map<std::string, std::pair<size_t, const Process*>> prepares_;
  std::set<std::string> asked_to_commit_;     // names
  std::map<std::string, std::string> spent_;  // names that had their end, with what it was
  std::map<std::string, std::vector<model::Moment>> moments_;  // by table
};

}  // namespace patchbay::simulation
