// What a table would refuse at commit, found while it can still be refused.
#pragma once

#include <vector>

#include "patchbay/call.h"
#include "patchbay/tables/tokens.h"
#include "sqlite_table.h"

namespace patchbay {

// Moves the rows of the token as commit will, after those of the `earlier` tokens of its
// transaction, and undoes it. Rows that the table refuses are rejected with SQLite's own words and
// leave the stage; returns how many. Durable.
int64_t rehearse(Call& call, Database& database, const std::vector<tables::TableToken>& earlier,
                 const tables::TableToken& token, const Schema& stream);

}  // namespace patchbay
