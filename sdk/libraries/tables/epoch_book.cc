#include "patchbay/tables/epoch_book.h"

#include <charconv>

#include "patchbay/error.h"

namespace patchbay::tables {

EpochBook::EpochBook(std::string table, Parameters parameters, RunSql run)
    : table_(std::move(table)), parameters_(parameters), run_(std::move(run)) {}

std::vector<std::string> EpochBook::create_sql() const {
  return {"CREATE TABLE " + table_ +
          " (txn text PRIMARY KEY, scope text NOT NULL DEFAULT '', "
          "epoch bigint NOT NULL DEFAULT 0, fenced smallint NOT NULL DEFAULT 0)"};
}

std::vector<std::string> EpochBook::upgrade_sql() const {
  return {"ALTER TABLE " + table_ + " ADD COLUMN scope text NOT NULL DEFAULT ''",
          "ALTER TABLE " + table_ + " ADD COLUMN fenced smallint NOT NULL DEFAULT 0"};
}

std::string EpochBook::parameter(int number) const {
  return parameters_ == Parameters::kDollars ? "$" + std::to_string(number) : "?";
}

Outcome EpochBook::find(const std::string& txn) const {
  const auto fenced = run_("SELECT fenced FROM " + table_ + " WHERE txn = " + parameter(1), {txn});
  if (fenced.empty()) return Outcome::kUnknown;
  return fenced[0] == "0" ? Outcome::kCommitted : Outcome::kGone;
}

bool EpochBook::is_committed(const std::string& txn) const {
  const Outcome outcome = find(txn);
  if (outcome == Outcome::kGone)
    throw Error(Code::kNotFound,
                "transaction " + txn + ": was aborted, and commits nothing any more");
  return outcome == Outcome::kCommitted;
}

void EpochBook::insert(const Epoch& epoch, const std::string& txn, uint64_t number,
                       bool fenced) const {
  run_("INSERT INTO " + table_ + " (txn, scope, epoch, fenced) VALUES (" + parameter(1) + ", " +
           parameter(2) + ", " + std::to_string(number) + (fenced ? ", 1)" : ", 0)"),
       {txn, epoch.scope});
}

void EpochBook::note_commit(const Epoch& epoch, const std::string& txn, uint64_t number) const {
  insert(epoch, txn, epoch.scope.empty() ? number : epoch.number, false);
  if (epoch.scope.empty() || epoch.settled == 0) return;
  run_("DELETE FROM " + table_ + " WHERE scope = " + parameter(1) + " AND epoch <= " +
           std::to_string(epoch.settled) + " AND (fenced = 1 OR epoch < (SELECT max(epoch) FROM " +
           table_ + " WHERE scope = " + parameter(2) + " AND fenced = 0))",
       {epoch.scope, epoch.scope});
}

void EpochBook::fence(const Epoch& epoch, const std::string& txn) const {
  if (find(txn) == Outcome::kUnknown) insert(epoch, txn, epoch.number, true);
}

uint64_t EpochBook::newest(const std::string& scope) const {
  if (scope.empty()) return 0;
  const auto found = run_("SELECT coalesce(max(epoch), 0) FROM " + table_ +
                              " WHERE scope = " + parameter(1) + " AND fenced = 0",
                          {scope});
  uint64_t number = 0;
  if (!found.empty()) std::from_chars(found[0].data(), found[0].data() + found[0].size(), number);
  return number;
}

}  // namespace patchbay::tables
