// Values of batches as SQLite stores them, and back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "patchbay/batch.h"
#include "patchbay/builder.h"
#include "patchbay/sqlite.h"

namespace patchbay {

// The type to declare for a column.
std::string declared_type(const Type& type);

// Binds one value of a column. Compiled once per batch.
using BindColumn = std::function<void(Statement&, int parameter, int64_t row)>;
BindColumn bind_column(const Type& type, const ArrowArray& array, int64_t offset, int64_t length);

// What a column declared so holds: INTEGER int64, REAL float64, BLOB binary, BOOLEAN bool, all else
// utf8. https://www.sqlite.org/datatype3.html#determination_of_column_affinity
Type type_of_declared(const std::string& declared);

// Appends the value of a result's column. False where a value of another type stands there: nothing
// was appended.
bool append_value(const Statement& row, int column, const Type& type, ColumnBuilder& out);

}  // namespace patchbay
