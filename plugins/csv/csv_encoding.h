// Bytes of a file to UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace patchbay {

// The inverse. Throws Error kData for a character that the encoding lacks.
std::string from_utf8(const std::string& text, const std::string& encoding);

class CsvEncoding {
 public:
  // `name` as iconv(3) knows it; throws Error kConfig for one that it doesn't. A byte order mark of
  // UTF-8 or UTF-16 at the beginning is dropped; that of UTF-16 also decides, where the encoding is
  // utf-8 or utf-16. utf-16 without one is little-endian.
  CsvEncoding(std::string name, std::string file);
  ~CsvEncoding();

  // A view until the next call, of `bytes` themselves where they are UTF-8: the reader of rows
  // checks it. Throws Error kData with the line for bytes that another encoding lacks.
  std::string_view feed(std::string_view bytes, bool last);

 private:
  struct Converter;

  size_t begin();  // decides by the first bytes; so many are a mark
  void convert(std::string_view bytes, bool last);

  std::string name_;
  const std::string file_;
  std::unique_ptr<Converter> converter_;  // null = it is UTF-8
  std::string head_;                      // the first bytes, until there are enough of them
  std::string carry_;                     // half a character
  std::string converted_;
  bool begun_ = false;
  int64_t line_ = 1;
};

}  // namespace patchbay
