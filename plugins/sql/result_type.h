// The columns of a query's result, as types that patchbay moves.
#pragma once

#include <string>
#include <vector>

#include "patchbay/type.h"

namespace patchbay {

struct ResultColumn {
  std::string name;
  std::string engine_type;  // as DESCRIBE names it
};

struct Result {
  Schema schema;
  // What to run: the query itself, or around it a SELECT that casts the columns of types that
  // patchbay does not move. It then begins one line further down.
  std::string sql;
  int lines_before = 0;
};

// `arrow` is the query's schema as the engine puts it. Throws kConfig for two columns of one name
// and for a type that has no counterpart, naming `origin` and the column.
Result result_of(const std::string& origin, const std::string& sql, const ArrowSchema& arrow,
                 const std::vector<ResultColumn>& columns);

std::string quoted_name(const std::string& name);  // "name" with its quotes doubled

}  // namespace patchbay
