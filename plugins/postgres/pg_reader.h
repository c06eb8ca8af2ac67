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

// What a reader needs to know; all but the last two is in the split.
struct Extract {
  std::string stream;
  std::string from;      // what follows FROM: a quoted relation, or a query in parentheses
  std::string range;     // a condition, or empty
  std::string snapshot;  // that the run's readers share, or empty
  bool query = false;
  bool numeric_text = false;  // numerics that no decimal128 is sure to hold come as text
};

std::unique_ptr<Reader> make_reader(Call& call, Context& context,
                                    std::unique_ptr<postgres::Connection> connection,
                                    Extract extract, std::optional<CursorRead> cursor);

// The columns of what follows FROM, as they are read.
std::vector<PgColumn> columns_to_read(Call& call, postgres::Connection& connection,
                                      const std::string& from, bool numeric_text);
Schema schema_of(const std::string& stream, const std::vector<PgColumn>& columns);

}  // namespace patchbay
