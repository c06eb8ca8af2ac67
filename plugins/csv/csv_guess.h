// Types of columns, guessed from a sample of their values.
#pragma once

#include <string_view>

#include "patchbay/type.h"

namespace patchbay {

// Narrows down as it sees values: int64, float64, bool (true and false), date32, timestamp, else
// utf8. Numbers with leading zeros or a plus are text: they are codes. No value at all = utf8.
class TypeGuess {
 public:
  void see(std::string_view value);
  Type type() const;

 private:
  bool any_ = false;
  bool integer_ = true, number_ = true, boolean_ = true, date_ = true, timestamp_ = true,
       zoned_ = true;
};

}  // namespace patchbay
