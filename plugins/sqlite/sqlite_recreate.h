// A table that is made anew under its name: option recreate.
#pragma once

#include "patchbay/tables/tokens.h"
#include "sqlite_table.h"

namespace patchbay {

// Inside the caller's transaction. The table is empty afterwards and has the columns of the group,
// with their types; its indexes and triggers are made again. Throws kSchema, naming it, where an
// index, a trigger or a view can't live with the new columns, and where two streams give a column
// different types.
void make_anew(Database& database, const SqliteTable& table, const tables::TableGroup& group);

}  // namespace patchbay
