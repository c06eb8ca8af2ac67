// Rows of one table or query, by one COPY.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "patchbay/plugin.h"
#include "patchbay/postgres.h"
#include "pg_cursor.h"
#include "pg_type.h"

namespace patchbay {

// What a reader needs to know; all but the last three is in the split.
struct Extract {
  std::string stream;
  std::string from;      // what follows FROM: a quoted relation, or a query in parentheses
  std::string range;     // a condition, or empty
  std::string snapshot;  // that the run's readers share, or empty
  std::string relation;  // the table's name in SQL; empty for a query
  bool may_lock = false;
  bool query = false;
  bool numeric_text = false;  // numerics that no decimal128 is sure to hold come as text
  bool filtered = false;      // rows that the role may not see are left out, not an error
};

std::unique_ptr<Reader> make_reader(Call& call, Context& context,
                                    std::unique_ptr<postgres::Connection> connection,
                                    Extract extract, std::optional<CursorRead> cursor);

// The columns of what follows FROM, as they are read. Within a transaction, on the own path.
std::vector<PgColumn> columns_to_read(Call& call, postgres::Connection& connection,
                                      const std::string& from, bool query, bool numeric_text);
Schema schema_of(const std::string& stream, const std::vector<PgColumn>& columns);
// What SELECT takes of them, each behind `prefix`, as CopyDecoder reads it.
std::string read_list(const std::vector<PgColumn>& columns, const std::string& prefix = "");

// Rows that the role may not see are an error: a copy would lack them in silence.
inline const char* row_security(bool filtered) {
  return filtered ? "" : "SET LOCAL row_security = off; ";
}
// Begins a transaction that reads one snapshot, which is taken when the tables of `relations`, a
// list in SQL, are locked: one that was emptied or replaced in between would seem to have no rows.
void begin_locked(Call& call, Context& context, postgres::Connection& connection,
                  const std::vector<std::string>& relations, const std::string& first);

}  // namespace patchbay
