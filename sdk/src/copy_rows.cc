// Copies single rows from arrays into builders.
#include "patchbay/builder.h"
#include "patchbay/view.h"

namespace patchbay {
namespace {

void append_row(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                int64_t row);

template <class V, class B>
void append_scalar(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                   int64_t row) {
  const V view(type, in, offset, in.length);
  if (view.is_null(row)) {
    out.append_null();
  } else {
    static_cast<B&>(out).append(view[row]);
  }
}

void append_list(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                 int64_t row) {
  const ListView view(type, in, offset, in.length);
  if (view.is_null(row)) return out.append_null();
  auto& list = static_cast<ListBuilder&>(out);
  list.append();
  const auto range = view[row];
  for (int64_t i = range.begin; i < range.end; ++i) {
    append_row(list.item(), type.fields[0].type, *in.children[0], 0, i);
  }
}

void append_struct(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                   int64_t row) {
  const StructView view(type, in, offset, in.length);
  if (view.is_null(row)) return out.append_null();
  auto& members = static_cast<StructBuilder&>(out);
  members.append();
  for (size_t i = 0; i < type.fields.size(); ++i) {
    append_row(members.member(i), type.fields[i].type, *in.children[i], in.offset + offset, row);
  }
}

void append_row(ColumnBuilder& out, const Type& type, const ArrowArray& in, int64_t offset,
                int64_t row) {
  switch (type.id) {
    case TypeId::kBool:
      return append_scalar<BoolView, BoolBuilder>(out, type, in, offset, row);
    case TypeId::kInt8:
      return append_scalar<Int8View, Int8Builder>(out, type, in, offset, row);
    case TypeId::kInt16:
      return append_scalar<Int16View, Int16Builder>(out, type, in, offset, row);
    case TypeId::kInt32:
      return append_scalar<Int32View, Int32Builder>(out, type, in, offset, row);
    case TypeId::kInt64:
      return append_scalar<Int64View, Int64Builder>(out, type, in, offset, row);
    case TypeId::kUint8:
      return append_scalar<Uint8View, Uint8Builder>(out, type, in, offset, row);
    case TypeId::kUint16:
      return append_scalar<Uint16View, Uint16Builder>(out, type, in, offset, row);
    case TypeId::kUint32:
      return append_scalar<Uint32View, Uint32Builder>(out, type, in, offset, row);
    case TypeId::kUint64:
      return append_scalar<Uint64View, Uint64Builder>(out, type, in, offset, row);
    case TypeId::kFloat32:
      return append_scalar<Float32View, Float32Builder>(out, type, in, offset, row);
    case TypeId::kFloat64:
      return append_scalar<Float64View, Float64Builder>(out, type, in, offset, row);
    case TypeId::kDecimal128:
      return append_scalar<DecimalView, DecimalBuilder>(out, type, in, offset, row);
    case TypeId::kDate32:
      return append_scalar<Date32View, Date32Builder>(out, type, in, offset, row);
    case TypeId::kTime64:
      return append_scalar<Time64View, Time64Builder>(out, type, in, offset, row);
    case TypeId::kTimestamp:
      return append_scalar<TimestampView, TimestampBuilder>(out, type, in, offset, row);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return append_scalar<BytesView, BytesBuilder>(out, type, in, offset, row);
    case TypeId::kList:
      return append_list(out, type, in, offset, row);
    case TypeId::kStruct:
      return append_struct(out, type, in, offset, row);
  }
}

}  // namespace

Batch Batch::rows_at(const std::vector<int64_t>& rows) const {
  BatchBuilder out(schema_);
  for (const int64_t row : rows) {
    for (size_t i = 0; i < schema_->fields.size(); ++i) {
      append_row(out.column(i), schema_->fields[i].type, *array().children[i], array().offset, row);
    }
  }
  return out.finish();
}

}  // namespace patchbay
