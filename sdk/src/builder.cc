#include "patchbay/builder.h"

#include <algorithm>

namespace patchbay {
namespace {

// The finished buffers of one column; they live until the array is released.
struct Buffers {
  std::vector<std::shared_ptr<void>> owners;
  std::vector<const void*> pointers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> child_pointers;
};

void release_buffers(ArrowArray* array) {
  auto* buffers = static_cast<Buffers*>(array->private_data);
  for (auto* child : buffers->child_pointers) {
    if (child->release) child->release(child);
  }
  delete buffers;
  array->release = nullptr;
}

// The next batch is likely to be as large: room for it is made at once.
template <class T>
const void* keep(Buffers& buffers, T& moved) {
  const size_t size = moved.size();
  auto owner = std::make_shared<T>(std::move(moved));
  moved = T();
  moved.reserve(size);
  const void* data = owner->data();
  buffers.owners.push_back(std::move(owner));
  return data;
}

ArrowArray make_array(std::unique_ptr<Buffers> buffers, int64_t length, int64_t null_count) {
  for (auto& child : buffers->children) buffers->child_pointers.push_back(&child);
  ArrowArray out{};
  out.length = length;
  out.null_count = null_count;
  out.n_buffers = static_cast<int64_t>(buffers->pointers.size());
  out.buffers = buffers->pointers.data();
  out.n_children = static_cast<int64_t>(buffers->child_pointers.size());
  out.children = buffers->child_pointers.data();
  out.release = release_buffers;
  out.private_data = buffers.release();
  return out;
}

const void* keep_validity(Buffers& buffers, bool& has_nulls, std::vector<uint8_t>& validity) {
  return std::exchange(has_nulls, false) ? keep(buffers, validity) : nullptr;
}

template <class T>
int64_t vector_bytes(const T& v) {
  return static_cast<int64_t>(v.size() * sizeof(v[0]));
}

}  // namespace

void ColumnBuilder::start_validity() {
  const auto rows = static_cast<size_t>(length_);
  has_nulls_ = true;
  validity_.assign((rows + 7) / 8, 0xff);
  if (rows % 8 != 0) validity_.back() = static_cast<uint8_t>((1u << (rows % 8)) - 1);
}

void ColumnBuilder::truncate_validity(int64_t rows) {
  for (int64_t i = rows; has_nulls_ && i < length_; ++i) {
    null_count_ -= !((validity_[static_cast<size_t>(i) / 8] >> (i % 8)) & 1);
  }
  if (has_nulls_) {
    validity_.resize(static_cast<size_t>(rows + 7) / 8);
    if (rows % 8 != 0) validity_.back() &= static_cast<uint8_t>((1u << (rows % 8)) - 1);
  }
  length_ = rows;
}

template <typename T>
int64_t FixedBuilder<T>::bytes() const {
  return vector_bytes(values_) + vector_bytes(validity_);
}

template <typename T>
ArrowArray FixedBuilder<T>::finish() {
  auto buffers = std::make_unique<Buffers>();
  buffers->pointers = {keep_validity(*buffers, has_nulls_, validity_), keep(*buffers, values_)};
  return make_array(std::move(buffers), std::exchange(length_, 0), std::exchange(null_count_, 0));
}

template <typename T>
void FixedBuilder<T>::truncate(int64_t rows) {
  if (rows >= length_) return;
  values_.resize(static_cast<size_t>(rows));
  truncate_validity(rows);
}

template class FixedBuilder<int8_t>;
template class FixedBuilder<int16_t>;
template class FixedBuilder<int32_t>;
template class FixedBuilder<int64_t>;
template class FixedBuilder<uint8_t>;
template class FixedBuilder<uint16_t>;
template class FixedBuilder<uint32_t>;
template class FixedBuilder<uint64_t>;
template class FixedBuilder<float>;
template class FixedBuilder<double>;
template class FixedBuilder<Int128>;

int64_t BoolBuilder::bytes() const { return vector_bytes(bits_) + vector_bytes(validity_); }

ArrowArray BoolBuilder::finish() {
  auto buffers = std::make_unique<Buffers>();
  buffers->pointers = {keep_validity(*buffers, has_nulls_, validity_), keep(*buffers, bits_)};
  return make_array(std::move(buffers), std::exchange(length_, 0), std::exchange(null_count_, 0));
}

void BoolBuilder::truncate(int64_t rows) {
  if (rows >= length_) return;
  bits_.resize(static_cast<size_t>(rows + 7) / 8);
  if (rows % 8 != 0) bits_.back() &= static_cast<uint8_t>((1u << (rows % 8)) - 1);
  truncate_validity(rows);
}

void BytesBuilder::too_long() {
  throw Error(Code::kData, "a column of one batch would hold more than 2 GiB of text or bytes");
}

int64_t BytesBuilder::bytes() const {
  return vector_bytes(offsets_) + vector_bytes(data_) + vector_bytes(validity_);
}

ArrowArray BytesBuilder::finish() {
  auto buffers = std::make_unique<Buffers>();
  buffers->pointers = {keep_validity(*buffers, has_nulls_, validity_), keep(*buffers, offsets_),
                       keep(*buffers, data_)};
  offsets_ = {0};
  return make_array(std::move(buffers), std::exchange(length_, 0), std::exchange(null_count_, 0));
}

void BytesBuilder::truncate(int64_t rows) {
  if (rows >= length_) return;
  offsets_.resize(static_cast<size_t>(rows) + 1);
  data_.resize(static_cast<size_t>(offsets_.back()));
  truncate_validity(rows);
}

std::unique_ptr<ColumnBuilder> make_builder(const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
      return std::make_unique<BoolBuilder>();
    case TypeId::kInt8:
      return std::make_unique<Int8Builder>();
    case TypeId::kInt16:
      return std::make_unique<Int16Builder>();
    case TypeId::kInt32:
    case TypeId::kDate32:
      return std::make_unique<Int32Builder>();
    case TypeId::kInt64:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
      return std::make_unique<Int64Builder>();
    case TypeId::kUint8:
      return std::make_unique<Uint8Builder>();
    case TypeId::kUint16:
      return std::make_unique<Uint16Builder>();
    case TypeId::kUint32:
      return std::make_unique<Uint32Builder>();
    case TypeId::kUint64:
      return std::make_unique<Uint64Builder>();
    case TypeId::kFloat32:
      return std::make_unique<Float32Builder>();
    case TypeId::kFloat64:
      return std::make_unique<Float64Builder>();
    case TypeId::kDecimal128:
      return std::make_unique<DecimalBuilder>();
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return std::make_unique<BytesBuilder>();
    case TypeId::kList:
      return std::make_unique<ListBuilder>(type.fields.at(0));
    case TypeId::kStruct:
      return std::make_unique<StructBuilder>(type.fields);
  }
  throw Error(Code::kInternal, "no builder for this type");
}

StructBuilder::StructBuilder(const std::vector<Field>& fields) {
  for (const auto& field : fields) members_.push_back(make_builder(field.type));
}

void StructBuilder::append_null() {
  push_valid(false);
  for (auto& member : members_) member->append_null();
}

void StructBuilder::reserve(int64_t rows) {
  for (auto& member : members_) member->reserve(rows);
}

int64_t StructBuilder::bytes() const {
  int64_t bytes = vector_bytes(validity_);
  for (const auto& member : members_) bytes += member->bytes();
  return bytes;
}

ArrowArray StructBuilder::finish() {
  auto buffers = std::make_unique<Buffers>();
  for (auto& member : members_) buffers->children.push_back(member->finish());
  buffers->pointers = {keep_validity(*buffers, has_nulls_, validity_)};
  return make_array(std::move(buffers), std::exchange(length_, 0), std::exchange(null_count_, 0));
}

void StructBuilder::check() const {
  for (const auto& member : members_) {
    if (member->length() != length_) {
      throw Error(Code::kInternal, "struct builder: a member has another number of rows");
    }
    member->check();
  }
}

void StructBuilder::truncate(int64_t rows) {
  for (auto& member : members_) member->truncate(rows);
  if (rows < length_) truncate_validity(rows);
}

ListBuilder::ListBuilder(const Field& item) : item_(make_builder(item.type)) {}

int64_t ListBuilder::bytes() const {
  return vector_bytes(offsets_) + vector_bytes(validity_) + item_->bytes();
}

void ListBuilder::check() const {
  if (item_->length() > INT32_MAX) {
    throw Error(Code::kData, "a list column of one batch would hold more than 2^31 items");
  }
  item_->check();
}

ArrowArray ListBuilder::finish() {
  auto buffers = std::make_unique<Buffers>();
  offsets_.push_back(static_cast<int32_t>(item_->length()));
  buffers->children.push_back(item_->finish());
  buffers->pointers = {keep_validity(*buffers, has_nulls_, validity_), keep(*buffers, offsets_)};
  return make_array(std::move(buffers), std::exchange(length_, 0), std::exchange(null_count_, 0));
}

void ListBuilder::truncate(int64_t rows) {
  if (rows >= length_) return;
  item_->truncate(offsets_[static_cast<size_t>(rows)]);
  offsets_.resize(static_cast<size_t>(rows));
  truncate_validity(rows);
}

BatchBuilder::BatchBuilder(SchemaPtr schema) : schema_(std::move(schema)) {
  for (const auto& field : schema_->fields) columns_.push_back(make_builder(field.type));
}

ColumnBuilder& BatchBuilder::column(std::string_view name) {
  const int i = schema_->index_of(name);
  if (i < 0) throw Error(Code::kInternal, "batch builder: no column " + std::string(name));
  return *columns_[static_cast<size_t>(i)];
}

int64_t BatchBuilder::bytes() const {
  int64_t bytes = 0;
  for (const auto& column : columns_) bytes += column->bytes();
  return bytes;
}

void BatchBuilder::reserve(int64_t rows) {
  for (auto& column : columns_) column->reserve(rows);
}

void BatchBuilder::truncate(int64_t rows) {
  for (auto& column : columns_) column->truncate(rows);
}

Batch BatchBuilder::finish() {
  const int64_t length = rows();
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i]->length() != length) {
      throw Error(Code::kInternal, "batch builder: column " + schema_->fields[i].name + " has " +
                                       std::to_string(columns_[i]->length()) +
                                       " rows, the first has " + std::to_string(length));
    }
    columns_[i]->check();
  }
  auto buffers = std::make_unique<Buffers>();
  for (auto& column : columns_) buffers->children.push_back(column->finish());
  buffers->pointers = {nullptr};
  ArrowArray array = make_array(std::move(buffers), length, 0);
  return Batch(schema_, Array(&array));
}

}  // namespace patchbay
