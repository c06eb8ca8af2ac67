#include "pg_table.h"

#include <algorithm>
#include <map>

#include "pg_lock.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using postgres::quote_literal;

const std::map<char, std::string> kOtherKinds{{'S', "a sequence"},
                                              {'i', "an index"},
                                              {'I', "an index"},
                                              {'c', "a composite type"},
                                              {'m', "a materialized view"}};

std::vector<std::string> column_of(const postgres::Result& rows, int column = 0) {
  std::vector<std::string> out;
  for (int i = 0; i < rows.rows(); ++i) out.push_back(rows.text(i, column));
  return out;
}

}  // namespace

std::vector<tables::Column> PgTable::plain_columns() const {
  std::vector<tables::Column> out;
  for (const auto& column : columns)
    out.push_back({column.name, column.sql_type, column.generated, column.fills_itself});
  return out;
}

const PgColumn* PgTable::find(const std::string& column) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const PgColumn& one) { return one.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

std::optional<PgTable> find_table(Call& call, Connection& connection, const Relation& relation,
                                  const std::string& shown) {
  const auto row = connection.run(
      call,
      "SELECT c.oid, c.relkind, row_security_active(c.oid) FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
      {relation.schema, relation.table});
  if (row.rows() == 0) return std::nullopt;
  PgTable out{relation, shown, row.text(0, 0), row.text(0, 1)[0], row.text(0, 2) == "t", {}};
  if (const auto other = kOtherKinds.find(out.kind); other != kOtherKinds.end())
    config_error("tables", shown + " is " + other->second + ", not a table; choose another name");
  out.columns = columns_of_table(call, connection, out.oid);
  return out;
}

bool has_rows(Call& call, Context& context, Connection& connection, const PgTable& table) {
  if (table.guards_rows || (table.kind != 'r' && table.kind != 'p')) return false;
  const auto may = connection.run(
      call, "SELECT pg_catalog.has_table_privilege($1::pg_catalog.oid, 'SELECT')", {table.oid});
  if (may.text(0, 0) != "t") return false;
  lock_table(call, context, connection, table.relation.sql(), "ACCESS SHARE");
  return connection.run(call, "SELECT 1 FROM " + table.relation.sql() + " LIMIT 1").rows() > 0;
}

std::string list_of(const std::vector<std::string>& names, const std::string& prefix) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + prefix + quote_identifier(name);
  return out;
}

std::vector<DeferredKey> deferred_keys(Call& call, Connection& connection, const PgTable& table) {
  const auto keys = connection.run(
      call,
      "SELECT c.oid, format('%I.%I', n.nspname, c.conname), c.confrelid::regclass::text, "
      "c.confrelid"
      " FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace"
      " WHERE c.contype = 'f' AND c.condeferred AND c.conrelid = $1::oid ORDER BY c.oid",
      {table.oid});
  std::vector<DeferredKey> out;
  for (int i = 0; i < keys.rows(); ++i) {
    DeferredKey key{keys.text(i, 1), keys.text(i, 2), keys.text(i, 3), {}, {}, {}};
    const auto pairs = connection.run(
        call,
        "SELECT a.attname, p.attname, format('OPERATOR(%I.%s)', n.nspname, o.oprname)"
        " FROM pg_constraint c, unnest(c.conkey, c.confkey, c.conpfeqop) k (own, other, same)"
        " JOIN pg_operator o ON o.oid = k.same JOIN pg_namespace n ON n.oid = o.oprnamespace,"
        " pg_attribute a, pg_attribute p WHERE c.oid = $1::oid AND a.attrelid = c.conrelid"
        " AND a.attnum = k.own AND p.attrelid = c.confrelid AND p.attnum = k.other",
        {keys.text(i, 0)});
    key.columns = column_of(pairs, 0);
    key.parent_columns = column_of(pairs, 1);
    key.equals = column_of(pairs, 2);
    out.push_back(std::move(key));
  }
  return out;
}

std::vector<std::string> pointed_at(Call& call, Connection& connection, const PgTable& table) {
  return column_of(connection.run(
      call,
      "SELECT a.attname FROM (SELECT conrelid, confrelid, confkey FROM pg_constraint"
      "   WHERE contype = 'f' AND confrelid = $1::oid AND conrelid <> confrelid ORDER BY oid LIMIT "
      "1) c"
      " JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = ANY (c.confkey)",
      {table.oid}));
}

bool has_unique_index(Call& call, Connection& connection, const PgTable& table,
                      const std::vector<std::string>& columns) {
  std::string names;
  for (const auto& column : columns) names += (names.empty() ? "" : ", ") + quote_literal(column);
  const auto count = connection.run(
      call, "SELECT count(*) FROM pg_index i WHERE i.indrelid = " + table.oid +
                " AND i.indisunique AND i.indimmediate AND i.indisvalid"
                " AND i.indpred IS NULL AND i.indexprs IS NULL AND"
                " (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE \"C\")"
                "  FROM pg_attribute a WHERE a.attrelid = i.indrelid"
                "  AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))"
                " = (SELECT array_agg(k ORDER BY k COLLATE \"C\") FROM unnest(ARRAY[" +
                names + "]::text[]) k)");
  return count.integer(0, 0) > 0;
}

}  // namespace patchbay
