// Names of columns and tables, compared as the database compares them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "patchbay/type.h"

namespace patchbay::tables {

// What a database does with names. A sink has one constant of it.
struct NamePolicy {
  // For messages: "SQLite".
  std::string system;
  // False where Id and ID are one column. Only ASCII letters are folded, as such databases do.
  bool columns_know_case = true;
  bool tables_know_case = true;
  // The longest name, in bytes; longer ones would be cut. 0 = no limit.
  size_t most_bytes = 0;
};

// The text with its ASCII letters in lower case.
std::string folded(std::string_view name);

bool same_column(const NamePolicy& policy, std::string_view a, std::string_view b);
bool same_table(const NamePolicy& policy, std::string_view a, std::string_view b);

// Throws kConfig, naming the field, where two fields would be one column, or where the database
// would cut a name. Members of structs count where `nested`.
void require_names(const NamePolicy& policy, const std::vector<Field>& fields, bool nested = false);

}  // namespace patchbay::tables
