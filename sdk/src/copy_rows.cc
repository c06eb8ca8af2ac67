// Copies chosen rows from arrays into builders, column by column.
#include <numeric>
#include <span>

#include "patchbay/builder.h"
#include "patchbay/view.h"

namespace patchbay {
namespace {

// A row counts from `offset`, and that from the array's own.
void append_rows(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                 std::span<const int64_t> rows);

template <class V, class B>
void append_scalars(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                    std::span<const int64_t> rows) {
  const V view(type, in, offset, in.length);
  auto& column = static_cast<B&>(out);
  for (const int64_t row : rows) {
    if (view.is_null(row)) {
      column.append_null();
    } else {
      column.append(view[row]);
    }
  }
}

void append_lists(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                  std::span<const int64_t> rows) {
  const ListView view(type, in, offset, in.length);
  auto& list = static_cast<ListBuilder&>(out);
  std::vector<int64_t> items;
  for (const int64_t row : rows) {
    if (view.is_null(row)) {
      list.append_null();
      continue;
    }
    list.append();
    const auto range = view[row];
    items.resize(static_cast<size_t>(range.end - range.begin));
    std::iota(items.begin(), items.end(), range.begin);
    append_rows(list.item(), type.fields[0].type, *in.children[0], 0, items);
  }
}

// Row by row, because a null struct makes its members null as well.
void append_structs(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                    std::span<const int64_t> rows) {
  const StructView view(type, in, offset, in.length);
  auto& members = static_cast<StructBuilder&>(out);
  for (const int64_t& row : rows) {
    if (view.is_null(row)) {
      members.append_null();
      continue;
    }
    members.append();
    for (size_t i = 0; i < type.fields.size(); ++i) {
      append_rows(members.member(i), type.fields[i].type, *in.children[i], in.offset + offset,
                  {&row, 1});
    }
  }
}

void append_rows(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                 std::span<const int64_t> rows) {
  switch (type.id) {
    case TypeId::kBool:
      return append_scalars<BoolView, BoolBuilder>(out, type, in, offset, rows);
    case TypeId::kInt8:
      return append_scalars<Int8View, Int8Builder>(out, type, in, offset, rows);
    case TypeId::kInt16:
      return append_scalars<Int16View, Int16Builder>(out, type, in, offset, rows);
    case TypeId::kInt32:
      return append_scalars<Int32View, Int32Builder>(out, type, in, offset, rows);
    case TypeId::kInt64:
      return append_scalars<Int64View, Int64Builder>(out, type, in, offset, rows);
    case TypeId::kUint8:
      return append_scalars<Uint8View, Uint8Builder>(out, type, in, offset, rows);
    case TypeId::kUint16:
      return append_scalars<Uint16View, Uint16Builder>(out, type, in, offset, rows);
    case TypeId::kUint32:
      return append_scalars<Uint32View, Uint32Builder>(out, type, in, offset, rows);
    case TypeId::kUint64:
      return append_scalars<Uint64View, Uint64Builder>(out, type, in, offset, rows);
    case TypeId::kFloat32:
      return append_scalars<Float32View, Float32Builder>(out, type, in, offset, rows);
    case TypeId::kFloat64:
      return append_scalars<Float64View, Float64Builder>(out, type, in, offset, rows);
    case TypeId::kDecimal128:
      return append_scalars<DecimalView, DecimalBuilder>(out, type, in, offset, rows);
    case TypeId::kDate32:
      return append_scalars<Date32View, Date32Builder>(out, type, in, offset, rows);
    case TypeId::kTime64:
      return append_scalars<Time64View, Time64Builder>(out, type, in, offset, rows);
    case TypeId::kTimestamp:
      return append_scalars<TimestampView, TimestampBuilder>(out, type, in, offset, rows);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return append_scalars<BytesView, BytesBuilder>(out, type, in, offset, rows);
    case TypeId::kList:
      return append_lists(out, type, in, offset, rows);
    case TypeId::kStruct:
      return append_structs(out, type, in, offset, rows);
  }
}

}  // namespace

Batch Batch::rows_at(const std::vector<int64_t>& rows) const {
  BatchBuilder out(schema_);
  out.reserve(static_cast<int64_t>(rows.size()));
  for (size_t i = 0; i < schema_->fields.size(); ++i) {
    append_rows(out.column(i), schema_->fields[i].type, *array().children[i], array().offset, rows);
  }
  return out.finish();
}

}  // namespace patchbay
