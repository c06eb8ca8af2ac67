// Text that is put together from many small pieces: there is one check for room per piece, and
// nothing is cleared before it is written.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

namespace patchbay {

class TextBuffer {
 public:
  std::string_view view() const { return {begin_.get(), size_}; }
  size_t size() const { return size_; }
  void clear() { size_ = 0; }
  void truncate(size_t size) { size_ = size; }

  // At least `most` bytes to write to; `keep` says where what was written ends.
  char* room(size_t most) {
    if (capacity_ - size_ < most) grow(most);
    return begin_.get() + size_;
  }
  void keep(const char* end) { size_ = static_cast<size_t>(end - begin_.get()); }

  void put(char c) {
    *room(1) = c;
    ++size_;
  }
  void put(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    size_ += text.size();
  }
  template <class T>
  void put_number(T value) {
    constexpr size_t kLongest = 40;
    char* const at = room(kLongest);
    keep(std::to_chars(at, at + kLongest, value).ptr);
  }

 private:
  void grow(size_t most) {
    const size_t wanted = std::max(size_ + most, capacity_ * 2);
    std::unique_ptr<char[]> larger(new char[wanted]);  // not cleared
    if (size_ > 0) std::memcpy(larger.get(), begin_.get(), size_);
    begin_ = std::move(larger);
    capacity_ = wanted;
  }

  std::unique_ptr<char[]> begin_;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace patchbay
