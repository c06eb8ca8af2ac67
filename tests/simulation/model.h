// What sinks must contain, and what reports and states may claim, after any history of runs,
// crashes and edits of the sources. Made from the law of promises alone: nothing here knows the
// engine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace patchbay::model {

using Time = uint64_t;  // counts what happens in the world
using Id = uint64_t;    // of a row, for ever
inline constexpr Time kStill = ~Time{0};

// A row of a source, there from one time until another. What changes a row ends it, and begins
// another one with its key. Orders within a stream grow with time: later rows are greater.
struct Row {
  Id id = 0;
  std::string stream;  // "source/stream"
  std::string part;    // of the stream: what is read in one piece
  int64_t key = 0;
  int64_t order = 0;
  Time from = 0, until = kStill;
};

struct Run {
  Time begin = 0, end = kStill;
  bool ok = false;       // its report says so; the report of a run that was killed says nothing
  bool whole = true;     // no option left out a part
  bool refresh = false;  // reads everything again
  bool reported = false;
};

// What a pipeline does to a row on its way to a sink. kEither: the sink refuses it or takes it.
enum class Fate { kKept, kDropped, kRefused, kEither };
enum class Write { kAppend, kReplace, kUpsert };

// A content that a table had, from a time on.
struct Moment {
  Time at = 0;
  std::multiset<std::pair<Id, Id>> rows;  // the second of what a join put beside the first, else 0
};

struct Sink {
  std::string name;
  Write write = Write::kAppend;
  bool joins = false;  // the first of its two streams with the rows of the second, by key
  std::vector<std::string> streams;
  std::set<std::string> whole;  // of those, the ones of which each run returns everything
  std::function<Fate(const Row&)> fate = [](const Row&) { return Fate::kKept; };

  std::vector<Moment> moments;  // all contents; the last is the present one
  std::map<Id, int> refused;    // rejects that are kept
  std::map<Id, Time> excused;   // what the user took out or gave up: runs before that do not count
};

// A report's counts of one stream, summed over its sinks' least.
struct Counts {
  std::string stream;
  int64_t read = 0, written = 0, rejected = 0, dropped = 0, aborted = 0, unsettled = 0;
};

struct Report {
  bool ok = false;
  std::vector<Counts> counts;
};

// A state: this part of a stream is read up to this order.
struct Covered {
  std::string stream, part;
  int64_t upto = 0;
};

struct History {
  std::vector<Row> rows;
  std::vector<Run> runs;
  std::vector<Sink> sinks;
};

// Each returns what is wrong, in words; nothing where all is as it must be.
using Faults = std::vector<std::string>;
Faults check_sink(const History& history, const Sink& sink);
Faults check_agreement(const History& history);  // after a run that is ok
Faults check_report(const Report& report);
Faults check_states(const History& history, const std::vector<Covered>& states, Time now);
// Over all reports of a history: what they say was written is what one sink's content grew by, less
// what runs wrote that could not report.
Faults check_books(const History& history, const Sink& sink, int64_t reported);
// Of the states before a run and after it.
Faults check_kept(const std::vector<Covered>& before, const std::vector<Covered>& after);

}  // namespace patchbay::model
