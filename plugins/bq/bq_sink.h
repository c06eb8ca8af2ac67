// Tables of one BigQuery dataset.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bq_access.h"
#include "patchbay/plugin.h"

namespace patchbay {

struct BqConfig {
  BqAccess access;
  bool stream = false;  // insertAll instead of load jobs
  std::string write;
  std::vector<std::string> keys;
  std::map<std::string, std::string> tables;
  bool create = true;
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

 private:
  BqClient& client(Call& call);
  std::unique_ptr<BqClient> make_client(Call& call);
  void add_columns(Call& call, const std::string& table, const Json::Value& steps);
  std::string table_of(const std::string& stream) const;
  Json::Value commit_job(const std::vector<Json::Value>& tokens) const;

  const BqConfig config_;
  std::shared_ptr<GoogleCredentials> credentials_;
  std::unique_ptr<BqClient> client_;
  std::string txn_;       // the one that writers were opened for last
  uint64_t writers_ = 0;  // of that transaction, from 1 without gaps
};

// As SQL has it: a list of `column`.
std::string bq_columns(const Json::Value& names, const std::string& prefix = "");

// Staging tables and job ids are named after the transaction, so that they are found again.
std::string bq_staging_name(const std::string& txn, uint64_t writer);

}  // namespace patchbay
