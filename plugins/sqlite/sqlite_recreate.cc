#include "sqlite_recreate.h"

#include <set>

#include "sqlite_values.h"

namespace patchbay {
namespace {

struct Thing {
  std::string kind, name, sql;
};

std::vector<Thing> things(Database& database, const char* sql, const std::string& table) {
  auto query = database.compile(sql);
  if (!table.empty()) query.bind(1, table);
  std::vector<Thing> out;
  while (query.step()) out.push_back({query.text(0), query.text(1), query.text(2)});
  return out;
}

// What goes with the table when it is dropped.
std::vector<Thing> things_on(Database& database, const std::string& table) {
  return things(database,
                "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND "
                "type IN ('index', 'trigger') AND sql IS NOT NULL",
                table);
}

// Why SQLite can't compile the statement; empty where it can.
std::string fault_in(Database& database, const std::string& sql) {
  try {
    database.compile(sql);
    return "";
  } catch (const Error& error) {
    const std::string what = error.what();
    return what.starts_with(database.file() + ": ") ? what.substr(database.file().size() + 2)
                                                    : what;
  }
}

// Statements of which each compiles only where a view, or the triggers of a table, are whole.
std::vector<Thing> probes(Database& database) {
  std::vector<Thing> out =
      things(database, "SELECT type, name, '' FROM sqlite_master WHERE type = 'view'", "");
  for (auto& view : out) view.sql = "SELECT * FROM " + quote_identifier(view.name);
  for (const auto& trigger : things(
           database, "SELECT type, name, tbl_name FROM sqlite_master WHERE type = 'trigger'", "")) {
    const std::string table = quote_identifier(trigger.sql);
    const auto found = find_table(database, trigger.sql);
    if (!found || found->columns.empty()) continue;
    std::string same;
    for (const auto& column : found->columns) {
      if (column.computed) continue;
      const std::string name = quote_identifier(column.name);
      same += (same.empty() ? "" : ", ") + name + " = " + name;
    }
    out.push_back({"trigger", trigger.name, "INSERT INTO " + table + " DEFAULT VALUES"});
    out.push_back({"trigger", trigger.name, "UPDATE " + table + " SET " + same});
    out.push_back({"trigger", trigger.name, "DELETE FROM " + table});
  }
  return out;
}

[[noreturn]] void refuse(const SqliteTable& table, const Thing& thing, const std::string& why) {
  throw Error(Code::kSchema, "table " + table.name + ": can't be made anew, because the " +
                                 thing.kind + " " + thing.name + " does not fit its new columns (" +
                                 why + "); drop or change the " + thing.kind + " first");
}

std::string new_columns(const SqliteTable& table, const tables::TableGroup& group) {
  std::vector<std::string> names;
  std::string out;
  std::set<std::string> declared;
  for (const auto& token : group.tokens) {
    for (size_t i = 0; i < token.columns.size(); ++i) {
      const std::string& name = token.columns[i];
      const std::string one = tables::folded(name) + " " + declared_type(token.types.at(i));
      if (!declared.insert(one).second) continue;
      for (const auto& known : names) {
        if (!tables::same_column(kSqliteNames, known, name)) continue;
        throw Error(Code::kSchema, name + ": comes with two types into table " + table.name +
                                       "; cast it to one of them with `fields`");
      }
      names.push_back(name);
      out += (out.empty() ? "" : ", ") + quote_identifier(name) + " " +
             declared_type(token.types.at(i));
    }
  }
  return out;
}

}  // namespace

void make_anew(Database& database, const SqliteTable& table, const tables::TableGroup& group) {
  if (table.is_view)
    throw Error(Code::kSchema, "table " + table.name + ": is a view, which can't be made anew");
  const auto on_table = things_on(database, table.name);
  std::set<std::string> whole;
  for (const auto& probe : probes(database)) {
    if (fault_in(database, probe.sql).empty()) whole.insert(probe.kind + " " + probe.name);
  }
  const std::string name = quote_identifier(table.name);
  database.execute("DROP TABLE " + name);
  database.execute("CREATE TABLE " + name + " (" + new_columns(table, group) + ")");
  for (const auto& thing : on_table) {
    try {
      database.execute(thing.sql);
    } catch (const Error& error) {
      if (error.code() != Code::kConfig) throw;
      refuse(table, thing, std::string(error.what()).substr(database.file().size() + 2));
    }
  }
  for (const auto& probe : probes(database)) {
    const std::string why = fault_in(database, probe.sql);
    if (!why.empty() && whole.contains(probe.kind + " " + probe.name)) refuse(table, probe, why);
  }
}

}  // namespace patchbay
