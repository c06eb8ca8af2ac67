// How rows get from the stages of an epoch into a table. Everything here runs inside a transaction
// that the caller has opened.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "patchbay/call.h"
#include "patchbay/tables/tokens.h"
#include "sqlite_table.h"

namespace patchbay {

// The table refuses the row of a stage, for the reason that SQLite gives. False ends the move.
using RefuseRow = std::function<bool(int64_t row, const std::string& why)>;

// All rows of one table in one epoch.
class TableMove {
 public:
  // Throws kSchema where the table or a column that was there at prepare is gone. The group
  // outlives the move.
  TableMove(Database& database, const tables::TableGroup& group);

  // Throws kData or kSchema for what must not happen to the table: see tokens.h and columns.h.
  void judge() const;
  // Moves the rows. Those that the table refuses: kData; with `refuse` those of the last token are
  // given to it and left out. False where `refuse` ended it.
  bool run(Call& call, const RefuseRow& refuse = {});

 private:
  bool makes_anew() const;
  void delete_missing();
  std::string missing_rows() const;

  Database& database_;
  const tables::TableGroup& group_;
  SqliteTable table_;
};

// The rowid of a stage, under a name that none of its columns has.
std::string row_name_of(const tables::TableToken& token);

}  // namespace patchbay
