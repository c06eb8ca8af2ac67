// Tables of a SQLite database. Rows go into a table of the transaction's own; commit moves them in
// one transaction that also remembers that it happened.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "patchbay/sqlite.h"
#include "patchbay/tables/epoch_book.h"
#include "patchbay/tables/schema_step.h"
#include "sqlite_stage.h"
#include "written_files.h"

namespace patchbay {

class SqliteSink final : public Sink {
 public:
  SqliteSink(Context& context, const Config& config);
  void check(Call& call) override;
  Json::Value plan_schema(Call& call, const SchemaPtr& stream) override;
  void apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& steps) override;
  std::unique_ptr<Writer> open(Call& call, const SchemaPtr& stream,
                               const std::string& txn) override;
  void commit(Call& call, const std::string& txn, uint64_t epoch,
              std::span<const std::string> tokens) override;
  void abort(Call& call, std::span<const std::string> txns) override;
  Outcome outcome(Call& call, const std::string& txn, std::span<const std::string> tokens) override;
  uint64_t newest(Call& call) override;

 private:
  // The database, opened and with its bookkeeping. Made anew in each call that needs it.
  class Session;

  bool is_there() const;
  void apply(Database& database, const Schema& stream, const tables::SchemaStep& step) const;
  void plan_stage(Database& database, const Schema& stream, const SqliteTable& table,
                  tables::TableToken& token, std::vector<StageColumn>& columns) const;

  const std::string path_;
  SqliteParts parts_;
  const WrittenFile written_;
  tables::DeclinedFields declined_;
  uint64_t writers_ = 0;
};

}  // namespace patchbay
