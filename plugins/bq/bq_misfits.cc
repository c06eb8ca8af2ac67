#include "bq_misfits.h"

#include <numeric>

#include "bq_schema.h"
#include "patchbay/text_value.h"

namespace patchbay {
namespace {

// The first and last day of the years 0001 to 9999.
constexpr int64_t kFirstDay = -719'162, kLastDay = 2'932'896;
constexpr int64_t kMicrosOfDay = 86'400'000'000;

template <class View, class IsMisfit>
void mark(const View& view, const std::vector<int64_t>& rows, IsMisfit is_misfit,
          const std::string& reason, std::vector<std::string>& reasons) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || !is_misfit(view, static_cast<int64_t>(i))) continue;
    std::string& of_row = reasons[static_cast<size_t>(rows[i])];
    if (of_row.empty()) of_row = reason;
  }
}

}  // namespace

BqMisfits::BqMisfits(const std::vector<Field>& stream, const Json::Value& table_fields)
    : columns_(make_columns("", stream, table_fields)) {}

std::vector<BqMisfits::Column> BqMisfits::make_columns(const std::string& path,
                                                       const std::vector<Field>& stream,
                                                       const Json::Value& table_fields) {
  std::vector<Column> out;
  for (size_t i = 0; i < stream.size(); ++i) {
    const Json::Value* column = find_column(table_fields, stream[i].name);
    if (!column) continue;
    Column one = make_column(path + stream[i].name, stream[i], *column);
    one.index = i;
    const TypeId id = one.type.id;
    const bool needs_look = one.required || one.parsed || !one.inner.empty() ||
                            id == TypeId::kList || id == TypeId::kDate32 || id == TypeId::kTime64 ||
                            id == TypeId::kTimestamp;
    if (needs_look) out.push_back(std::move(one));
  }
  return out;
}

BqMisfits::Column BqMisfits::make_column(const std::string& path, const Field& field,
                                         const Json::Value& column) {
  Column out{path, field.type, column["mode"].asString() == "REQUIRED", {}, {}, 0};
  const Type& type = field.type;
  if (type.id == TypeId::kUtf8 && !type.json) out.parsed = parsed_type(column["type"].asString());
  if (type.id == TypeId::kStruct)
    out.inner = make_columns(path + ".", type.fields, column["fields"]);
  // A list's items have the column's type, and are never null.
  if (type.id == TypeId::kList) {
    out.inner.push_back(make_column(path + "[]", type.fields[0], column));
    out.inner[0].required = true;
  }
  return out;
}

std::vector<std::string> BqMisfits::find(const Batch& batch) const {
  std::vector<std::string> reasons(static_cast<size_t>(batch.rows()));
  Rows rows(reasons.size());
  std::iota(rows.begin(), rows.end(), 0);
  for (const auto& column : columns_)
    look(column, *batch.array().children[column.index], batch.array().offset, rows, reasons);
  return reasons;
}

void BqMisfits::look(const Column& column, const ArrowArray& array, int64_t offset,
                     const Rows& rows, std::vector<std::string>& reasons) {
  const Type& type = column.type;
  const auto length = static_cast<int64_t>(rows.size());
  if (column.required) {
    const bool item = column.path.ends_with("[]");
    mark(
        ColumnView(type, array, offset, length), rows,
        [](const ColumnView& view, int64_t i) { return view.is_null(i); },
        column.path + (item ? ": is null, which BigQuery does not take in a list"
                            : ": is null, and the table's column is REQUIRED"),
        reasons);
  }
  const auto out_of = [](int64_t first, int64_t last) {
    return [first, last](const auto& view, int64_t i) {
      return !view.is_null(i) && (view[i] < first || view[i] > last);
    };
  };
  const std::string years = column.path + ": is out of the years 0001 to 9999 that BigQuery has";
  if (column.parsed) {
    const auto scratch = make_builder(*column.parsed);
    const TextAppender appender(*column.parsed, *scratch);
    mark(
        Utf8View(type, array, offset, length), rows,
        [&](const Utf8View& view, int64_t i) {
          return !view.is_null(i) && !appender.append(view[i]);
        },
        column.path + ": the table's column is " + type_name(*column.parsed) +
            ", found utf8 that is none",
        reasons);
  } else if (type.id == TypeId::kDate32) {
    mark(Date32View(type, array, offset, length), rows, out_of(kFirstDay, kLastDay), years,
         reasons);
  } else if (type.id == TypeId::kTimestamp) {
    mark(TimestampView(type, array, offset, length), rows,
         out_of(kFirstDay * kMicrosOfDay, (kLastDay + 1) * kMicrosOfDay - 1), years, reasons);
  } else if (type.id == TypeId::kTime64) {
    mark(Time64View(type, array, offset, length), rows, out_of(0, kMicrosOfDay - 1),
         column.path + ": is out of the times 00:00:00 to 23:59:59.999999 that BigQuery has",
         reasons);
  } else {
    look_into(column, array, offset, rows, reasons);
  }
}

void BqMisfits::look_into(const Column& column, const ArrowArray& array, int64_t offset,
                          const Rows& rows, std::vector<std::string>& reasons) {
  if (column.inner.empty()) return;
  const auto length = static_cast<int64_t>(rows.size());
  if (column.type.id == TypeId::kStruct) {
    const StructView view(column.type, array, offset, length);
    Rows there = rows;
    for (size_t i = 0; i < there.size(); ++i) {
      if (view.is_null(static_cast<int64_t>(i))) there[i] = -1;
    }
    for (const auto& member : column.inner)
      look(member, *array.children[member.index], array.offset + offset, there, reasons);
    return;
  }
  const ListView view(column.type, array, offset, length);
  Rows of_items(static_cast<size_t>(array.children[0]->length), -1);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || view.is_null(static_cast<int64_t>(i))) continue;
    const auto range = view[static_cast<int64_t>(i)];
    std::fill(of_items.begin() + range.begin, of_items.begin() + range.end, rows[i]);
  }
  look(column.inner[0], *array.children[0], 0, of_items, reasons);
}

}  // namespace patchbay
