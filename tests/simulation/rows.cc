#include "simulation/rows.h"

#include <sstream>

#include "patchbay/builder.h"
#include "patchbay/view.h"

namespace patchbay::simulation {

SchemaPtr row_schema(const std::string& stream, bool grown) {
  const Type number = scalar(TypeId::kInt64);
  Schema schema{stream,
                {{"id", number, false},
                 {"other", number, false},
                 {"key", number, false},
                 {"value", number, false}},
                {"key"}};
  if (grown) schema.fields.push_back({"grown", number, true});
  return std::make_shared<const Schema>(std::move(schema));
}

Batch to_batch(const SchemaPtr& schema, const std::vector<SinkRow>& rows) {
  BatchBuilder batch(schema);
  const bool grown = schema->index_of("grown") >= 0;
  for (const auto& row : rows) {
    batch.column<Int64Builder>("id").append(static_cast<int64_t>(row.id));
    batch.column<Int64Builder>("other").append(static_cast<int64_t>(row.other));
    batch.column<Int64Builder>("key").append(row.key);
    batch.column<Int64Builder>("value").append(row.value);
    if (!grown) continue;
    if (row.grown) {
      batch.column<Int64Builder>("grown").append(*row.grown);
    } else {
      batch.column<Int64Builder>("grown").append_null();
    }
  }
  return batch.finish();
}

std::vector<SinkRow> from_batch(const Batch& batch) {
  const BatchView view(batch);
  const auto id = view.column<Int64View>("id"), other = view.column<Int64View>("other"),
             key = view.column<Int64View>("key"), value = view.column<Int64View>("value");
  const bool grows = batch.schema()->index_of("grown") >= 0;
  std::vector<SinkRow> rows;
  for (int64_t i = 0; i < view.rows(); ++i) {
    rows.push_back(
        {static_cast<model::Id>(id[i]), static_cast<model::Id>(other[i]), key[i], value[i], {}});
    if (!grows) continue;
    const auto grown = view.column<Int64View>("grown");
    if (!grown.is_null(i)) rows.back().grown = grown[i];
  }
  return rows;
}

std::string to_text(const std::vector<SinkRow>& rows) {
  std::string text;
  for (const auto& row : rows)
    text += std::to_string(row.id) + " " + std::to_string(row.key) + " " +
            std::to_string(row.value) + "\n";
  return text;
}

std::vector<SinkRow> from_text(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<SinkRow> rows;
  for (SinkRow row; in >> row.id >> row.key >> row.value;) rows.push_back(row);
  return rows;
}

}  // namespace patchbay::simulation
