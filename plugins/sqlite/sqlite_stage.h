// One writer's rows in a table of their own, until commit moves them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "patchbay/tables/null_keys.h"
#include "patchbay/tables/options.h"
#include "patchbay/tables/tokens.h"
#include "sqlite_fit.h"
#include "sqlite_table.h"

namespace patchbay {

// What writers share with their sink, which outlives them.
struct SqliteParts {
  Context& context;
  const tables::TableOptions options;
  std::unique_ptr<Database> database{};  // opened at first use
  tables::PreparedTokens prepared{};
};

// A column of a stage, and the field of the stream that fills it.
struct StageColumn {
  size_t field;
  Affinity affinity;
  std::string collation;
};

// Writes batch by batch; prepare's last write makes all of them durable.
class SqliteStageWriter final : public Writer {
 public:
  // `token` has the columns' names, beside `columns`.
  SqliteStageWriter(SqliteParts& parts, SchemaPtr stream, std::string txn, tables::TableToken token,
                    std::vector<StageColumn> columns);

  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 private:
  // Makes the stage where it is not there yet; inside a transaction.
  void require_stage(Database& database);
  Batch without_misfits(Call& call, Batch batch) const;
  std::string create_sql() const;
  std::string insert_sql() const;

  SqliteParts& parts_;
  const SchemaPtr stream_;
  const std::string txn_;
  tables::TableToken token_;
  const std::vector<StageColumn> columns_;
  const tables::NullKeys null_keys_;
  bool has_stage_ = false;
};

std::string stage_name(const std::string& txn, uint64_t writer);
// All stages of a transaction that are there.
std::vector<std::string> stages_of(Database& database, const std::string& txn);

}  // namespace patchbay
