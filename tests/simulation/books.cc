// What reports and states may claim; model.cc says what sinks must contain.
#include <algorithm>

#include "simulation/model.h"

namespace patchbay::model {

Faults check_report(const Report& report) {
  Faults faults;
  for (const auto& c : report.counts) {
    if (c.read != c.written + c.rejected + c.dropped + c.aborted)
      faults.push_back("a report: " + c.stream + ": " + std::to_string(c.read) + " read, " +
                       std::to_string(c.written) + " written, " + std::to_string(c.rejected) +
                       " rejected, " + std::to_string(c.dropped) + " dropped, " +
                       std::to_string(c.aborted) + " aborted");
    if (report.ok && c.unsettled + c.aborted != 0)
      faults.push_back("a report: " + c.stream + ": ok, though not all is committed");
  }
  return faults;
}

Faults check_books(const History& history, const Sink& sink, int64_t reported) {
  const auto there =
      sink.moments.empty() ? 0 : static_cast<int64_t>(sink.moments.back().rows.size());
  const bool all = !history.runs.empty() && history.runs.back().ok &&
                   std::all_of(history.runs.begin(), history.runs.end(),
                               [](const Run& run) { return run.reported; });
  if (all ? there == reported : there >= reported) return {};
  return {sink.name + ": the reports say that " + std::to_string(reported) +
          " rows were written, and it has " + std::to_string(there)};
}

// A full refresh replaces a state when its rows commit, not before.
Faults check_kept(const std::vector<Covered>& before, const std::vector<Covered>& after) {
  Faults faults;
  for (const auto& was : before) {
    const bool known = std::any_of(after.begin(), after.end(),
                                   [&](const Covered& is) { return is.stream == was.stream; });
    if (!known) faults.push_back(was.stream + ": its state was forgotten");
  }
  return faults;
}

}  // namespace patchbay::model
