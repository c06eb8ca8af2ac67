#include "simulation/model.h"

#include <algorithm>

#include "simulation/model_words.h"

namespace patchbay::model {
namespace {

bool feeds(const Sink& sink, const Row& row) {
  return std::find(sink.streams.begin(), sink.streams.end(), row.stream) != sink.streams.end();
}

bool is_there(const Row& row, Time at) { return row.from <= at && at < row.until; }
bool overlaps(const Row& row, const Run& run) {
  return row.from <= run.end && run.begin < row.until;
}
// From the begin of the one to the end of the other, without a gap.
bool stays(const Row& row, Time begin, Time end) { return row.from <= begin && end < row.until; }

bool is_whole(const Run& run) { return run.ok && run.whole; }

Time excuse_of(const Sink& sink, const Row& row) {
  const auto found = sink.excused.find(row.id);
  return found == sink.excused.end() ? 0 : found->second;
}

// How often a row must at least be in a sink that appends, or be kept as a reject.
int least(const History& history, const Sink& sink, const Row& row) {
  const bool incremental = !sink.whole.contains(row.stream);
  int least = 0;
  Time window = kStill;  // what earlier runs had read since the last good one counts as this one's
  for (const auto& run : history.runs) {
    window = std::min(window, run.begin);
    if (!is_whole(run)) continue;
    const Time begin = incremental ? run.begin : window;
    window = kStill;
    if (!stays(row, begin, run.end) || begin < excuse_of(sink, row)) continue;
    least = incremental && !run.refresh ? std::max(least, 1) : least + 1;
  }
  return least;
}

int most(const History& history, const Sink& sink, const Row& row) {
  int runs = 0, refreshes = 0;
  for (const auto& run : history.runs) {
    runs += overlaps(row, run);
    refreshes += overlaps(row, run) && run.refresh;
  }
  return sink.whole.contains(row.stream) ? runs : std::min(runs, 1 + refreshes);
}

// One run, one reading: what recovery commits counts as the run's own.
bool comes_twice_in_one_run(const History& history, const Sink& sink, const Row& row) {
  if (history.runs.empty() || history.runs.back().refresh) return false;
  // Where rows go by keys beside it, they are read once more, so that the last one counts.
  for (const auto& other : history.sinks)
    if (other.write == Write::kUpsert && feeds(other, row)) return false;
  const Run& run = history.runs.back();
  const std::pair<Id, Id> pair{row.id, 0};
  size_t before = 0;
  for (const auto& moment : sink.moments)
    if (moment.at <= run.begin) before = moment.rows.count(pair);
  return sink.moments.back().rows.count(pair) > before + 1;
}

Faults check_append(const History& history, const Sink& sink) {
  Faults faults;
  std::map<Id, int> copies = copies_of(sink);
  for (const auto& row : history.rows) {
    const int there = count(copies, row.id), refused = count(sink.refused, row.id);
    copies.erase(row.id);
    const auto add = [&](const std::string& what) {
      faults.push_back(sink.name + ": " + words(row) + " " + what + ": " + std::to_string(there) +
                       " times there, " + std::to_string(refused) + " times refused");
    };
    if (!feeds(sink, row)) {
      if (there > 0) add("is of a stream that does not come here");
      continue;
    }
    const Fate fate = sink.fate(row);
    if (fate == Fate::kDropped) {
      if (there + refused > 0) add("should be left out");
      continue;
    }
    if (fate == Fate::kRefused && there > 0) add("should be refused");
    if (fate == Fate::kKept && refused > 0) add("should not be refused");
    if (there + refused > most(history, sink, row)) add("is there too often");
    if (there > 1 && comes_twice_in_one_run(history, sink, row)) add("came twice in one run");
    if (there + refused < least(history, sink, row)) add("is missing");
  }
  for (const auto& [id, n] : copies)
    faults.push_back(sink.name + ": has a row " + std::to_string(id) + " that no source ever had");
  return faults;
}

// By part of a stream: the contents that it had during a run.
using Content = std::set<Id>;
using Contents = std::map<std::pair<std::string, std::string>, std::set<Content>>;

Contents contents_during(const History& history, const Sink& sink, const Run& run) {
  std::map<std::pair<std::string, std::string>, std::vector<const Row*>> parts;
  for (const auto& row : history.rows)
    if (feeds(sink, row)) parts[{row.stream, row.part}].push_back(&row);
  Contents all;
  for (const auto& [part, rows] : parts) {
    std::set<Time> times{run.begin};
    for (const Row* row : rows) {
      for (const Time at : {row->from, row->until})
        if (run.begin <= at && at <= run.end) times.insert(at);
    }
    for (const Time at : times) {
      Content content;
      for (const Row* row : rows)
        if (is_there(*row, at) && sink.fate(*row) == Fate::kKept) content.insert(row->id);
      all[part].insert(content);
    }
  }
  return all;
}

bool is_union(const History& history, const Moment& moment, const Contents& contents) {
  std::map<Id, const Row*> known;
  for (const auto& row : history.rows) known[row.id] = &row;
  std::map<std::pair<std::string, std::string>, Content> parts;
  for (const auto& [id, other] : moment.rows) {
    const auto row = known.find(id);
    if (row == known.end()) return false;
    if (!parts[{row->second->stream, row->second->part}].insert(id).second) return false;
  }
  for (const auto& [part, content] : parts)
    if (!contents.contains(part)) return false;
  return std::all_of(contents.begin(), contents.end(),
                     [&](const auto& one) { return one.second.contains(parts[one.first]); });
}

bool is_join(const History& history, const Sink& sink, const Moment& moment,
             const Contents& contents) {
  std::map<Id, int64_t> key;
  for (const auto& row : history.rows) key[row.id] = row.key;
  const auto of_stream = [&](size_t i) {
    std::set<Content> all{Content{}};
    for (const auto& [part, choices] : contents)
      if (part.first == sink.streams[i]) all = choices;  // a stream of a join has one part
    return all;
  };
  for (const auto& left : of_stream(0)) {
    for (const auto& right : of_stream(1)) {
      Moment joined;
      for (const Id a : left)
        for (const Id b : right)
          if (key[a] == key[b]) joined.rows.insert({a, b});
      if (joined.rows == moment.rows) return true;
    }
  }
  return false;
}

bool is_of_run(const History& history, const Sink& sink, const Moment& moment, const Run& run) {
  const Contents contents = contents_during(history, sink, run);
  return sink.joins ? is_join(history, sink, moment, contents)
                    : is_union(history, moment, contents);
}

// Never a mixture of two runs, never half.
Faults check_replace(const History& history, const Sink& sink) {
  Faults faults;
  for (const auto& moment : sink.moments) {
    const bool known = (moment.at == 0 && moment.rows.empty()) ||
                       std::any_of(history.runs.begin(), history.runs.end(), [&](const Run& run) {
                         return run.begin <= moment.at && is_of_run(history, sink, moment, run);
                       });
    if (!known)
      faults.push_back(sink.name + ": at " + std::to_string(moment.at) +
                       " it is not what its streams were during any one run");
  }
  if (history.runs.empty() || sink.moments.empty() || !sink.excused.empty()) return faults;
  if (!is_whole(history.runs.back())) return faults;
  // What runs that failed before it had read may count as its reading.
  bool fresh = false;
  for (size_t i = history.runs.size(); i-- > 0 && !fresh;) {
    fresh = is_of_run(history, sink, sink.moments.back(), history.runs[i]);
    if (i > 0 && is_whole(history.runs[i - 1])) break;
  }
  if (!fresh) faults.push_back(sink.name + ": a run is ok, and it is not what that run found");
  return faults;
}

// Did a run until then return rows that are there already?
bool reads_again(const History& history, const Sink& sink, Time until) {
  return !sink.whole.empty() ||
         std::any_of(history.runs.begin(), history.runs.end(),
                     [&](const Run& run) { return run.refresh && run.begin <= until; });
}

Faults check_upsert(const History& history, const Sink& sink) {
  Faults faults;
  std::map<Id, const Row*> known;
  for (const auto& row : history.rows)
    if (feeds(sink, row)) known[row.id] = &row;
  std::map<int64_t, const Row*> present;
  bool first = true;
  for (const auto& moment : sink.moments) {
    std::map<int64_t, const Row*> next;
    for (const auto& [id, other] : moment.rows) {
      const auto found = known.find(id);
      if (found == known.end() || !next.try_emplace(found->second->key, found->second).second)
        faults.push_back(sink.name + ": row " + std::to_string(id) + " is there twice, or unknown");
    }
    const bool anew = reads_again(history, sink, moment.at);
    for (const auto& [key, row] : present) {
      if (!next.contains(key))
        faults.push_back(sink.name + ": " + words(*row) + " went away");
      else if (!anew && !first && next[key]->order < row->order)
        faults.push_back(sink.name + ": " + words(*row) + " gave way to the older " +
                         words(*next[key]));
    }
    present = std::move(next);
    first = false;
  }
  // What is read again takes effect in its order again: half-way, an older row may be there.
  const bool again = reads_again(history, sink, kStill);
  if (again && (history.runs.empty() || !is_whole(history.runs.back()))) return faults;
  for (const auto& [id, row] : known) {
    const bool must = sink.fate(*row) == Fate::kKept && least(history, sink, *row) > 0 &&
                      (!again || stays(*row, history.runs.back().begin, history.runs.back().end));
    const auto there = present.find(row->key);
    if (must && (there == present.end() || there->second->order < row->order))
      faults.push_back(sink.name + ": " + words(*row) + " is missing, and nothing newer is there");
  }
  return faults;
}

}  // namespace

Faults check_sink(const History& history, const Sink& sink) {
  if (sink.write == Write::kReplace) return check_replace(history, sink);
  return sink.write == Write::kUpsert ? check_upsert(history, sink) : check_append(history, sink);
}

// Sinks that append the same rows have the same rows.
Faults check_agreement(const History& history) {
  Faults faults;
  for (const auto& a : history.sinks) {
    for (const auto& b : history.sinks) {
      if (a.name >= b.name || a.streams != b.streams || a.joins || b.joins) continue;
      if (a.write != Write::kAppend || b.write != Write::kAppend) continue;
      const auto in_a = copies_of(a), in_b = copies_of(b);
      for (const auto& row : history.rows) {
        if (a.excused.contains(row.id) || b.excused.contains(row.id)) continue;
        if (a.fate(row) == Fate::kDropped || b.fate(row) == Fate::kDropped) continue;
        if (count(in_a, row.id) + count(a.refused, row.id) !=
            count(in_b, row.id) + count(b.refused, row.id))
          faults.push_back(a.name + " and " + b.name + " do not agree about " + words(row));
      }
    }
  }
  return faults;
}

Faults check_states(const History& history, const std::vector<Covered>& states, Time now) {
  Faults faults;
  for (const auto& sink : history.sinks) {
    if (sink.write == Write::kReplace || sink.joins) continue;
    // A refresh that is half-way puts older rows in the place of newer ones.
    const bool half = history.runs.empty() || !is_whole(history.runs.back());
    if (sink.write == Write::kUpsert && half && reads_again(history, sink, now)) continue;
    const auto copies = copies_of(sink);
    std::map<std::pair<std::string, int64_t>, int64_t> newest;  // an upsert keeps the newest alone
    for (const auto& row : history.rows) {
      if (count(copies, row.id) == 0) continue;
      auto& order = newest[{row.stream, row.key}];
      order = std::max(order, row.order);
    }
    for (const auto& state : states) {
      for (const auto& row : history.rows) {
        if (row.stream != state.stream || row.part != state.part || row.order > state.upto)
          continue;
        if (!is_there(row, now) || !feeds(sink, row) || sink.excused.contains(row.id)) continue;
        if (sink.fate(row) == Fate::kDropped || count(sink.refused, row.id) > 0) continue;
        const bool there = sink.write == Write::kUpsert
                               ? newest.contains({row.stream, row.key}) &&
                                     newest[{row.stream, row.key}] >= row.order
                               : count(copies, row.id) > 0;
        if (!there)
          faults.push_back(sink.name + ": a state covers " + words(row) + ", and it is not there");
      }
    }
  }
  return faults;
}

}  // namespace patchbay::model
