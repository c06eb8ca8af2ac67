// The queries of a configuration: where their text is, and that each is one query and nothing else.
#pragma once

#include <string>
#include <vector>

#include "patchbay/config.h"

namespace patchbay {

struct SqlQuery {
  std::string stream;  // of its rows; empty = the only stream that comes in, else `result`
  std::string origin;  // for messages: the option, or the file
  std::string sql;     // without a semicolon at its end
};

// Reads query_file. Throws kConfig: a file that isn't there, a text that is no single query.
std::vector<SqlQuery> read_queries(const Config& config);

// The text as one SELECT, WITH, FROM, VALUES or TABLE, without the semicolon that may end it.
std::string single_query(const std::string& origin, std::string_view text);

}  // namespace patchbay
