#include "bq_encode.h"

#include "bq_schema.h"
#include "patchbay/text_value.h"

namespace patchbay {

BqEncoder::BqEncoder(SchemaPtr stream, const Json::Value& table_fields, bool json_as_text)
    : stream_(std::move(stream)), style_{true, json_as_text} {
  for (size_t i = 0; i < stream_->fields.size(); ++i) {
    const Field& field = stream_->fields[i];
    if (field.type.id != TypeId::kUtf8 || field.type.json) continue;
    for (const auto& column : table_fields) {
      if (column["name"].asString() != field.name) continue;
      if (const auto type = parsed_type(column["type"].asString())) parsed_.push_back({i, *type});
    }
  }
}

Batch BqEncoder::without_misfits(Call& call, Batch batch) const {
  std::vector<uint8_t> bad(static_cast<size_t>(batch.rows()), 0);
  bool any = false;
  for (const auto& parsed : parsed_) {
    const auto text = BatchView(batch).column<Utf8View>(parsed.column);
    const auto scratch = make_builder(parsed.type);
    const TextAppender appender(parsed.type, *scratch);
    for (int64_t row = 0; row < batch.rows(); ++row) {
      if (bad[static_cast<size_t>(row)] || text.is_null(row) || appender.append(text[row]))
        continue;
      bad[static_cast<size_t>(row)] = any = true;
      call.reject({stream_->name, "type",
                   stream_->fields[parsed.column].name + ": the table's column is " +
                       type_name(parsed.type) + ", found utf8 that is none",
                   ""},
                  batch.rows_at({row}));
    }
  }
  if (!any) return batch;
  std::vector<int64_t> good;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    if (!bad[static_cast<size_t>(row)]) good.push_back(row);
  }
  return batch.rows_at(good);
}

}  // namespace patchbay
