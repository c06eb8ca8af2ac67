// What a sample of a file tells: the types of columns, and what is between them.
#pragma once

#include <string_view>

#include "csv_dialect.h"
#include "patchbay/type.h"

namespace patchbay {

// Narrows down as it sees values: int64; decimal128, exact, for whole numbers that don't fit it and
// for plain numbers with up to nine digits behind the point; float64 for other numbers; bool (true
// and false in any case), date32, timestamp; else utf8. Numbers with leading zeros or a plus are
// text: they are codes. No value at all = utf8.
class TypeGuess {
 public:
  void see(std::string_view value);
  Type type() const;

 private:
  void see_number(std::string_view value);

  bool any_ = false;
  bool integer_ = true, plain_ = true, number_ = true, boolean_ = true, date_ = true,
       timestamp_ = true;
  bool fits_ = true;                    // the whole numbers fit int64
  bool zoned_ = false, local_ = false;  // timestamps with, and without, an offset
  int32_t whole_digits_ = 0, fraction_digits_ = 0;
};

inline constexpr std::string_view kCommonDelimiters = ",;\t|";

// The delimiter of text that begins with a header: the dialect's own, unless the header lacks it,
// has one other of the common ones, and most of the rows have as many of that.
char guess_delimiter(std::string_view text, const CsvDialect& dialect);

}  // namespace patchbay
