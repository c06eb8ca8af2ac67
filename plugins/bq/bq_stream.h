// method stream: rows by insertAll, visible at once.
#pragma once

#include <vector>

#include "bq_encode.h"
#include "bq_sink.h"

namespace patchbay {

class BqStreamWriter final : public Writer {
 public:
  // `name` is the writer's own in its transaction; `keys` identify a row, none = nothing does.
  // `lacks_fields`: the policy left fields out.
  BqStreamWriter(std::unique_ptr<BqClient> client, SchemaPtr stream,
                 const Json::Value& table_fields, std::string table, std::string name,
                 const std::vector<std::string>& keys, bool lacks_fields);
  void write(Call& call, Batch batch) override;
  Prepared prepare(Call& call) override;

 private:
  struct Row {
    int64_t index;  // in the batch
    std::string json, id;
  };
  void send(Call& call, const Batch& batch, std::vector<Row> rows);
  std::vector<Row> insert(Call& call, const Batch& batch, const std::vector<Row>& rows);
  std::string reason_of(const Json::Value& error, const std::vector<std::string>& texts) const;
  bool has_key(const Batch& batch, int64_t row) const;

  std::unique_ptr<BqClient> client_;
  const SchemaPtr stream_;
  const std::string table_, name_;
  std::vector<size_t> keys_;  // columns of the stream
  const bool lacks_fields_;
  BqEncoder encoder_;
  int64_t offered_ = 0;  // rows so far, refused ones included
  int64_t rows_ = 0;
};

}  // namespace patchbay
