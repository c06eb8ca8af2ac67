// Tables of a SQLite database. Rows go into a table of the transaction's own; commit moves them in
// one transaction that also remembers that it happened.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "patchbay/sqlite.h"

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

 private:
  std::string table_of(const std::string& stream) const;
  std::vector<std::string> columns_of(Database& database, const std::string& table) const;
  Database& database();  // opened at first use

  const std::string path_, write_;
  const std::vector<std::string> keys_;
  const bool create_;
  std::map<std::string, std::string> tables_;
  std::unique_ptr<Database> database_;
  uint64_t writers_ = 0;
};

}  // namespace patchbay
