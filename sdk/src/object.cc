#include "patchbay/object.h"

namespace patchbay {
namespace {

std::vector<Field> object_fields() {
  return {{"key", scalar(TypeId::kUtf8), false},     {"size", scalar(TypeId::kInt64), true},
          {"modified", timestamp("UTC"), true},      {"etag", scalar(TypeId::kUtf8), true},
          {"offset", scalar(TypeId::kInt64), false}, {"data", scalar(TypeId::kBinary), false},
          {"last", scalar(TypeId::kBool), false}};
}

template <class B, class T>
void append_optional(B& column, const std::optional<T>& value) {
  if (value) {
    column.append(*value);
  } else {
    column.append_null();
  }
}

template <class V>
auto optional_at(const V& column, int64_t row) {
  return column.is_null(row) ? std::nullopt : std::optional(column[row]);
}

}  // namespace

Schema object_schema(std::string stream) { return {std::move(stream), object_fields(), {}}; }

bool is_object_schema(const Schema& schema) { return schema.fields == object_fields(); }

void ObjectBuilder::append(const ObjectChunk& chunk) {
  batch_.column<Utf8Builder>(0).append(chunk.key);
  append_optional(batch_.column<Int64Builder>(1), chunk.size);
  append_optional(batch_.column<TimestampBuilder>(2), chunk.modified);
  append_optional(batch_.column<Utf8Builder>(3), chunk.etag);
  batch_.column<Int64Builder>(4).append(chunk.offset);
  batch_.column<BinaryBuilder>(5).append(chunk.data);
  batch_.column<BoolBuilder>(6).append(chunk.last);
}

ObjectView::ObjectView(const Batch& batch)
    : view_(batch),
      key_(view_.column<Utf8View>(0)),
      size_(view_.column<Int64View>(1)),
      modified_(view_.column<TimestampView>(2)),
      etag_(view_.column<Utf8View>(3)),
      offset_(view_.column<Int64View>(4)),
      data_(view_.column<BinaryView>(5)),
      last_(view_.column<BoolView>(6)) {}

ObjectChunk ObjectView::operator[](int64_t row) const {
  return {key_[row],
          optional_at(size_, row),
          optional_at(modified_, row),
          optional_at(etag_, row),
          offset_[row],
          data_[row],
          last_[row]};
}

}  // namespace patchbay
