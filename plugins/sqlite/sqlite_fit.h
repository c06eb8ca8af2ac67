// Values that a column's affinity would change on their way in: their rows are refused.
#pragma once

#include <functional>
#include <string>

#include "patchbay/batch.h"
#include "sqlite_table.h"

namespace patchbay {

// Whether a row's value arrives as it is. Compiled once per batch; empty where every value does.
using FitsColumn = std::function<bool(int64_t row)>;
FitsColumn fits_column(Affinity affinity, const Type& type, const ArrowArray& array, int64_t offset,
                       int64_t length);

// A column of that affinity changes some values of the type: what is made anew gets another one.
bool may_change(Affinity affinity, const Type& type);

// What SQLite would make of a text in a column for numbers reads back as the same text.
bool number_keeps_text(Affinity affinity, const std::string& text);

}  // namespace patchbay
