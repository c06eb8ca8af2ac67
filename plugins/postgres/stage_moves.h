// The statements that move rows of a stage into its table. On any path: every name and every
// operator has its schema, and every column the name of its table, which no column can have.
#pragma once

#include <string>
#include <vector>

#include "pg_target.h"

namespace patchbay {

// A row of a stage by its place: page and line, which COPY gives in the order of the rows. A number
// for each place, also for those that hold no row.
inline constexpr size_t kLinesOfPage = 2048;
// '(3,17)'::pg_catalog.tid
std::string place_sql(size_t place);
// The rows of _patchbay_s from a place on, before another.
std::string rows_between(size_t from, size_t to);

struct StageMoves {
  std::string stage, table, only;
  std::vector<std::string> columns;
  // Empty: rows are added.
  std::vector<KeyColumn> keys;
  // A unique index on just the keys.
  bool has_index = false;
  // A row that is there lacks nothing that the table needs; a new one would: so it is looked for
  // first, and not left to the conflict.
  bool updates_first = false;
  bool has_identity = false;

  std::string sql(const std::string& rows) const;

 private:
  std::string insert(const std::string& from, const std::string& where) const;
  std::string latest(const std::string& rows) const;
  std::string changes(const std::string& prefix) const;
};

}  // namespace patchbay
