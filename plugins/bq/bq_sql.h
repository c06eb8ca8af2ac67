// The statements that move the rows of staging tables.
#pragma once

#include <string>
#include <vector>

#include "patchbay/bq_client.h"
#include "patchbay/tables/tokens.h"

namespace patchbay {

// As SQL has it: a list of `column`.
std::string bq_columns(const std::vector<std::string>& names, const std::string& prefix = "");

// Everything that an epoch does to its tables, in one transaction. `most_deletes`, one for each
// group: how many rows a complete mirror may delete; more fail the script.
std::string commit_script(const BqPlace& place, const std::vector<tables::TableGroup>& groups,
                          const std::vector<int64_t>& most_deletes);

// FROM .. WHERE ..: the rows of the table that no staging table of the group has, by its keys.
std::string missing_rows(const BqPlace& place, const tables::TableGroup& group);

}  // namespace patchbay
