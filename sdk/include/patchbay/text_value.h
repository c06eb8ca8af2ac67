// Column values from text and as text: what CSV, casts and databases of loose types share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/builder.h"
#include "patchbay/view.h"

namespace patchbay {

// Appends text as a value of one column's type. Numbers without spaces or signs but -, booleans
// true/false/t/f/1/0/yes/no in any case, dates and timestamps as in time.h, decimals exact. utf8
// takes anything that is UTF-8.
class TextAppender {
 public:
  TextAppender(const Type& type, ColumnBuilder& column);
  // False where the text is no value of the type: nothing was appended.
  bool append(std::string_view text) const { return append_(*type_, *column_, text); }
  void append_null() const { column_->append_null(); }

 private:
  using Append = bool (*)(const Type&, ColumnBuilder&, std::string_view);
  const Type* type_;
  ColumnBuilder* column_;
  Append append_;
};

// A column's values as text: numbers plain (NaN, Infinity), booleans true/false, ISO 8601 dates and
// times, binary in base64, lists and structs as JSON. Borrows the array.
class TextColumn {
 public:
  virtual ~TextColumn() = default;
  virtual bool is_null(int64_t row) const = 0;
  virtual void append(std::string& out, int64_t row) const = 0;  // nothing for null
  // The first rows one after the other, and where in `out` each ends: one call for many values.
  virtual void append_all(std::string& out, std::vector<size_t>& ends, int64_t rows) const;
};
std::unique_ptr<TextColumn> text_column(const Type& type, const ArrowArray& array, int64_t offset,
                                        int64_t length);

bool is_utf8(std::string_view text);
bool equals_folded(std::string_view text, std::string_view lower);  // ASCII letters of any case

}  // namespace patchbay
