// Bytes on their way to PostgreSQL, and integers in network order, as its binary formats have them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace patchbay {

template <class T>
T swap_bytes(T value) {
  if constexpr (sizeof(T) == 2)
    return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  if constexpr (sizeof(T) == 4)
    return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 8)
    return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  return value;
}

// `text` holds at least sizeof(T) bytes.
template <class T>
T get_wire(const char* text) {
  T value;
  std::memcpy(&value, text, sizeof value);
  return swap_bytes(value);
}

template <class T>
void set_wire(char* at, T value) {
  const T swapped = swap_bytes(value);
  std::memcpy(at, &swapped, sizeof swapped);
}

// Grows, and keeps its memory when it is cleared.
class WireBuffer {
 public:
  std::string_view view() const { return {data_.get(), size_}; }
  size_t size() const { return size_; }
  char* at(size_t offset) { return data_.get() + offset; }
  void truncate(size_t size) { size_ = size; }

  // `bytes` more, for the caller to fill.
  char* extend(size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    char* out = data_.get() + size_;
    size_ += bytes;
    return out;
  }
  void append(std::string_view bytes) {
    char* out = extend(bytes.size());
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  }
  template <class T>
  void put(T value) {
    set_wire(extend(sizeof value), value);
  }

  // Fields of a row: length, then the value.
  void put_null() { put(int32_t{-1}); }
  template <class T>
  void put_field(T value) {
    char* out = extend(4 + sizeof value);
    set_wire(out, int32_t{sizeof value});
    set_wire(out + 4, value);
  }
  void put_bytes(std::string_view bytes) {
    char* out = extend(4 + bytes.size());
    set_wire(out, static_cast<int32_t>(bytes.size()));
    if (!bytes.empty()) std::memcpy(out + 4, bytes.data(), bytes.size());
  }

 private:
  void grow(size_t bytes) {
    capacity_ = std::max(size_ + bytes, capacity_ * 2);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
    if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0, capacity_ = 0;
};

// Days and microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
inline constexpr int32_t kEpochDays = 10957;
inline constexpr int64_t kEpochMicros = int64_t{kEpochDays} * 86'400'000'000;

}  // namespace patchbay
