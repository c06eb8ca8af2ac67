// Types of columns, guessed from a sample of their values.
#pragma once

#include <string_view>

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

}  // namespace patchbay
