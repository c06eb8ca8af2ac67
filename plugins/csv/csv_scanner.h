// Records of CSV text that comes in pieces. RFC 4180.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

struct CsvField {
  std::string_view text;
  bool quoted = false;
};

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';  // 0 = none
};

class CsvScanner {
 public:
  explicit CsvScanner(CsvDialect dialect) : dialect_(dialect) {}

  void feed(std::string_view data);
  void end() { ended_ = true; }
  // The next whole record; its fields live until the next call. False where more data is needed, or
  // none is left. Blank lines are skipped. Lines end with \n, \r\n or \r.
  bool next(std::vector<CsvField>& fields);
  bool inside_quotes() const {
    return ended_ && at_ < buffer_.size();
  }  // after next() said false: an open quote
  int64_t line() const { return record_line_; }        // where the record began, from 1
  std::string_view record() const { return record_; }  // its text, without the line's end

 private:
  bool scan(std::vector<CsvField>& fields, size_t& at);
  bool scan_quoted(size_t& at, CsvField& field);

  const CsvDialect dialect_;
  std::string buffer_;
  size_t at_ = 0;
  bool ended_ = false;
  int64_t line_ = 1, record_line_ = 1;
  std::string_view record_;
  std::vector<std::string> unquoted_;  // fields that had doubled quotes
  size_t unquoted_used_ = 0;
};

}  // namespace patchbay
