#include "patchbay/tables/null_keys.h"

#include <algorithm>

#include "patchbay/view.h"

namespace patchbay::tables {

NullKeys::NullKeys(SchemaPtr stream, const NamePolicy& policy, const std::vector<std::string>& keys)
    : stream_(std::move(stream)) {
  const auto& fields = stream_->fields;
  for (const auto& key : keys) {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
      return same_column(policy, field.name, key);
    });
    if (found == fields.end())
      config_error("keys", "stream " + stream_->name + " has no field " + key);
    fields_.push_back(static_cast<size_t>(found - fields.begin()));
  }
}

Batch NullKeys::without(Call& call, Batch batch) const {
  std::vector<ColumnView> views;
  for (const size_t i : fields_) views.push_back(BatchView(batch).column<ColumnView>(i));
  std::vector<int64_t> good;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const auto missing = std::find_if(views.begin(), views.end(),
                                      [&](const auto& view) { return view.is_null(row); });
    if (missing == views.end()) {
      good.push_back(row);
      continue;
    }
    const size_t field = fields_[static_cast<size_t>(missing - views.begin())];
    call.reject({stream_->name, "constraint",
                 stream_->fields[field].name + ": is null, and a key needs a value", ""},
                batch.rows_at({row}));
  }
  const bool all = static_cast<int64_t>(good.size()) == batch.rows();
  return all ? std::move(batch) : batch.rows_at(good);
}

}  // namespace patchbay::tables
