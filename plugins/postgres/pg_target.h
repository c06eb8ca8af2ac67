// One table in one epoch, whatever writers fill it: emptied once, judged as a whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "patchbay/tables/tokens.h"
#include "pg_replace.h"
#include "pg_table.h"

namespace patchbay {

// A key's column, and how its values are compared.
struct KeyColumn {
  std::string name, equals;
};
// _patchbay_t.a = _patchbay_s.a AND ..
std::string same_keys(const std::vector<KeyColumn>& keys);

struct EpochTable {
  PgTable table;
  const tables::WriteMode write;
  // The tokens of the writers that have prepared.
  tables::TableGroup group{};
  // Writers that have not prepared yet.
  int open = 0;
  // What replace and mirror found.
  std::optional<int64_t> rows_before{};
  bool is_emptied = false;
  // replace: a table that takes this one's place at commit.
  std::optional<BesideTable> beside{};
  // replace: columns that other tables point to. Its rows are then changed, not made anew.
  std::vector<std::string> pointed_at{};
  // What commit needs to know which rows are gone: tables of the session.
  std::vector<std::string> stages{};
  // Their keys: the mirror's, or pointed_at.
  std::vector<KeyColumn> keys{};

  void count_rows(Call& call, postgres::Connection& connection);
  // Throws kData or kSchema for what must not happen to the table. Before anything is visible.
  void judge(Call& call, postgres::Connection& connection);
  // The last statements of the epoch. On the own path.
  void finish(Call& call, Context& context, postgres::Connection& connection);

  std::vector<KeyColumn> keys_of(const std::vector<std::string>& names) const;

 private:
  std::string missing_rows() const;
  void look_at_sequences(Call& call, Context& context, postgres::Connection& connection) const;
};

}  // namespace patchbay
