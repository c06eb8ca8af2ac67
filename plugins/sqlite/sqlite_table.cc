#include "sqlite_table.h"

#include <algorithm>
#include <array>

namespace patchbay {
namespace {

using tables::folded;
using tables::same_column;

struct TableFacts {
  bool strict = false, has_rowid = true;
  int keys = 0;
};

TableFacts facts_of(Database& database, const std::string& table) {
  TableFacts out;
  auto query = database.prepare(
      "SELECT wr, strict FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE");
  if (query.bind(1, table).step()) {
    out.has_rowid = query.integer(0) == 0;
    out.strict = query.integer(1) != 0;
  }
  auto keys = database.prepare("SELECT count(*) FROM pragma_table_info(?) WHERE pk > 0");
  if (keys.bind(1, table).step()) out.keys = static_cast<int>(keys.integer(0));
  return out;
}

void read_columns(Database& database, SqliteTable& table) {
  const TableFacts facts = facts_of(database, table.name);
  auto query = database.prepare(
      "SELECT name, type, coalesce(dflt_value, 'NULL'), pk, hidden FROM pragma_table_xinfo(?)");
  query.bind(1, table.name);
  while (query.step()) {
    const int64_t hidden = query.integer(4);  // 1: of a virtual table; 2 and 3: generated
    if (hidden == 1) continue;
    const std::string type = query.text(1);
    // An INTEGER PRIMARY KEY is the rowid under another name.
    const bool is_rowid =
        facts.has_rowid && facts.keys == 1 && query.integer(3) == 1 && folded(type) == "integer";
    if (is_rowid) table.rowid = table.columns.size();
    const bool has_default = folded(query.text(2)) != "null";
    table.columns.push_back({query.text(0), type, hidden != 0, is_rowid || has_default});
    table.affinities.push_back(facts.strict && folded(type) == "any" ? Affinity::kBlob
                                                                     : affinity_of(type));
  }
}

}  // namespace

Affinity affinity_of(const std::string& declared) {
  const std::string type = folded(declared);
  const auto has = [&](const char* part) { return type.find(part) != std::string::npos; };
  if (has("int")) return Affinity::kInteger;
  if (has("char") || has("clob") || has("text")) return Affinity::kText;
  if (type.empty() || has("blob")) return Affinity::kBlob;
  if (has("real") || has("floa") || has("doub")) return Affinity::kReal;
  return Affinity::kNumeric;
}

std::string declaration_of(Affinity affinity) {
  constexpr std::array<const char*, 5> kNames{"INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"};
  return kNames.at(static_cast<size_t>(affinity));
}

std::optional<size_t> SqliteTable::find(const std::string& column) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (same_column(kSqliteNames, columns[i].name, column)) return i;
  }
  return std::nullopt;
}

std::optional<SqliteTable> find_table(Database& database, const std::string& name) {
  SqliteTable out;
  {
    auto query = database.prepare(
        "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE "
        "NOCASE");
    if (!query.bind(1, name).step()) return std::nullopt;
    out.name = query.text(0);
    out.is_view = query.text(1) == "view";
  }
  read_columns(database, out);
  return out;
}

bool may_refuse(Database& database, const std::string& table) {
  auto query = database.prepare(
      "SELECT 1 FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND (type IN ('trigger', "
      "'view') OR sql IS NULL OR sql LIKE '%UNIQUE%' OR sql LIKE '%CHECK%' OR sql LIKE '%NULL%' OR "
      "sql LIKE '%KEY%' OR sql LIKE '%STRICT%' OR sql LIKE '%VIRTUAL%')");
  return query.bind(1, table).step();
}

bool has_triggers(Database& database, const std::string& table) {
  auto query = database.prepare(
      "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE");
  return query.bind(1, table).step();
}

bool has_index_on(Database& database, const SqliteTable& table,
                  const std::vector<std::string>& columns) {
  const auto is_key = [&](const std::string& name) {
    return std::any_of(columns.begin(), columns.end(), [&](const std::string& column) {
      return same_column(kSqliteNames, column, name);
    });
  };
  if (table.rowid && columns.size() == 1 && is_key(table.columns[*table.rowid].name)) return true;
  // The first column of an index decides whether it narrows the search; one with another collation
  // finds nothing.
  auto query = database.prepare(
      "SELECT i.name, i.coll FROM pragma_index_list(?) l, pragma_index_xinfo(l.name) i WHERE "
      "i.seqno = 0 AND i.name IS NOT NULL AND l.partial = 0");
  query.bind(1, table.name);
  while (query.step()) {
    const std::string name = query.text(0);
    if (is_key(name) && folded(query.text(1)) == folded(database.collation_of(table.name, name)))
      return true;
  }
  return false;
}

std::string row_name_in(Database& database, const std::string& name) {
  const auto table = find_table(database, name);
  if (!table || table->is_view || !facts_of(database, table->name).has_rowid) return "";
  std::vector<std::string> columns;
  for (const auto& column : table->columns) columns.push_back(column.name);
  return free_row_name(columns);
}

std::string free_row_name(const std::vector<std::string>& columns) {
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    const bool taken = std::any_of(columns.begin(), columns.end(), [&](const std::string& column) {
      return same_column(kSqliteNames, column, name);
    });
    if (!taken) return name;
  }
  throw Error(
      Code::kConfig,
      "oid: SQLite needs one of the names rowid, _rowid_ and oid for itself; rename a field "
      "with `fields`");
}

int64_t count_rows(Database& database, const std::string& table) {
  auto query = database.compile("SELECT count(*) FROM " + quote_identifier(table));
  query.step();
  return query.integer(0);
}

std::string list_of(const std::vector<std::string>& names, const std::string& prefix) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + prefix + quote_identifier(name);
  return out;
}

}  // namespace patchbay
