// method load: one epoch's rows of one stream into a staging table, by one load job.
#pragma once

#include "bq_encode.h"
#include "bq_sink.h"

namespace patchbay {

// A column of an upsert's staging table: rows as they came, since of a key's rows the last counts.
inline constexpr const char* kBqRowNumber = "_patchbay_row";
inline constexpr std::chrono::hours kBqStagingLife{7 * 24};

// A table's schema with that column.
Json::Value with_row_number(Json::Value schema);

class BqLoadWriter final : public Writer {
 public:
  // `token` names target and write mode; `staging` the table to make, with the target's schema and
  // for an upsert the rows' numbers.
  BqLoadWriter(std::unique_ptr<BqClient> client, SchemaPtr stream, const Json::Value& target_schema,
               std::string staging, Json::Value token);
  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 private:
  void begin(Call& call);
  void upload(Call& call, bool last);
  Json::Value configuration() const;

  std::unique_ptr<BqClient> client_;
  const SchemaPtr stream_;
  const bool numbered_;
  const Json::Value schema_;
  const std::string staging_;
  Json::Value token_;
  BqEncoder encoder_;
  std::string job_, buffer_;
  std::optional<GoogleUpload> upload_;
  int64_t rows_ = 0;
};

}  // namespace patchbay
