#include "bq_encode.h"

#include "bq_schema.h"

namespace patchbay {

BqEncoder::BqEncoder(SchemaPtr stream, const Json::Value& table_fields, bool json_as_text)
    : stream_(std::move(stream)),
      spelled_(as_spelled(*stream_, table_fields)),
      style_{true, json_as_text},
      misfits_(stream_->fields, table_fields) {}

Batch BqEncoder::without_misfits(Call& call, Batch batch) const {
  const std::vector<std::string> reasons = misfits_.find(batch);
  std::vector<int64_t> good;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const std::string& reason = reasons[static_cast<size_t>(row)];
    if (reason.empty()) {
      good.push_back(row);
    } else {
      call.reject({stream_->name, "type", reason, ""}, batch.rows_at({row}));
    }
  }
  return good.size() == reasons.size() ? std::move(batch) : batch.rows_at(good);
}

}  // namespace patchbay
