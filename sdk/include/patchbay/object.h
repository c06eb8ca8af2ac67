// Streams of files, patchbay.object/1: one row per chunk of at most 1 MiB, the chunks of one object
// in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "patchbay/builder.h"
#include "patchbay/view.h"

namespace patchbay {

inline constexpr size_t kObjectChunk = 512 << 10;  // what our own sources and encoders cut

// key utf8, size int64?, modified timestamp[us, UTC]?, etag utf8?, offset int64, data binary, last
// bool.
Schema object_schema(std::string stream);
bool is_object_schema(const Schema& schema);  // by its columns

struct ObjectChunk {
  std::string_view key;
  std::optional<int64_t> size;      // of the whole object, where known
  std::optional<int64_t> modified;  // microseconds since the epoch, UTC
  std::optional<std::string_view> etag;
  int64_t offset = 0;
  std::string_view data;
  bool last = false;  // an empty object is one chunk without data, last = true
};

class ObjectBuilder {
 public:
  explicit ObjectBuilder(SchemaPtr schema) : batch_(std::move(schema)) {}
  void append(const ObjectChunk& chunk);
  int64_t bytes() const { return batch_.bytes(); }
  int64_t rows() const { return batch_.rows(); }
  Batch finish() { return batch_.finish(); }

 private:
  BatchBuilder batch_;
};

class ObjectView {
 public:
  explicit ObjectView(const Batch& batch);
  int64_t rows() const { return view_.rows(); }
  ObjectChunk operator[](int64_t row) const;

 private:
  BatchView view_;
  Utf8View key_;
  Int64View size_;
  TimestampView modified_;
  Utf8View etag_;
  Int64View offset_;
  BinaryView data_;
  BoolView last_;
};

}  // namespace patchbay
