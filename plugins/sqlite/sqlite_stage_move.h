// The rows of one stage on their way into a table: all at once, and one by one where SQLite refuses
// one of them.
#pragma once

#include <string>
#include <vector>

#include "sqlite_move.h"

namespace patchbay {

// The table is _patchbay_t, the stage _patchbay_s; the table's column decides how keys compare.
std::string same_keys(const std::vector<std::string>& keys);

// As TableMove::run, for one token.
bool move_stage(Call& call, Database& database, const SqliteTable& table,
                const tables::TableToken& token, const RefuseRow& refuse);

}  // namespace patchbay
