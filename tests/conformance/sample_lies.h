// What the sample components do wrong when a test says so.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "patchbay/plugin.h"

namespace patchbay::sample {

inline std::function<void(Call&)> misbehave;  // called by check, next, map and write

struct Lies {
  std::function<void(const Config&)> on_create = nullptr;  // called by each constructor
  bool hates_interrupts = false;
  bool keeps_arrays = false;  // map and write never release
  bool reads_after_release = false;
  bool confused_when_cancelled = false;

  // Of the source.
  bool discovers_twice = false;
  bool plans_anew = false;  // another id each time
  bool ignores_max_rows = false;
  bool forgets_state = false;
  bool state_lags = false;   // from its second row on, a state is one row behind
  bool state_leads = false;  // before the first row, the state is behind it
  bool skips_at_commit = false;
  bool leaks_readers = false;

  // Of the transform.
  bool swallows_input = false;  // the map gives empty batches
  bool swallows_barriers = false;
  bool needs_input = false;     // fails where no stream comes
  bool hides_failures = false;  // a failed input ends
  bool drifts = false;          // other values each time
  bool multiplies = false;      // twice as many rows as a batch may have
  bool lends_arrays = false;    // until it is closed

  // Of the sink.
  int64_t rows_accepted = 0;  // added to what prepare says
  bool refuses_rows = false;
  bool needs_rows = false;        // an empty epoch fails
  bool writes_at_once = false;    // rows are visible before commit, as a file
  bool applies_once = false;      // a second apply_schema fails
  bool appends = false;           // a second commit shows more
  bool commits_once = false;      // forgets what is prepared as a commit begins
  bool commits_own_only = false;  // not what another object prepared
  bool commits_first_only = false;
  bool knows_every_name = false;  // fails to abort what it does not know
  bool forgets_abort = false;
  bool deletes_committed = false;  // abort takes back what was committed
};
inline Lies lies;

// What liars keep.
inline std::vector<std::string> leaked;
inline std::vector<Batch> kept;
inline int living = 0;  // components
inline int plans = 0;   // whatever is counted up

}  // namespace patchbay::sample
