// Finds the rows that make a statement over many rows fail, with few repetitions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

namespace patchbay {

// `attempt(from, to)` handles the rows [from, to) and returns nothing, or handles none of them and
// returns where the bad row is, if that is known, else `from` - 1 or any number out of range.
// `refuse(row)` takes the row that fails alone.
template <class Attempt, class Refuse>
void narrow(size_t rows, Attempt&& attempt, Refuse&& refuse) {
  size_t at = 0, step = rows, good = 1;
  while (at < rows) {
    const size_t to = std::min(rows, at + std::max<size_t>(step, 1));
    const std::optional<size_t> bad = attempt(at, to);
    if (!bad) {
      good = to - at;
      at = to;
      step = good * 2;
    } else if (to - at == 1) {
      refuse(at++);
      step = good;
    } else if (*bad >= at && *bad < to) {
      step = *bad > at ? *bad - at : 1;
    } else {
      step = (to - at) / 2;
    }
  }
}

}  // namespace patchbay
