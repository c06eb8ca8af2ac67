// What has been read of a table in order of a column that grows, and what comes next.
#pragma once

#include <json/value.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/postgres.h"
#include "patchbay/tables/cursor.h"
#include "pg_type.h"

namespace patchbay {

// A transaction may commit rows with a smaller cursor than some that were read before. So a read
// takes no row of a transaction that began to write after the oldest one still at work, and the
// next read looks again, up to the greatest cursor, for rows of those that were at work. By its
// transaction a row that came later with the greatest cursor itself is told from those that were
// read. Rows of a view or a query have none: theirs are known by what they hold, see
// patchbay/tables/cursor.h.
class CursorRead {
 public:
  // `state`: {"cursor": "17", "until": 742, ..}, or nothing. "since" and "until": transactions from
  // the oldest at work during the read to the first that began after it. "files": the table's
  // files, whose rows the transactions are of. "rows": how many have the cursor.
  // `waits`: where rows have no transactions, those of the greatest value are left for later.
  CursorRead(std::string column, const Json::Value& state, bool waits = false);

  const std::string& column() const { return column_; }
  // The column itself, and how its values are compared.
  void set_column(const PgColumn& column, Comparisons comparisons);
  // Within the transaction that reads, on the own path. Without `relation`, a table's name in SQL,
  // rows have no transactions to go by; `from` is what follows FROM. Throws kData where the table
  // was written anew since, so that rows which came late can't be told.
  void begin(Call& call, postgres::Connection& connection, const std::string& stream,
             const std::string& relation, const std::string& from);
  // Rows that wait for transactions which are still at work, and the oldest of these, for a
  // warning; nothing where no row does.
  std::optional<std::string> held_back(Call& call, postgres::Connection& connection,
                                       const std::string& from) const;

  // Behind those of the table; in SQL: whether the row is a late one, its cursor, and whether that
  // is the one of the row before.
  static constexpr size_t kFields = 3;
  std::string fields() const;
  // SQL; empty for all rows. `from` as above.
  std::string conditions(const std::string& from) const;

  // Rows without transactions: what they hold counts, and what `rows` selects is to be looked at
  // before all others, with look() and then end_look().
  bool needs_digests() const { return known_ && known_->needs_digests(); }
  bool needs_look() const { return known_ && known_->needs_look(); }
  std::string last_rows() const { return compared(compare_.equals); }
  bool look(uint64_t digest) { return known_->look(digest); }
  void end_look() { known_->end_look(); }
  void set_columns(const std::vector<std::string>& names) {
    if (known_) known_->set_columns(names);
  }

  // Why a row with this cursor can't be read; nothing where it can.
  std::optional<std::string> refusal(const std::optional<std::string>& cursor) const;
  // The server's word of fields(), or where it gives none: the texts are the same.
  bool is_same(const std::optional<std::string>& word,
               const std::optional<std::string>& cursor) const;
  // False where an earlier read had the row.
  bool take(const std::string& cursor, bool late, bool same, uint64_t digest);

  // False while rows like the next, which is pending, were already taken: they stay together, and
  // late rows with each other.
  bool may_rest(bool next_is_same, bool next_is_late) const;
  Json::Value state()
      const;  // what resumes behind the rows taken; an empty object before the first
  bool changed() const { return state() != given_; }

 private:
  // Transactions, by their 64-bit numbers: [since, until).
  struct Window {
    uint64_t since = 0, until = 0;
    bool empty() const { return since >= until; }
    std::string contains_xmin() const;  // SQL
  };

  std::string compared(const std::string& sign) const;
  // SQL: the row's transaction began after the last read.
  std::string is_younger() const;
  void look_at_files(Call& call, postgres::Connection& connection, const std::string& stream,
                     const std::string& from);

  const std::string column_;
  const bool waits_;
  bool spelled_alike_ = true;  // equal values have equal texts
  std::optional<tables::CursorRead> known_;
  Comparisons compare_;
  Json::Value given_ = Json::objectValue;
  std::optional<std::string> before_, now_;  // the greatest cursor
  std::string files_before_, files_;
  std::optional<int64_t> rows_before_;  // that have the cursor before_
  int64_t rows_ = 0;                    // that have now_, of those taken
  bool knows_writers_ = false;
  bool tells_equals_ = false;  // by their transactions, of rows that have before_
  Window late_;                // at work during the last read
  Window running_;             // at work now
  bool took_any_ = false;
};

}  // namespace patchbay
