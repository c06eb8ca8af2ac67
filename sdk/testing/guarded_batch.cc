#include "guarded_batch.h"

#include <cstring>

namespace patchbay::test {
namespace {

constexpr int kPoison = 0xdb;

struct Guarded {
  Array inner;
  SchemaPtr schema;
  std::shared_ptr<ReleaseCount> count;
};

size_t width_of(const Type& type) {
  switch (type.id) {
    case TypeId::kInt8:
    case TypeId::kUint8:
      return 1;
    case TypeId::kInt16:
    case TypeId::kUint16:
      return 2;
    case TypeId::kInt32:
    case TypeId::kUint32:
    case TypeId::kFloat32:
    case TypeId::kDate32:
      return 4;
    case TypeId::kInt64:
    case TypeId::kUint64:
    case TypeId::kFloat64:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
      return 8;
    default:
      return 0;
  }
}

void overwrite(const void* buffer, size_t size) {
  if (buffer && size) std::memset(const_cast<void*>(buffer), kPoison, size);
}

// Values and text only: offsets stay, so that a reader of spoilt text finds poison and does not
// crash.
void spoil(const Type& type, const ArrowArray& array) {
  const auto rows = static_cast<size_t>(array.offset + array.length);
  if (type.id == TypeId::kUtf8 || type.id == TypeId::kBinary) {
    const auto* ends = static_cast<const int32_t*>(array.buffers[1]);
    if (ends) overwrite(array.buffers[2], static_cast<size_t>(ends[rows]));
  } else if (const size_t width = width_of(type)) {
    overwrite(array.buffers[1], rows * width);
  }
}

void release_guarded(ArrowArray* array) {
  auto* guarded = static_cast<Guarded*>(array->private_data);
  ++guarded->count->released;
  const ArrowArray& inner = guarded->inner.get();
  for (int64_t i = 0; i < inner.n_children; ++i) {
    if (inner.children[i]->release)  // else somebody else owns it now
      spoil(guarded->schema->fields[static_cast<size_t>(i)].type, *inner.children[i]);
  }
  array->release = nullptr;
  delete guarded;
}

}  // namespace

Batch guard(Batch batch, const std::shared_ptr<ReleaseCount>& count) {
  const SchemaPtr schema = batch.schema();
  auto guarded = std::make_unique<Guarded>(Guarded{batch.take(), schema, count});
  ++count->given;
  ArrowArray outer = guarded->inner.get();
  outer.release = release_guarded;
  outer.private_data = guarded.release();
  return Batch(schema, Array(&outer));
}

}  // namespace patchbay::test
