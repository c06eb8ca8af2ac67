// How fields are set apart, quoted and escaped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "patchbay/config.h"

namespace patchbay {

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';                    // 0 = none
  char escape = 0;                     // takes the meaning of the next character away; 0 = none
  std::vector<std::string> nulls{""};  // texts that mean null where they are not quoted

  bool is_null(std::string_view text) const;
};

// By the options delimiter (left out: a comma), quote, escape and null.
CsvDialect parse_dialect(const Config& config);

}  // namespace patchbay
