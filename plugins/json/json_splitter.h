// JSON text that comes in pieces, cut into the texts of its records.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchbay {

class JsonSplitter {
 public:
  // A record's text, until the next call. `readable` bytes can be read from its beginning.
  struct Record {
    std::string_view text;
    size_t readable = 0;
    int64_t line = 0;         // where it begins, from 1
    bool at_the_end = false;  // the file's last, without a newline: it may be cut
  };

  // lines: a record is a line, or several objects on one. Otherwise the text is one list; where it
  // begins with an object, it is objects one after the other. `name` is the file's, for messages.
  JsonSplitter(bool lines, size_t max_record_bytes, std::string name);

  void feed(std::string_view bytes, bool last);
  // False where more must be fed first, or nothing is left. Throws Error kData where the list is
  // none or is cut, or a record is too long.
  bool next(Record& record);

 private:
  enum class Place { kBegin, kFirst, kItem, kNext, kAfter };

  bool next_line(Record& record);
  bool next_object_of_line(Record& record);
  bool next_item(Record& record);
  bool between(char c);  // of the list; false where an item begins
  // Where the value that begins at `begin` ends; npos where that is not there yet.
  size_t end_of_value(size_t begin);
  void give(Record& record, size_t begin, size_t end);
  [[noreturn]] void fail(const std::string& why) const;
  void forget();
  bool wait();

  const bool lines_;
  const size_t max_record_bytes_;
  const std::string name_;
  std::string text_;
  size_t at_ = 0;        // what was given ends here
  size_t scanned_ = 0;   // into the value that is not whole yet
  size_t line_end_ = 0;  // of the line whose objects are being given; 0 = none
  int64_t line_ = 1;     // at at_
  Place place_ = Place::kBegin;
  bool list_ = true, last_ = false, begun_ = false;
  int depth_ = 0;
  bool in_string_ = false;
};

}  // namespace patchbay
