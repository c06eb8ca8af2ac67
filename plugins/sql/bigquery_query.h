// One query for BigQuery out of a query of the user's and the tables that it reads.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "patchbay/bq_client.h"
#include "query.h"

namespace patchbay {

struct BigQueryText {
  std::string sql;
  int lines_before = 0;  // the user's text begins below them
};

// The user's text, untouched, below its tables: names, each with a SELECT that gives its rows.
BigQueryText compose_query(const std::vector<std::pair<std::string, std::string>>& tables,
                           const SqlQuery& query);

// What BigQuery says of it, with the place in the user's text: "q.sql: line 3, column 8: ..".
// Throws kConfig; kNotFound for a table that is not there; kUnavailable where another try may do.
// `known` is added.
[[noreturn]] void throw_refusal(const SqlQuery& query, const BigQueryText& text,
                                const BqJobOutcome& outcome, const std::string& known);

// The table without a dataset that BigQuery complains of, or empty: nothing sends it.
std::string unqualified_table(const std::string& message);

// Throws kConfig for a column that the query gives no name.
void check_columns(const SqlQuery& query, const Json::Value& fields);

}  // namespace patchbay
