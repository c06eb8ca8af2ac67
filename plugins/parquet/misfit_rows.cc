#include "misfit_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include <arrow/scalar.h>
#include <arrow/util/utf8.h>

#include "arrow_errors.h"
#include "arrow_pool.h"
#include "convert.h"
#include "patchbay/batch.h"
#include "patchbay/json_text.h"

namespace patchbay {

MisfitRows::MisfitRows(const Schema& stream, const arrow::ArrayVector& columns, bool truncate)
    : stream_(stream), columns_(columns), truncate_(truncate) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto rows = misfits(*columns[i], stream.fields[i].type, truncate);
    by_column_.emplace_back(rows.begin(), rows.end());
    rows_.insert(rows.begin(), rows.end());
  }
}

void MisfitRows::reject(Call& call, const std::string& file, int64_t before) const {
  for (const int64_t row : rows_) {
    size_t column = 0;
    while (!by_column_[column].contains(row)) ++column;
    std::string position = "{\"file\":";
    append_json_string(position, file);
    position += ",\"row\":" + std::to_string(before + row + 1) + ",\"column\":";
    append_json_string(position, stream_.fields[column].name);
    call.reject_record({stream_.name, "type", reason(column), position + "}"}, record(row));
  }
}

std::string MisfitRows::reason(size_t column) const {
  const Field& field = stream_.fields[column];
  const std::string found = columns_[column]->type()->ToString();
  if (field.type.id == TypeId::kUtf8)
    return field.name + (field.type.json ? ": text that is no JSON" : ": text that is no UTF-8");
  std::string why = field.name + ": " + found + " that is no " + type_name(field.type);
  if (found.find("[ns") != std::string::npos) why += "; nanoseconds: truncate cuts them off";
  return why;
}

// The unfit values as text, or as bytes where they are no text.
std::string MisfitRows::record(int64_t row) const {
  Schema schema = stream_;
  arrow::ArrayVector values;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto one = columns_[i]->Slice(row, 1);
    if (!by_column_[i].contains(row)) {
      values.push_back(value_of(stream_.name, convert(one, schema.fields[i].type, truncate_)));
      continue;
    }
    const std::string text = value_of(stream_.name, one->GetScalar(0))->ToString();
    schema.fields[i].type =
        scalar(arrow::util::ValidateUTF8(text) ? TypeId::kUtf8 : TypeId::kBinary);
    arrow::BinaryBuilder builder(arrow_pool());
    check_status(stream_.name, builder.Append(text));
    values.push_back(value_of(stream_.name, builder.Finish()));
  }
  const Array array = export_columns(stream_.name, 1, values);
  return row_to_json(schema, array.get(), 0);
}

arrow::Result<arrow::ArrayVector> MisfitRows::others() const {
  const int64_t rows = columns_.empty() ? 0 : columns_[0]->length();
  arrow::Int64Builder builder(arrow_pool());
  for (int64_t row = 0; row < rows; ++row) {
    if (!rows_.contains(row)) ARROW_RETURN_NOT_OK(builder.Append(row));
  }
  ARROW_ASSIGN_OR_RAISE(const auto kept, builder.Finish());
  arrow::compute::ExecContext context(arrow_pool());
  arrow::ArrayVector out;
  for (const auto& column : columns_) {
    ARROW_ASSIGN_OR_RAISE(
        auto part, arrow::compute::Take(*column, *kept,
                                        arrow::compute::TakeOptions::NoBoundsCheck(), &context));
    out.push_back(std::move(part));
  }
  return out;
}

}  // namespace patchbay
