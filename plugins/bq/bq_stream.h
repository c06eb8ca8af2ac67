// method stream: rows by insertAll, visible at once.
#pragma once

#include <vector>

#include "bq_encode.h"
#include "bq_sink.h"

namespace patchbay {

class BqStreamWriter final : public Writer {
 public:
  BqStreamWriter(std::unique_ptr<BqClient> client, SchemaPtr stream,
                 const Json::Value& target_schema, std::string table);
  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 private:
  struct Row {
    int64_t index;  // in the batch
    std::string json;
  };
  void send(Call& call, const Batch& batch, std::vector<Row> rows);
  std::vector<Row> insert(Call& call, const Batch& batch, const std::vector<Row>& rows);
  std::string insert_id(const Batch& batch, const Row& row) const;

  std::unique_ptr<BqClient> client_;
  const SchemaPtr stream_;
  const std::string table_;
  BqEncoder encoder_;
  int64_t rows_ = 0;
};

}  // namespace patchbay
