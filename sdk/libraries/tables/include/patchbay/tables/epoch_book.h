// The table in which a sink with transactions remembers its epochs: which were committed, and which
// may never be. One row for each transaction, forgotten by the host's word and not by a clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "patchbay/call.h"
#include "patchbay/plugin.h"

namespace patchbay::tables {

// Runs one statement with text parameters; returns the first column of its rows as text.
using RunSql = std::function<std::vector<std::string>(const std::string& sql,
                                                      const std::vector<std::string>& parameters)>;

// Borrows nothing but what `run` holds. Every call is one or two statements inside the transaction
// that the caller has opened: `note_commit` belongs into the one that makes the rows visible.
class EpochBook {
 public:
  static constexpr const char* kTable = "_patchbay_epochs";

  // How the database writes the nth parameter.
  enum class Parameters { kQuestionMarks, kDollars };

  // `table` is kTable as SQL has it, with its schema.
  EpochBook(std::string table, Parameters parameters, RunSql run);

  // Statements for a database without the table, and for one where the table has no column `scope`:
  // the version before kept transaction and number alone. Its rows have no scope and stay.
  std::vector<std::string> create_sql() const;
  std::vector<std::string> upgrade_sql() const;

  // kCommitted, kGone where the transaction is fenced, otherwise kUnknown: nothing is on record.
  Outcome find(const std::string& txn) const;
  // Throws kNotFound where the transaction is fenced. False: nothing is on record yet.
  bool is_committed(const std::string& txn) const;

  // The transaction is committed as `epoch.number`. Forgets what `epoch.settled` covers of the
  // scope, except the greatest number that was committed. `number` counts where the epoch has none.
  void note_commit(const Epoch& epoch, const std::string& txn, uint64_t number) const;
  // From now on the transaction can't commit; where it has, nothing changes.
  void fence(const Epoch& epoch, const std::string& txn) const;
  // The greatest number of the scope that was committed, 0 without one.
  uint64_t newest(const std::string& scope) const;

 private:
  std::string parameter(int number) const;
  void insert(const Epoch& epoch, const std::string& txn, uint64_t number, bool fenced) const;

  std::string table_;
  Parameters parameters_;
  RunSql run_;
};

}  // namespace patchbay::tables
