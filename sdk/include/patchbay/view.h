// Typed views of a batch's columns: reading makes no virtual call and no allocation. Views borrow
// the batch.
//
//   BatchView view(batch);
//   auto id = view.column<Int64View>("id");
//   for (int64_t i = 0; i < view.rows(); ++i) if (!id.is_null(i)) use(id[i]);
//
// Debug builds check every index.
#pragma once

#include <cassert>
#include <cstdint>
#include <string_view>

#include "patchbay/batch.h"
#include "patchbay/error.h"

namespace patchbay {

class ColumnView {
 public:
  // `offset` and `length` select the rows of `array` that the parent shows, on top of the array's
  // own offset.
  ColumnView(const Type& type, const ArrowArray& array, int64_t offset, int64_t length)
      : type_(&type),
        array_(&array),
        offset_(array.offset + offset),
        length_(length),
        validity_(array.null_count == 0 || array.n_buffers == 0
                      ? nullptr
                      : static_cast<const uint8_t*>(array.buffers[0])) {}

  const Type& type() const { return *type_; }
  int64_t length() const { return length_; }
  bool is_null(int64_t i) const {
    assert(i >= 0 && i < length_);
    const int64_t at = offset_ + i;
    return validity_ && !((validity_[at >> 3] >> (at & 7)) & 1);
  }

 protected:
  const Type* type_;
  const ArrowArray* array_;
  int64_t offset_;  // into the buffers
  int64_t length_;
  const uint8_t* validity_;  // null where no row is null
};

void check_view(const Type& type, std::initializer_list<TypeId> allowed);  // throws kInternal

template <typename T, TypeId... kAllowed>
class FixedView : public ColumnView {
 public:
  FixedView(const Type& type, const ArrowArray& array, int64_t offset, int64_t length)
      : ColumnView(type, array, offset, length),
        values_(static_cast<const T*>(array.buffers[1]) + offset_) {
    check_view(type, {kAllowed...});
  }
  T operator[](int64_t i) const {
    assert(i >= 0 && i < length_);
    return values_[i];
  }

 private:
  const T* values_;
};

using Int8View = FixedView<int8_t, TypeId::kInt8>;
using Int16View = FixedView<int16_t, TypeId::kInt16>;
using Int32View = FixedView<int32_t, TypeId::kInt32>;
using Int64View = FixedView<int64_t, TypeId::kInt64>;
using Uint8View = FixedView<uint8_t, TypeId::kUint8>;
using Uint16View = FixedView<uint16_t, TypeId::kUint16>;
using Uint32View = FixedView<uint32_t, TypeId::kUint32>;
using Uint64View = FixedView<uint64_t, TypeId::kUint64>;
using Float32View = FixedView<float, TypeId::kFloat32>;
using Float64View = FixedView<double, TypeId::kFloat64>;
using DecimalView = FixedView<Int128, TypeId::kDecimal128>;
using Date32View = FixedView<int32_t, TypeId::kDate32>;
using Time64View = FixedView<int64_t, TypeId::kTime64>;
using TimestampView = FixedView<int64_t, TypeId::kTimestamp>;

class BoolView : public ColumnView {
 public:
  BoolView(const Type& type, const ArrowArray& array, int64_t offset, int64_t length)
      : ColumnView(type, array, offset, length),
        bits_(static_cast<const uint8_t*>(array.buffers[1])) {
    check_view(type, {TypeId::kBool});
  }
  bool operator[](int64_t i) const {
    assert(i >= 0 && i < length_);
    const int64_t at = offset_ + i;
    return (bits_[at >> 3] >> (at & 7)) & 1;
  }

 private:
  const uint8_t* bits_;
};

class BytesView : public ColumnView {
 public:
  BytesView(const Type& type, const ArrowArray& array, int64_t offset, int64_t length)
      : ColumnView(type, array, offset, length),
        offsets_(static_cast<const int32_t*>(array.buffers[1]) + offset_),
        data_(static_cast<const char*>(array.buffers[2])) {
    check_view(type, {TypeId::kUtf8, TypeId::kBinary});
  }
  std::string_view operator[](int64_t i) const {
    assert(i >= 0 && i < length_);
    return {data_ + offsets_[i], static_cast<size_t>(offsets_[i + 1] - offsets_[i])};
  }

 private:
  const int32_t* offsets_;
  const char* data_;
};
using Utf8View = BytesView;
using BinaryView = BytesView;

class ListView : public ColumnView {
 public:
  struct Range {
    int64_t begin, end;  // rows of item()
  };
  ListView(const Type& type, const ArrowArray& array, int64_t offset, int64_t length)
      : ColumnView(type, array, offset, length),
        offsets_(static_cast<const int32_t*>(array.buffers[1]) + offset_) {
    check_view(type, {TypeId::kList});
  }
  Range operator[](int64_t i) const {
    assert(i >= 0 && i < length_);
    return {offsets_[i], offsets_[i + 1]};
  }
  template <class V>
  V item() const {
    return V(type_->fields[0].type, *array_->children[0], 0, array_->children[0]->length);
  }

 private:
  const int32_t* offsets_;
};

class StructView : public ColumnView {
 public:
  StructView(const Type& type, const ArrowArray& array, int64_t offset, int64_t length)
      : ColumnView(type, array, offset, length) {
    check_view(type, {TypeId::kStruct});
  }
  template <class V>
  V member(size_t i) const {
    return V(type_->fields.at(i).type, *array_->children[i], offset_, length_);
  }
};

class BatchView {
 public:
  explicit BatchView(const Batch& batch) : BatchView(*batch.schema(), batch.array()) {}
  BatchView(const Schema& schema, const ArrowArray& array) : schema_(&schema), array_(&array) {}

  int64_t rows() const { return array_->length; }
  const Schema& schema() const { return *schema_; }
  template <class V>
  V column(size_t i) const {
    return V(schema_->fields.at(i).type, *array_->children[i], array_->offset, array_->length);
  }
  template <class V>
  V column(std::string_view name) const {
    const int i = schema_->index_of(name);
    if (i < 0) throw Error(Code::kInternal, "no column " + std::string(name));
    return column<V>(static_cast<size_t>(i));
  }

 private:
  const Schema* schema_;
  const ArrowArray* array_;
};

}  // namespace patchbay
