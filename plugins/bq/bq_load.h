// method load: one epoch's rows of one stream into a staging table, by one load job.
#pragma once

#include "bq_encode.h"
#include "bq_sink.h"
#include "patchbay/tables/null_keys.h"

namespace patchbay {

inline constexpr std::chrono::hours kBqStagingLife{7 * 24};

class BqLoadWriter final : public Writer {
 public:
  BqLoadWriter(BqEpoch& epoch, std::unique_ptr<BqClient> client, SchemaPtr stream, BqStage stage);
  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 private:
  void begin(Call& call);
  void upload(Call& call, bool last);
  Json::Value configuration() const;
  std::string words_of(const BqJobOutcome& outcome) const;

  BqEpoch& epoch_;
  std::unique_ptr<BqClient> client_;
  const SchemaPtr stream_;
  const BqStage stage_;
  const bool numbered_;
  const tables::NullKeys null_keys_;
  BqEncoder encoder_;
  std::string job_, buffer_;
  std::optional<GoogleUpload> upload_;
  int64_t rows_ = 0;
};

}  // namespace patchbay
