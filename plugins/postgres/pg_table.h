// A table of the server as the sink has to know it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "patchbay/tables/columns.h"
#include "pg_session.h"
#include "pg_type.h"

namespace patchbay {

struct PgTable {
  Relation relation;
  // As messages and tokens name it: see Relation::spelled.
  std::string shown;
  std::string oid;
  char kind = 'r';
  // Rights to single rows count for this role: COPY can't fill the table.
  bool guards_rows = false;
  std::vector<PgColumn> columns;

  std::vector<tables::Column> plain_columns() const;
  const PgColumn* find(const std::string& column) const;
  bool is_view() const { return kind == 'v'; }
  // What follows FROM, UPDATE and DELETE: without the rows of tables that inherit from it, which
  // are others' own.
  std::string only() const { return (kind == 'r' ? "ONLY " : "") + relation.sql(); }
};

// Within a transaction, on the own path. Nothing where there is none of that name; throws kConfig
// where something else has the name.
std::optional<PgTable> find_table(Call& call, postgres::Connection& connection,
                                  const Relation& relation, const std::string& shown);

// Has it rows, as far as this role may see? A view, a table whose rows are guarded, or that the
// role may not read, has none. Within a transaction; waits for who has the table.
bool has_rows(Call& call, Context& context, postgres::Connection& connection, const PgTable& table);

// `a`, `b` for SQL, each with `prefix` in front.
std::string list_of(const std::vector<std::string>& names, const std::string& prefix = "");

// A foreign key that is checked when the transaction ends.
struct DeferredKey {
  std::string name;  // "schema"."name"
  std::string parent, parent_oid;
  std::vector<std::string> columns, parent_columns, equals;
};
std::vector<DeferredKey> deferred_keys(Call& call, postgres::Connection& connection,
                                       const PgTable& table);

// The columns that a foreign key of another table points to; empty where none does.
std::vector<std::string> pointed_at(Call& call, postgres::Connection& connection,
                                    const PgTable& table);

// A unique index on exactly these columns, whole and checked at once.
bool has_unique_index(Call& call, postgres::Connection& connection, const PgTable& table,
                      const std::vector<std::string>& columns);

}  // namespace patchbay
