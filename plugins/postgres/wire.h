// Integers in network order, as PostgreSQL's binary formats have them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
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

template <class T>
void put_wire(std::string& out, T value) {
  const T swapped = swap_bytes(value);
  out.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
}

// `text` holds at least sizeof(T) bytes.
template <class T>
T get_wire(const char* text) {
  T value;
  std::memcpy(&value, text, sizeof value);
  return swap_bytes(value);
}

// Days and microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
inline constexpr int32_t kEpochDays = 10957;
inline constexpr int64_t kEpochMicros = int64_t{kEpochDays} * 86'400'000'000;

}  // namespace patchbay
