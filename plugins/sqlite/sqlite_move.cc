#include "sqlite_move.h"

#include <algorithm>

#include "sqlite_fit.h"
#include "sqlite_recreate.h"
#include "sqlite_stage_move.h"

namespace patchbay {

using tables::TableGroup;
using tables::TableToken;
using tables::WriteMode;

std::string row_name_of(const TableToken& token) {
  return token.more.isMember("row") ? token.more["row"].asString() : "rowid";
}

TableMove::TableMove(Database& database, const TableGroup& group)
    : database_(database), group_(group) {
  auto found = find_table(database, group.table());
  if (!found) {
    throw Error(Code::kSchema, "table " + group.table() +
                                   ": is gone; it was dropped or renamed since the run looked. Run "
                                   "again, or put it back");
  }
  table_ = std::move(*found);
  if (group.recreate()) return;
  for (const auto& column : group.columns(kSqliteNames)) {
    if (table_.find(column)) continue;
    throw Error(Code::kSchema, column + ": table " + table_.name +
                                   " has no such column any more; it was dropped or renamed since "
                                   "the run looked. Run again, or put it back");
  }
}

// The stream's rows would leave columns of the table without a value, or find none for theirs.
bool TableMove::makes_anew() const {
  if (!group_.recreate()) return false;
  if (!tables::columns_beyond(kSqliteNames, group_.columns(kSqliteNames), table_.columns).empty())
    return true;
  for (const auto& token : group_.tokens) {
    for (size_t i = 0; i < token.columns.size(); ++i) {
      const auto at = table_.find(token.columns[i]);
      if (!at || table_.columns[*at].computed ||
          may_change(table_.affinities[*at], token.types.at(i)))
        return true;
    }
  }
  return false;
}

// What of the table no stage of the group has.
std::string TableMove::missing_rows() const {
  std::string out = " FROM " + quote_identifier(table_.name) + " AS _patchbay_t WHERE ";
  for (size_t i = 0; i < group_.tokens.size(); ++i) {
    const TableToken& token = group_.tokens[i];
    out += (i == 0 ? "" : " AND ") + std::string("NOT EXISTS (SELECT 1 FROM ") +
           quote_identifier(token.stage) + " AS _patchbay_s WHERE " + same_keys(token.keys) + ")";
  }
  return out;
}

void TableMove::judge() const {
  const WriteMode write = group_.write();
  if (write != WriteMode::kReplace && write != WriteMode::kMirror) return;
  const bool counts = group_.rows() == 0 || write == WriteMode::kMirror;
  const int64_t before = counts ? count_rows(database_, table_.name) : 0;
  tables::require_rows(group_, before);
  if (write == WriteMode::kReplace && !group_.recreate()) {
    tables::require_none_beyond(
        table_.name,
        tables::columns_beyond(kSqliteNames, group_.columns(kSqliteNames), table_.columns));
  }
  if (write == WriteMode::kMirror && group_.complete()) {
    auto deletes = database_.compile("SELECT count(*)" + missing_rows());
    deletes.step();
    tables::require_few_deletes(group_, deletes.integer(0), before);
  }
}

void TableMove::delete_missing() { database_.execute("DELETE" + missing_rows()); }

bool TableMove::run(Call& call, const RefuseRow& refuse) {
  if (makes_anew()) {
    make_anew(database_, table_, group_);
    table_ = *find_table(database_, group_.table());
  } else if (group_.write() == WriteMode::kReplace) {
    database_.execute("DELETE FROM " + quote_identifier(table_.name));
  }
  for (const auto& token : group_.tokens) {
    const bool is_last = &token == &group_.tokens.back();
    if (!move_stage(call, database_, table_, token, is_last ? refuse : RefuseRow())) return false;
  }
  if (group_.write() == WriteMode::kMirror && group_.complete()) delete_missing();
  return true;
}

}  // namespace patchbay
