// Tables of a SQLite database as the sink has to know them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "patchbay/sqlite.h"
#include "patchbay/tables/columns.h"

namespace patchbay {

inline const tables::NamePolicy kSqliteNames{"SQLite", false, false};

// How a column changes the values that come in.
// https://www.sqlite.org/datatype3.html#determination_of_column_affinity
enum class Affinity { kInteger, kText, kBlob, kReal, kNumeric };
Affinity affinity_of(const std::string& declared);
// The shortest declaration with that affinity.
std::string declaration_of(Affinity affinity);

struct SqliteTable {
  // As the database spells it.
  std::string name;
  bool is_view = false;
  std::vector<tables::Column> columns;
  // Beside `columns`.
  std::vector<Affinity> affinities;
  // The column that is the rowid under another name.
  std::optional<size_t> rowid;

  // The place of the column of that name; nothing where there is none.
  std::optional<size_t> find(const std::string& column) const;
};

// Nothing where the database has no table or view of that name.
std::optional<SqliteTable> find_table(Database& database, const std::string& name);

// Has the table anything that may refuse a row? A word of its SQL that only looks like it costs
// time, and nothing else.
bool may_refuse(Database& database, const std::string& table);
bool has_triggers(Database& database, const std::string& table);
// An index, or the rowid, that finds rows by these columns.
bool has_index_on(Database& database, const SqliteTable& table,
                  const std::vector<std::string>& columns);
// The rowid under a name that no column has; empty where the rows of the table have none.
std::string row_name_in(Database& database, const std::string& table);
// The same for columns that are known. Throws kConfig where they have all of the names.
std::string free_row_name(const std::vector<std::string>& columns);
int64_t count_rows(Database& database, const std::string& table);

// A list for SQL: "a", "b". With `prefix` s.: s."a", s."b".
std::string list_of(const std::vector<std::string>& names, const std::string& prefix = "");

}  // namespace patchbay
