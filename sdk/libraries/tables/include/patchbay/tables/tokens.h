// What prepare leaves for commit, and an epoch's tokens table by table.
#pragma once

#include <json/value.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/call.h"
#include "patchbay/tables/columns.h"
#include "patchbay/tables/options.h"
#include "patchbay/type.h"

namespace patchbay::tables {

// One writer's rows. Written by prepare, read by commit in any process, also one of a later
// version.
struct TableToken {
  std::string stream, table;
  // Where the rows are until commit.
  std::string stage;
  WriteMode write = WriteMode::kAppend;
  // As the table spells them. With `recreate` the columns are the stream's fields, with their
  // types.
  std::vector<std::string> keys, columns;
  std::vector<Type> types;
  int64_t rows = 0;
  // The stream was read from its start to its end.
  bool complete = false;
  bool may_empty = false, recreate = false;
  DeleteLimit deletes;
  // The sink's own: an object.
  Json::Value more = Json::objectValue;

  std::string text() const;
  static TableToken parse(std::string_view text);
};

// A token as far as the options and the stream say. The sink adds stage, columns and rows.
TableToken token_of(const TableOptions& options, const std::string& stream);

// The tokens of one table, in the order in which their rows came: what replace empties once and
// fills with all of them.
struct TableGroup {
  std::vector<TableToken> tokens;

  const std::string& table() const { return tokens[0].table; }
  WriteMode write() const { return tokens[0].write; }
  int64_t rows() const;
  // Each stream of the group was read whole: its last token says so.
  bool complete() const;
  bool recreate() const;
  // The union of the tokens' columns, in the order in which they came.
  std::vector<std::string> columns(const NamePolicy& policy) const;
};

// In the order of each table's first token.
std::vector<TableGroup> group_by_table(const NamePolicy& policy, std::vector<TableToken> tokens);
std::vector<TableGroup> parse_groups(const NamePolicy& policy, std::span<const std::string> texts);

// Throws kData where replace or mirror would empty a table by nothing. Called before anything is
// changed.
void require_rows(const TableGroup& group, int64_t rows_before);
// Throws kData where mirror would delete more than `deletes` allows. Called before anything is
// committed.
void require_few_deletes(const TableGroup& group, int64_t deletes, int64_t rows_before);

// What the writers of one transaction have prepared in this process, so that prepare can judge
// their table as commit will.
class PreparedTokens {
 public:
  // The earlier tokens of the transaction; those of another one are forgotten.
  const std::vector<TableToken>& of(const std::string& txn);
  void add(const std::string& txn, TableToken token);
  // The group that the token is the last one of so far.
  TableGroup group_with(const NamePolicy& policy, const std::string& txn, const TableToken& token);

 private:
  std::string txn_;
  std::vector<TableToken> tokens_;
};

// Whether prepare knows all that commit will know of the token's table: no other writer of the
// epoch will go into it. A host that names no scope can't abort what it has recorded, so that
// everything has to be judged now.
bool is_last_of_table(const TableOptions& options, const NamePolicy& policy,
                      const std::string& stream, const Epoch& epoch);

}  // namespace patchbay::tables
