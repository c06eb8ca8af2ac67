// Tables of one BigQuery dataset.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bq_commit.h"
#include "patchbay/plugin.h"
#include "patchbay/tables/options.h"
#include "patchbay/tables/schema_step.h"
#include "patchbay/tables/tokens.h"

namespace patchbay {

struct BqConfig {
  BqAccess access;
  bool stream = false;  // insertAll instead of load jobs
  tables::TableOptions tables;
};

// What writers of load jobs share with their sink, which outlives them.
class BqEpoch {
 public:
  explicit BqEpoch(tables::TableOptions options) : options_(std::move(options)) {}

  // The end of a writer's prepare: judges the table where nothing else of the epoch comes to it.
  Prepared finish(Call& call, BqClient& client, const std::string& txn, tables::TableToken token,
                  int64_t rows);

 private:
  const tables::TableOptions options_;
  tables::PreparedTokens prepared_;
};

// Where one writer's rows go.
struct BqStage {
  std::string txn;
  tables::TableToken token;
  // The staging table, as tables.insert takes it.
  Json::Value resource;
  // The policy left fields out.
  bool lacks_fields = false;
};

class BqSink final : public Sink {
 public:
  BqSink(Context& context, const Config& config);
  void check(Call& call) override;
  Json::Value plan_schema(Call& call, const SchemaPtr& stream) override;
  void apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& steps) override;
  std::unique_ptr<Writer> open(Call& call, const SchemaPtr& stream,
                               const std::string& txn) override;
  void commit(Call& call, const std::string& txn, uint64_t epoch,
              std::span<const std::string> tokens) override;
  void abort(Call& call, std::span<const std::string> txns) override;
  // kUnknown with method: stream, whose rows are visible as they are written. The newest epoch is
  // not kept: nothing that BigQuery stores changes together with a table's rows.
  Outcome outcome(Call& call, const std::string& txn, std::span<const std::string> tokens) override;

 private:
  BqClient& client(Call& call);
  std::unique_ptr<BqClient> make_client(Call& call);
  std::vector<tables::SchemaStep> plan_new(Call& call, const Schema& stream,
                                           const std::string& table);
  std::vector<tables::SchemaStep> plan_existing(const Schema& stream, const Json::Value& target);
  void add_columns(Call& call, const std::string& table,
                   const std::vector<tables::SchemaStep>& columns);
  BqStage plan_stage(const Schema& stream, const Json::Value& target, const std::string& txn);

  const BqConfig config_;
  std::shared_ptr<GoogleCredentials> credentials_;
  std::unique_ptr<BqClient> client_;
  tables::DeclinedFields declined_;
  BqEpoch epoch_;
  std::string txn_;       // the one that writers were opened for last
  uint64_t writers_ = 0;  // of that transaction, from 1 without gaps
};

}  // namespace patchbay
