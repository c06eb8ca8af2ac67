// A table's columns beside a stream's fields: what has to change, and which column takes which
// field.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "patchbay/tables/names.h"
#include "patchbay/tables/options.h"
#include "patchbay/tables/schema_step.h"
#include "patchbay/type.h"

namespace patchbay::tables {

// A column as far as the meaning of writing depends on it.
struct Column {
  std::string name;
  // As the database spells it, for messages.
  std::string type{};
  // The database computes it: nobody can write it.
  bool computed = false;
  // It has a default, or is an identity: a row may come without it.
  bool fills_itself = false;
};

// Why the column can never take the field: "is utf8, which a column of type INTEGER can't hold";
// nothing where it can.
using Misfit = std::function<std::optional<std::string>(const Field&, const Column&)>;

// What plan_schema puts for a sink whose columns are flat. `columns`: nothing where there is no
// such table. `place` names, for a message, what the table is not in. Throws kConfig for names and
// keys, kNotFound for a table that may not be made, kSchema where the table can't become what the
// stream needs.
std::vector<SchemaStep> plan_table(const TableOptions& options, const NamePolicy& policy,
                                   const Schema& stream,
                                   const std::optional<std::vector<Column>>& columns,
                                   const std::string& place, const Misfit& misfit);

struct FieldColumn {
  // Of the stream, and of the table.
  size_t field, column;
};

// For open: the columns that take the stream's fields, in the stream's order. A field without a
// column is left out only where the policy declined it; otherwise kSchema.
std::vector<FieldColumn> match_columns(const NamePolicy& policy, const Schema& stream,
                                       const std::string& table, const std::vector<Column>& columns,
                                       const DeclinedFields& declined);

// The names of the columns that rows with `fields` would leave without a value of their own: in a
// table that is replaced they would be half kept.
std::vector<std::string> columns_beyond(const NamePolicy& policy,
                                        const std::vector<std::string>& fields,
                                        const std::vector<Column>& columns);

// Throws kSchema, naming the columns and `recreate: true`, where there are any beyond.
void require_none_beyond(const std::string& table, const std::vector<std::string>& beyond);

// "a", "a and b", "a, b and 3 more".
std::string listed(const std::vector<std::string>& names);

}  // namespace patchbay::tables
