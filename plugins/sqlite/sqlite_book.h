// The table of epochs in the file that the sink writes to.
#pragma once

#include "patchbay/sqlite.h"
#include "patchbay/tables/epoch_book.h"

namespace patchbay {

// `database` outlives it.
tables::EpochBook book_of(Database& database);
// Makes the table where it is missing, or as older versions made it.
void require_book(Database& database);

}  // namespace patchbay
