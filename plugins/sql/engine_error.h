// What DuckDB says, as patchbay says it: with the place in the query, without values of records.
#pragma once

#include <string>

#include "engine.h"
#include "patchbay/adbc.h"

namespace patchbay {

// Neither memory_limit nor the spill folder has room for what is done.
class NoRoom : public Error {
 public:
  NoRoom(const std::string& message, bool disk_full)
      : Error(Code::kConfig, message), disk_full_(disk_full) {}
  bool disk_full() const { return disk_full_; }  // the engine says so; it does not always know

 private:
  bool disk_full_;
};

// `origin` and `sql` are the query's; `lines_before` stand before it in what was run. A failure
// over the text of the query keeps the engine's words; one over data only tells its kind.
[[noreturn]] void throw_query_error(const adbc::Failure& failure, const std::string& origin,
                                    const std::string& sql, int lines_before);
// The same for what is not a query of the user's: "spill_directory: ..", "table purchases: ..".
[[noreturn]] void throw_engine_error(const adbc::Failure& failure, const std::string& subject);

}  // namespace patchbay
