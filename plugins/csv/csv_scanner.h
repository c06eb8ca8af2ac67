// Records of CSV text that comes in pieces: RFC 4180, and what is found in its place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "csv_dialect.h"
#include "csv_marks.h"

namespace patchbay {

// A field's place in the text of its block.
class CsvField {
 public:
  static constexpr uint32_t kQuoted = 1u << 31, kNull = 1u << 30, kSize = kNull - 1;

  CsvField(size_t begin, size_t size, uint32_t flags)
      : begin_(static_cast<uint32_t>(begin)), size_(static_cast<uint32_t>(size) | flags) {}
  std::string_view in(const char* text) const { return {text + begin_, size_ & kSize}; }
  uint32_t size() const { return size_ & kSize; }
  bool quoted() const { return size_ & kQuoted; }
  bool escaped_null() const { return size_ & kNull; }  // \N and the like

 private:
  uint32_t begin_, size_;
};

// Whole records, cut into fields.
struct CsvBlock {
  struct Record {
    uint32_t begin, end;  // in text, without the line's end
  };
  struct Ragged {
    Record record;
    uint32_t fields;
  };

  std::string text;        // the records, then fields that had to be put together
  size_t records_end = 0;  // in text
  int64_t first_line = 1;  // of text
  uint32_t columns = 0;
  std::vector<CsvField> fields;  // `columns` for each of the rows
  std::vector<Record> rows;
  std::vector<Ragged> ragged;  // records of another number of fields

  std::string_view record(const Record& at) const {
    return std::string_view(text).substr(at.begin, at.end - at.begin);
  }
  int64_t lines_between(uint32_t begin, uint32_t end) const;  // line ends in that part of text
};

// Lines end with \n, \r\n or \r. A quote that does not begin its field is text, as is what stands
// between a closing quote and the field's end. Blank lines are left out, except where there is one
// column: there they are a field that is empty.
class CsvScanner {
 public:
  // `name` is the file's, for messages.
  CsvScanner(const CsvDialect& dialect, size_t max_row_bytes, std::string name);

  void feed(std::string_view utf8);
  void end() { ended_ = true; }
  // Gives whole records of what was fed, at most `most`; `columns` 0 = as many as the first has.
  // False where none is whole, or none is left. Throws Error kData for a record that does not end
  // within max_row_bytes, or whose quote is never closed.
  bool next(uint32_t columns, size_t most, CsvBlock& block);
  void give_back(CsvBlock block);                    // that it has just given
  void skip_lines(int64_t lines) { skip_ = lines; }  // at the beginning
  void set_delimiter(char delimiter);                // before the first record
  std::string_view peek();                           // at what comes next

 private:
  bool skip();
  void check_sizes(const CsvBlock& block) const;
  void check_rest(bool inside_quotes) const;
  [[noreturn]] void too_long(int64_t line, bool inside_quotes) const;

  CsvDialect dialect_;
  const size_t max_row_bytes_;
  const std::string name_;
  MarkCharacters marked_;
  std::string pending_;
  std::vector<uint64_t> marks_;
  size_t worth_a_try_ = 0;        // pending bytes, after a try that found no whole record
  size_t fields_ = 0, rows_ = 0;  // of the last block
  int64_t line_ = 1, skip_ = 0;
  bool ended_ = false;
};

}  // namespace patchbay
