// The rows of one table or query.
#pragma once

#include <memory>
#include <optional>

#include "patchbay/plugin.h"
#include "sqlite_cursor.h"

namespace patchbay {

// `cursor` is the column's name, or nothing.
std::unique_ptr<Reader> make_sqlite_reader(Call& call, Context& context, const std::string& path,
                                           const SqliteExtract& extract,
                                           const std::optional<std::string>& cursor,
                                           const Json::Value& state);

// The types of expressions, which declare none, come from the first row.
Schema result_schema(const std::string& stream, const Statement& row, bool has_row);

}  // namespace patchbay
