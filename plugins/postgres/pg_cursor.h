// What has been read of a table in order of a column that grows, and what comes next.
#pragma once

#include <json/value.h>

#include <optional>
#include <string>
#include <string_view>

#include "patchbay/postgres.h"

namespace patchbay {

// A transaction may commit rows with a smaller cursor than some that were read before. So a read
// takes no row of a transaction that began to write after the oldest one still at work, and the
// next read looks again, below the greatest cursor, for rows of those that were at work.
class CursorRead {
 public:
  // `state`: {"cursor": "17", "since": 740, "until": 742}, or nothing.
  CursorRead(std::string column, const Json::Value& state);

  const std::string& column() const { return column_; }
  // Within the transaction that reads. Without `knows_writers` rows have no transactions to go by.
  void begin(Call& call, postgres::Connection& connection, bool knows_writers);

  static constexpr size_t kFields = 2;  // behind those of the table: see fields()
  std::string fields() const;           // SQL: whether the row is a late one, and its cursor
  std::string conditions() const;       // SQL; empty for all rows

  // Why a row with this cursor can't be read; nothing where it can.
  std::optional<std::string> refusal(const std::optional<std::string>& cursor) const;
  void took(const std::string& cursor, bool late);

  // False while rows like `next`, which is pending, were already taken: they stay together, and
  // late rows with each other.
  bool may_rest(const std::optional<std::string>& next, bool next_is_late) const;
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

  const std::string column_;
  Json::Value given_ = Json::objectValue;
  std::optional<std::string> before_, now_;  // the greatest cursor
  Window late_;                              // at work during the last read
  Window running_;                           // at work now
  bool took_any_ = false;
};

}  // namespace patchbay
