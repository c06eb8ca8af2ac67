// Typed column builders. Appending makes no virtual call and no allocation beyond the growth of its
// buffers.
//
//   BatchBuilder batch(schema);
//   auto& id = batch.column<Int64Builder>("id");
//   auto& name = batch.column<Utf8Builder>("name");
//   id.append(1); name.append_null();
//   Batch out = batch.finish();
//
// A column left shorter than the longest by the end is a bug and throws kInternal at finish().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "patchbay/batch.h"
#include "patchbay/error.h"

namespace patchbay {

class ColumnBuilder {
 public:
  virtual ~ColumnBuilder() = default;
  virtual void append_null() = 0;
  virtual void reserve(int64_t rows) = 0;
  virtual int64_t bytes() const = 0;        // of the buffers so far
  virtual void check() const {}             // throws what finish() of a whole batch must not meet
  virtual ArrowArray finish() = 0;          // leaves the builder empty
  virtual void truncate(int64_t rows) = 0;  // drops what came after: undoes a half-read row
  int64_t length() const { return length_; }

 protected:
  void push_valid(bool valid) {
    if (!valid && !has_nulls_) start_validity();
    if (has_nulls_) {
      if ((length_ & 7) == 0) validity_.push_back(0);
      if (valid) validity_.back() |= static_cast<uint8_t>(1u << (length_ & 7));
    }
    null_count_ += !valid;
    ++length_;
  }
  void start_validity();  // all rows so far become valid
  void truncate_validity(int64_t rows);

  int64_t length_ = 0;
  int64_t null_count_ = 0;
  bool has_nulls_ = false;
  std::vector<uint8_t> validity_;  // only once a row is null
};

// T is int8_t .. uint64_t, float, double; dates are int32_t, times and timestamps int64_t, decimals
// __int128.
template <typename T>
class FixedBuilder final : public ColumnBuilder {
 public:
  using Value = T;
  void append(T value) {
    values_.push_back(value);
    push_valid(true);
  }
  void append_null() override {
    values_.push_back(T{});
    push_valid(false);
  }
  void reserve(int64_t rows) override { values_.reserve(static_cast<size_t>(rows)); }
  int64_t bytes() const override;
  ArrowArray finish() override;
  void truncate(int64_t rows) override;

 private:
  std::vector<T> values_;
};

class BoolBuilder final : public ColumnBuilder {
 public:
  using Value = bool;
  void append(bool value) {
    if ((length_ & 7) == 0) bits_.push_back(0);
    if (value) bits_.back() |= static_cast<uint8_t>(1u << (length_ & 7));
    push_valid(true);
  }
  void append_null() override {
    if ((length_ & 7) == 0) bits_.push_back(0);
    push_valid(false);
  }
  void reserve(int64_t rows) override { bits_.reserve(static_cast<size_t>(rows) / 8 + 1); }
  int64_t bytes() const override;
  ArrowArray finish() override;
  void truncate(int64_t rows) override;

 private:
  std::vector<uint8_t> bits_;
};

// utf8 and binary. One batch holds at most 2 GiB of a column: past it append throws kData.
class BytesBuilder final : public ColumnBuilder {
 public:
  using Value = std::string_view;
  void append(std::string_view value) {
    if (data_.size() + value.size() > INT32_MAX) too_long();
    data_.append(value);
    offsets_.push_back(static_cast<int32_t>(data_.size()));
    push_valid(true);
  }
  void append_null() override {
    offsets_.push_back(static_cast<int32_t>(data_.size()));
    push_valid(false);
  }
  void reserve(int64_t rows) override { offsets_.reserve(static_cast<size_t>(rows) + 1); }
  int64_t bytes() const override;
  ArrowArray finish() override;
  void truncate(int64_t rows) override;

 private:
  [[noreturn]] static void too_long();
  std::vector<int32_t> offsets_{0};
  std::string data_;
};

using Int8Builder = FixedBuilder<int8_t>;
using Int16Builder = FixedBuilder<int16_t>;
using Int32Builder = FixedBuilder<int32_t>;
using Int64Builder = FixedBuilder<int64_t>;
using Uint8Builder = FixedBuilder<uint8_t>;
using Uint16Builder = FixedBuilder<uint16_t>;
using Uint32Builder = FixedBuilder<uint32_t>;
using Uint64Builder = FixedBuilder<uint64_t>;
using Float32Builder = FixedBuilder<float>;
using Float64Builder = FixedBuilder<double>;
using DecimalBuilder = FixedBuilder<Int128>;     // the unscaled value
using Date32Builder = FixedBuilder<int32_t>;     // days since 1970-01-01
using Time64Builder = FixedBuilder<int64_t>;     // microseconds since midnight
using TimestampBuilder = FixedBuilder<int64_t>;  // microseconds since 1970-01-01T00:00:00
using Utf8Builder = BytesBuilder;
using BinaryBuilder = BytesBuilder;

std::unique_ptr<ColumnBuilder> make_builder(const Type& type);

// The builder as its concrete type; throws kInternal where the type does not fit the column's.
template <class B>
B& builder_as(ColumnBuilder& column) {
  auto* typed = dynamic_cast<B*>(&column);
  if (!typed)
    throw Error(Code::kInternal, "column builder: asked for as another type than the schema's");
  return *typed;
}

class StructBuilder final : public ColumnBuilder {
 public:
  explicit StructBuilder(const std::vector<Field>& fields);
  // Begins a row: one value must then be appended to every member.
  void append() { push_valid(true); }
  void append_null() override;  // and to every member
  template <class B>
  B& member(size_t i) {
    return builder_as<B>(*members_.at(i));
  }
  ColumnBuilder& member(size_t i) { return *members_.at(i); }
  size_t members() const { return members_.size(); }
  void reserve(int64_t rows) override;
  int64_t bytes() const override;
  void check() const override;
  ArrowArray finish() override;
  void truncate(int64_t rows) override;

 private:
  std::vector<std::unique_ptr<ColumnBuilder>> members_;
};

class ListBuilder final : public ColumnBuilder {
 public:
  explicit ListBuilder(const Field& item);
  // Begins a row: the items appended to item() until the next append() or append_null() are its
  // own.
  void append() {
    offsets_.push_back(static_cast<int32_t>(item_->length()));
    push_valid(true);
  }
  void append_null() override {
    offsets_.push_back(static_cast<int32_t>(item_->length()));
    push_valid(false);
  }
  template <class B>
  B& item() {
    return builder_as<B>(*item_);
  }
  ColumnBuilder& item() { return *item_; }
  void reserve(int64_t rows) override { offsets_.reserve(static_cast<size_t>(rows) + 1); }
  int64_t bytes() const override;
  void check() const override;
  ArrowArray finish() override;
  void truncate(int64_t rows) override;

 private:
  std::vector<int32_t> offsets_;  // where each row begins; the end is added at finish
  std::unique_ptr<ColumnBuilder> item_;
};

class BatchBuilder {
 public:
  explicit BatchBuilder(SchemaPtr schema);

  template <class B>
  B& column(size_t i) {
    return builder_as<B>(*columns_.at(i));
  }
  template <class B>
  B& column(std::string_view name) {
    return builder_as<B>(column(name));
  }
  ColumnBuilder& column(size_t i) { return *columns_.at(i); }
  ColumnBuilder& column(std::string_view name);  // throws kInternal for an unknown name

  const SchemaPtr& schema() const { return schema_; }
  int64_t rows() const { return columns_.empty() ? 0 : columns_[0]->length(); }
  int64_t bytes() const;
  void reserve(int64_t rows);
  void truncate(int64_t rows);  // drops a half-appended row
  Batch finish();               // leaves the builder empty and usable

 private:
  SchemaPtr schema_;
  std::vector<std::unique_ptr<ColumnBuilder>> columns_;
};

}  // namespace patchbay
