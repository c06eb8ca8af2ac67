#include "patchbay/batch.h"

#include <bit>
#include <utility>

#include "patchbay/error.h"
#include "patchbay/view.h"

namespace patchbay {

Array::Array(ArrowArray* moved) : array_(*moved) { moved->release = nullptr; }

Array::Array(Array&& other) noexcept : array_(other.array_) { other.array_.release = nullptr; }

Array& Array::operator=(Array&& other) noexcept {
  if (this != &other) {
    if (array_.release) array_.release(&array_);
    array_ = std::exchange(other.array_, ArrowArray{});
  }
  return *this;
}

Array::~Array() {
  if (array_.release) array_.release(&array_);
}

void Array::move_to(ArrowArray* out) { *out = std::exchange(array_, ArrowArray{}); }

namespace {

// An array that shares another's memory: each node keeps its root alive, so children may be moved
// out. Each column of a batch has a root of its own, so that one that is left out is freed.
struct Shared {
  std::shared_ptr<Array> root;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

void release_shared(ArrowArray* array) {
  auto* shared = static_cast<Shared*>(array->private_data);
  for (auto* child : shared->pointers) {
    if (child->release) child->release(child);
  }
  delete shared;
  array->release = nullptr;
}

ArrowArray own_children(std::unique_ptr<Shared> shared, const ArrowArray& source) {
  for (auto& child : shared->children) shared->pointers.push_back(&child);
  ArrowArray out = source;
  out.children = shared->pointers.data();
  out.release = release_shared;
  out.private_data = shared.release();
  return out;
}

ArrowArray share(const std::shared_ptr<Array>& root, const ArrowArray& source) {
  auto shared = std::make_unique<Shared>();
  shared->root = root;
  for (int64_t i = 0; i < source.n_children; ++i)
    shared->children.push_back(share(root, *source.children[i]));
  return own_children(std::move(shared), source);
}

ArrowArray share_columns(Array whole) {
  auto shared = std::make_unique<Shared>();
  shared->root = std::make_shared<Array>(std::move(whole));
  const ArrowArray& source = shared->root->get();
  for (int64_t i = 0; i < source.n_children; ++i) {
    const ArrowArray column = *source.children[i];
    const auto root = column.release ? std::make_shared<Array>(source.children[i]) : shared->root;
    shared->children.push_back(share(root, column));
  }
  return own_children(std::move(shared), source);
}

// The same memory once more; `source` is share's.
ArrowArray share_again(const ArrowArray& source) {
  const auto& from = *static_cast<const Shared*>(source.private_data);
  auto shared = std::make_unique<Shared>();
  shared->root = from.root;
  for (const auto& child : from.children) shared->children.push_back(share_again(child));
  return own_children(std::move(shared), source);
}

struct Joined {
  std::vector<Array> columns;
  std::vector<ArrowArray*> pointers;
  const void* buffers[1] = {nullptr};
};

void release_joined(ArrowArray* array) {
  delete static_cast<Joined*>(array->private_data);
  array->release = nullptr;
}

int64_t bits_bytes(int64_t bits) { return (bits + 7) / 8; }

int64_t value_bits(TypeId id) {
  switch (id) {
    case TypeId::kBool:
      return 1;
    case TypeId::kInt8:
    case TypeId::kUint8:
      return 8;
    case TypeId::kInt16:
    case TypeId::kUint16:
      return 16;
    case TypeId::kInt32:
    case TypeId::kUint32:
    case TypeId::kFloat32:
    case TypeId::kDate32:
      return 32;
    case TypeId::kDecimal128:
      return 128;
    default:
      return 64;
  }
}

// Of `rows` rows from `offset` on, which counts from the array's own offset.
int64_t column_bytes(const Type& type, const ArrowArray& array, int64_t offset, int64_t rows) {
  if (rows == 0) return 0;
  const int64_t begin = array.offset + offset;
  const int64_t bytes = array.buffers[0] ? bits_bytes(rows) : 0;
  if (type.id == TypeId::kStruct) {
    int64_t members = 0;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      members += column_bytes(type.fields[i].type, *array.children[i], begin, rows);
    }
    return bytes + members;
  }
  const bool is_list = type.id == TypeId::kList;
  if (!is_list && type.id != TypeId::kUtf8 && type.id != TypeId::kBinary) {
    return bytes + bits_bytes(rows * value_bits(type.id));
  }
  const auto* offsets = static_cast<const int32_t*>(array.buffers[1]) + begin;
  const int64_t items = offsets[rows] - offsets[0];
  return bytes + 4 * (rows + 1) +
         (is_list ? column_bytes(type.fields[0].type, *array.children[0], offsets[0], items)
                  : items);
}

}  // namespace

int64_t Batch::bytes() const {
  if (!array_) return 0;
  int64_t bytes = 0;
  const ArrowArray& array = array_.get();
  for (size_t i = 0; i < schema_->fields.size(); ++i) {
    bytes += column_bytes(schema_->fields[i].type, *array.children[i], array.offset, array.length);
  }
  return bytes;
}

Batch Batch::slice(int64_t offset, int64_t length) {
  if (offset < 0 || length < 0 || offset > rows() || length > rows() - offset) {
    throw Error(Code::kInternal, "slice of a batch: rows that it does not have");
  }
  if (array_.get().release != release_shared) {
    ArrowArray own = share_columns(std::move(array_));
    array_ = Array(&own);
  }
  ArrowArray part = share_again(array_.get());
  part.offset += offset;
  part.length = length;
  part.null_count = part.null_count == 0 ? 0 : -1;
  return Batch(schema_, Array(&part));
}

std::vector<Array> split_columns(Array array) {
  const int64_t rows = array.get().length, offset = array.get().offset;
  const auto root = std::make_shared<Array>(std::move(array));
  std::vector<Array> columns;
  for (int64_t i = 0; i < root->get().n_children; ++i) {
    ArrowArray& child = *root->get().children[i];
    ArrowArray column = child.release ? child : share(root, child);
    child.release = nullptr;  // moved out
    column.offset += offset;
    if (offset != 0 || column.length != rows) column.null_count = column.null_count == 0 ? 0 : -1;
    column.length = rows;
    columns.emplace_back(&column);
  }
  return columns;
}

Array join_columns(std::vector<Array> columns, int64_t rows) {
  for (const auto& column : columns) {
    if (column.get().length < rows) {
      throw Error(Code::kInternal, "joined columns: one has fewer rows than the batch");
    }
  }
  auto joined = std::make_unique<Joined>();
  joined->columns = std::move(columns);
  for (auto& column : joined->columns)
    joined->pointers.push_back(const_cast<ArrowArray*>(&column.get()));
  ArrowArray out{};
  out.length = rows;
  out.n_buffers = 1;
  out.buffers = joined->buffers;
  out.n_children = static_cast<int64_t>(joined->pointers.size());
  out.children = joined->pointers.data();
  out.release = release_joined;
  out.private_data = joined.release();
  return Array(&out);
}

void check_view(const Type& type, std::initializer_list<TypeId> allowed) {
  for (const TypeId id : allowed) {
    if (type.id == id) return;
  }
  throw Error(Code::kInternal, "column of type " + type_name(type) + " viewed as another type");
}

}  // namespace patchbay
