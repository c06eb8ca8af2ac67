// A column that grows, as SQLite orders it: null, numbers, text, binary.
#pragma once

#include <json/value.h>

#include <optional>
#include <string>
#include <vector>

#include "patchbay/sqlite.h"
#include "patchbay/tables/cursor.h"

namespace patchbay {

// What is selected from: a table, quoted, or a query in parentheses.
struct SqliteExtract {
  std::string stream, from;
  // The table's own name; nothing for a query.
  std::optional<std::string> table;
  // Option last_value: wait. Rows of the greatest value are left for a later read.
  bool waits = false;
};

class SqliteCursor {
 public:
  // Throws kConfig where there is no such column, kData for what is no state.
  SqliteCursor(Database& database, const SqliteExtract& extract, const std::string& column,
               const Json::Value& state);

  const std::string& column() const { return column_; }
  // The place of the column in the rows of SELECT *.
  int place() const { return place_; }

  // What follows the FROM: the rows to read, in their order. Its one parameter, where there is any.
  std::string conditions() const;
  void bind(Statement& rows) const;
  // Before the rows are read, in the same transaction.
  void look_at_last();

  // Why the cursor can't pass the row; nothing where it can. Such a row never moves the cursor.
  std::optional<std::string> refusal(const Statement& row) const;
  // Of a row that is not refused: whether it is new, and belongs into this read.
  bool take(const Statement& row);
  // Whether the next row has the cursor of the last one taken: they stay together.
  bool stays_with_last(const Statement& row);
  Json::Value state() const { return read_.state(); }

 private:
  // What may be a cursor: the classes of values that grow together.
  enum class Kind { kInteger, kNumber, kText };

  void find_column();
  Kind find_kind() const;
  void require_fitting_state() const;
  void find_collation();
  bool is_unique() const;
  Json::Value greatest();
  bool fits(int stored) const;
  Json::Value value_of(const Statement& row) const;
  static void bind_value(Statement& statement, int parameter, const Json::Value& value);
  bool same(const Json::Value& a, const Json::Value& b);
  std::string ordered() const;
  uint64_t digest_of(const Statement& row) const;

  Database& database_;
  const SqliteExtract extract_;
  std::string column_, name_;
  std::vector<uint64_t> names_;  // of all columns, as digests take them
  int place_ = -1;
  std::string declared_, row_;  // row_: the rowid's name; empty where rows have none
  tables::CursorRead read_;
  Kind kind_ = Kind::kInteger;
  std::string collation_ = "BINARY";
  Json::Value greatest_;  // with `waits`
};

}  // namespace patchbay
