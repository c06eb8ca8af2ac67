// What readers and sinks do wrong, and what the suite says of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sample_lies.h"

namespace patchbay::sample {

struct Fault {
  const char* claim;
  Lies lies;
  std::vector<std::string> expected;  // a "*" in front: of each component
  std::function<void(Call&)> misbehave = nullptr;
};

inline std::vector<Fault> reader_faults() {
  const std::string lost = "rows are lost or doubled in split all after state ";
  return {
      {"has two streams of one name",
       {.discovers_twice = true},
       {"source count: discovers named streams: two streams called numbers"}},
      {"plans anew",
       {.plans_anew = true},
       {"source count: plans splits with stable ids: another object plans other ids"}},
      {"takes no heed of max_rows",
       {.ignores_max_rows = true},
       {"source count: honours max_rows: next: 4 rows in a batch where max_rows is 1"}},
      {"starts over in spite of its state",
       {.forgets_state = true},
       {"source count: has nothing more after its last state: rows come again",
        "source count: resumes from each of its states without loss: " + lost + "1"}},
      {"is behind from the second row on",
       {.state_lags = true},
       {"source count: resumes from each of its states without loss: " + lost + "2"}},
      {"is ahead before the first row",
       {.state_leads = true},
       {"source count: reads all after the state of a reader that read nothing: rows are lost"}},
      {"skips a row at each commit",
       {.skips_at_commit = true},
       {"source count: is told of commits without losing its place: other rows come"}},
      {"swallows what comes in",
       {.swallows_input = true},
       {"transform double: takes a sample, with streams before batches and valid arrays: "
        "takes no sample; rows: no rows came out"}},
      {"wants a stream",
       {.needs_input = true},
       {"transform double: ends when its input ends at once: no stream came"}},
      {"swallows barriers",
       {.swallows_barriers = true},
       {"transform double: passes barriers on in order: 0 of 3 barriers came out"}},
      {"gives other rows each time",
       {.drifts = true},
       {"transform double: gives the same rows again: the second run differs"}},
      {"gives more rows than it may",
       {.multiplies = true},
       {"transform double: honours max_rows: next: 16 rows in a batch where max_rows is 8"}},
      {"lends arrays",
       {.lends_arrays = true},
       {"transform double: gives arrays that outlive it: "}},
      {"hides failures",
       {.hides_failures = true},
       {"transform double: passes its input's failure on: ends as if the input had ended"}},
  };
}

inline std::vector<Fault> sink_faults() {
  return {
      {"takes nothing", {.refuses_rows = true}, {"sink keep: takes a sample: takes no sample; "}},
      {"wants rows",
       {.needs_rows = true},
       {"sink keep: prepares and commits without rows: nothing to prepare"}},
      {"accepts one too many",
       {.rows_accepted = 1},
       {"sink keep: accepts what was delivered and not rejected: rows_accepted is 25 where 24"}},
      {"writes at once",
       {.writes_at_once = true},
       {"sink keep: shows nothing of what was aborted: what is prepared can be seen",
        "sink keep: commits two writers of one transaction together: what is prepared can be seen",
        "sink keep: drops what was not prepared: something stays visible"}},
      {"applies once",
       {.applies_once = true},
       {"sink keep: applies a schema twice: the table is there already"}},
      {"shows more at a second commit",
       {.appends = true},
       {"sink keep: commits twice with the effect of once: the second commit shows something"}},
      {"forgets as it commits",
       {.commits_once = true},
       {"sink keep: commits after a failure at any durable step: after a failure at keep."}},
      {"commits its own only",
       {.commits_own_only = true},
       {"sink keep: commits what another object prepared: a commit by another object shows"}},
      {"commits one writer",
       {.commits_first_only = true},
       {"sink keep: commits two writers of one transaction together: stream people_2 does not"}},
      {"aborts what it knows",
       {.knows_every_name = true},
       {"sink keep: aborts transactions that never were: never-seen: unknown"}},
      {"forgets to abort",
       {.forgets_abort = true},
       {"sink keep: shows nothing when a commit comes after the abort: rows of it can be seen"}},
      {"takes back",
       {.deletes_committed = true},
       {"sink keep: keeps what is committed when it is aborted: what was committed is gone"}},
      {"keeps arrays",
       {.keeps_arrays = true},
       {"sink keep: releases each array that it is given once: ",
        "transform double: releases each array that it is given once: ",
        "transform double: is closed half-way: "}},
  };
}

}  // namespace patchbay::sample
