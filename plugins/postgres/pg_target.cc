#include "pg_target.h"

#include <algorithm>

namespace patchbay {

using postgres::Connection;
using postgres::quote_identifier;
using tables::WriteMode;

std::string same_keys(const std::vector<KeyColumn>& keys) {
  std::string out;
  for (const auto& key : keys) {
    const std::string name = quote_identifier(key.name);
    out += (out.empty() ? "_patchbay_t." : " AND _patchbay_t.") + name + " " + key.equals +
           " _patchbay_s." + name;
  }
  return out;
}

std::vector<KeyColumn> EpochTable::keys_of(const std::vector<std::string>& names) const {
  std::vector<KeyColumn> out;
  for (const auto& name : names) {
    const PgColumn* column = table.find(name);
    if (!column) {
      throw Error(Code::kSchema, name + ": table " + table.shown +
                                     " has no such column, and it is one of the keys; add it, or "
                                     "set on_schema_change to evolve");
    }
    out.push_back({name, column->equals});
  }
  return out;
}

void EpochTable::count_rows(Call& call, Connection& connection) {
  if (rows_before) return;
  rows_before = connection.run(call, "SELECT count(*) FROM " + table.only()).integer(0, 0);
}

// What of the table no stage has.
std::string EpochTable::missing_rows() const {
  std::string out = " FROM " + table.only() + " AS _patchbay_t WHERE true";
  for (const auto& stage : stages)
    out +=
        " AND NOT EXISTS (SELECT FROM " + stage + " AS _patchbay_s WHERE " + same_keys(keys) + ")";
  return out;
}

void EpochTable::judge(Call& call, Connection& connection) {
  if (write != WriteMode::kReplace && write != WriteMode::kMirror) return;
  if (group.tokens.empty()) return;
  if (group.rows() == 0 || write == WriteMode::kMirror) count_rows(call, connection);
  tables::require_rows(group, rows_before.value_or(0));
  if (write == WriteMode::kReplace && !group.recreate()) {
    tables::require_none_beyond(
        table.shown,
        tables::columns_beyond(kPgNames, group.columns(kPgNames), table.plain_columns()));
  }
  if (write == WriteMode::kMirror && group.complete()) {
    const auto deletes = connection.run(call, "SELECT count(*)" + missing_rows());
    tables::require_few_deletes(group, deletes.integer(0, 0), *rows_before);
  }
}

void EpochTable::finish(Call& call, Context& context, Connection& connection) {
  if (group.tokens.empty()) return;
  if (beside) take_place(call, context, connection, *beside);
  const bool changes = write == WriteMode::kReplace && !pointed_at.empty();
  if (changes || (write == WriteMode::kMirror && group.complete()))
    connection.run(call, "DELETE" + missing_rows());
  look_at_sequences(call, context, connection);
}

// Values that a stream brings do not move the sequence that fills the column otherwise.
void EpochTable::look_at_sequences(Call& call, Context& context, Connection& connection) const {
  if (group.rows() == 0) return;
  for (const auto& name : group.columns(kPgNames)) {
    const PgColumn* column = table.find(name);
    if (!column || !column->fills_itself) continue;
    const auto sequence =
        connection.run(call, "SELECT pg_get_serial_sequence($1, $2)", {table.relation.sql(), name});
    if (sequence.is_null(0, 0)) continue;
    const auto behind = connection.run(
        call, "SELECT m.top, s.last_value FROM (SELECT max(" + quote_identifier(name) +
                  ")::bigint AS top FROM " + table.relation.sql() + ") m, " + sequence.text(0, 0) +
                  " s WHERE m.top > s.last_value OR (m.top = s.last_value AND NOT s.is_called)");
    if (behind.rows() == 0) continue;
    context.log(BAY_LOG_WARN,
                "table " + table.shown + ": the values of " + name +
                    " go beyond the sequence that fills it, " + sequence.text(0, 0) +
                    ", so that rows which others add without one will fail; set it with setval()");
  }
}

}  // namespace patchbay
