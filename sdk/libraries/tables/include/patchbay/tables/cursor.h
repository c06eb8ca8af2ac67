// Reading a table in order of a column that grows: where a read may rest, and what the next one
// leaves out. The same for all sources whose system can't say which rows are newer than a read.
//
// Rows that have the cursor's last value may still come after a read. So the state holds that value
// and what was read of its rows; the next read begins with the value once more and leaves out what
// is known.
#pragma once

#include <json/value.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::tables {

// A digest of one row, of names and values; nulls add nothing, so that a column that is added later
// and empty changes no digest.
class RowDigest {
 public:
  // What a column's name adds: computed once for all rows.
  static uint64_t of_name(std::string_view name);

  void add_integer(uint64_t name, int64_t value);
  void add_real(uint64_t name, double value);
  void add_text(uint64_t name, std::string_view value);
  void add_bytes(uint64_t name, std::string_view value);
  uint64_t value() const;

 private:
  void add(uint64_t name, char kind, std::string_view bytes);
  uint64_t sum_ = 0;
};

// The rows of one value that were read. Small: each row's digest up to kMostRows, beyond them their
// number and a digest of all.
class KnownRows {
 public:
  static constexpr int64_t kMostRows = 1000;

  void add(uint64_t digest);
  void clear();
  int64_t count() const { return count_; }
  bool has_each() const { return count_ <= kMostRows; }
  // Whether these, as a whole, are the same rows.
  bool same(const KnownRows& other) const { return count_ == other.count_ && sum_ == other.sum_; }
  // Takes one row out. False where there is none like it.
  bool take(uint64_t digest);

  Json::Value state() const;
  // Throws kData for what is no state.
  static KnownRows parse(const Json::Value& state);

 private:
  int64_t count_ = 0;
  uint64_t sum_ = 0;
  std::vector<uint64_t> each_;
};

// One read. The reader goes through the rows in the order of the cursor and reports each.
class CursorRead {
 public:
  // `stream` and `column` name what is read, for messages. `state`: {"cursor": 17, "known": {..}},
  // {"cursor": 17} where no row of that value can come any more, or null. Throws kData for others.
  CursorRead(std::string stream, std::string column, const Json::Value& state);

  // What reading begins with; null = at the very start.
  const Json::Value& from() const { return from_; }
  // Rows of from() itself are to be read again; otherwise those beyond it.
  bool begins_with_last() const { return again_; }
  // The state knows too many rows of from() to tell each: the reader first calls look() with the
  // digests of the rows of from(), in the order in which it will read them.
  bool needs_look() const { return again_ && !before_.has_each(); }
  // False once enough was seen.
  bool look(uint64_t digest);
  // Throws kData where they are not the rows that were read.
  void end_look();

  // The columns' names, before the first row: a digest is comparable only where they are the same.
  void set_columns(const std::vector<std::string>& names);

  // The next row, which is not refused for its cursor. `same`: the database says that its cursor
  // equals last(). True: the row is new; false: an earlier read had it. Throws kSchema where that
  // can't be known.
  bool take(const Json::Value& value, bool same, uint64_t digest);
  // The value of the last row taken, at first from(); null before any.
  const Json::Value& last() const { return last_; }

  // No other row with the value of the last one can come: the column is unique, or the read left
  // out the greatest value.
  void set_last_is_whole() { whole_ = true; }
  // Otherwise the digests that take() gets don't count.
  bool needs_digests() const { return !whole_ || again_; }
  // What resumes after the rows taken; null before any.
  Json::Value state() const;

 private:
  std::string stream_, column_;
  Json::Value from_, last_;
  bool again_ = false, whole_ = false;
  KnownRows before_;  // of from_, as the state has them; those taken are taken out
  KnownRows now_;     // of last_
  KnownRows looked_;
  int64_t to_skip_ = 0;
  uint64_t columns_before_ = 0, columns_ = 0;
};

}  // namespace patchbay::tables
