// A stream by reference, written by BigQuery itself: one query job from its tables into a staging
// table, which then becomes visible as a load's does.
#pragma once

#include "bq_sink.h"
#include "patchbay/bq_reference.h"

namespace patchbay {

class BqQueryWriter final : public Writer {
 public:
  BqQueryWriter(BqEpoch& epoch, std::unique_ptr<BqClient> client, SchemaPtr stream, BqStage stage);
  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 private:
  std::string insert_sql() const;

  BqEpoch& epoch_;
  std::unique_ptr<BqClient> client_;
  const SchemaPtr stream_;
  const BqStage stage_;
};

// The job that fills a staging table.
std::string bq_query_job(const std::string& staging);

// What BigQuery says of a query that failed over its data, without the data: "division by zero".
std::string reason_without_data(const std::string& message);

}  // namespace patchbay
