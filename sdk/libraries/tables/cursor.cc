#include "patchbay/tables/cursor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "patchbay/error.h"

namespace patchbay::tables {
namespace {

constexpr size_t kDigits = 16;

// Its bits depend on each other: the finaliser of splitmix64, https://prng.di.unimi.it/splitmix64.c
uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Eight bytes at a time. Not against an enemy: two rows that a cursor has to tell apart differ by
// chance.
uint64_t hash(uint64_t sum, std::string_view bytes) {
  sum ^= bytes.size() * 0x9e3779b97f4a7c15;
  while (!bytes.empty()) {
    uint64_t chunk = 0;
    const size_t size = bytes.size() < sizeof chunk ? bytes.size() : sizeof chunk;
    std::memcpy(&chunk, bytes.data(), size);
    sum = mixed(sum ^ chunk);
    bytes.remove_prefix(size);
  }
  return sum;
}

std::string hex(uint64_t value) {
  std::string out(kDigits, '0');
  std::array<char, kDigits> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + kDigits, value, 16).ptr;
  const auto length = static_cast<size_t>(end - digits.data());
  return out.replace(kDigits - length, length, digits.data(), length);
}

bool parse_hex(std::string_view text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return text.size() == kDigits && error == std::errc() && end == text.data() + text.size();
}

[[noreturn]] void no_state() {
  throw Error(Code::kData, "state: is none of this source; see `state show`, and set it again");
}

}  // namespace

uint64_t RowDigest::of_name(std::string_view name) { return hash(0, name); }

// A sum: the order of the columns does not count.
void RowDigest::add(uint64_t name, char kind, std::string_view bytes) {
  sum_ += mixed(hash(name + static_cast<unsigned char>(kind), bytes));
}

void RowDigest::add_integer(uint64_t name, int64_t value) {
  add(name, 'n', {reinterpret_cast<const char*>(&value), sizeof value});
}

void RowDigest::add_real(uint64_t name, double value) {
  add(name, 'r', {reinterpret_cast<const char*>(&value), sizeof value});
}

void RowDigest::add_text(uint64_t name, std::string_view value) { add(name, 't', value); }
void RowDigest::add_bytes(uint64_t name, std::string_view value) { add(name, 'b', value); }

uint64_t RowDigest::value() const { return mixed(sum_); }

void KnownRows::add(uint64_t digest) {
  ++count_;
  sum_ += digest;
  if (has_each()) {
    each_.push_back(digest);
  } else {
    each_.clear();
  }
}

void KnownRows::clear() {
  count_ = 0;
  sum_ = 0;
  each_.clear();  // its room is for the next value's rows
}

bool KnownRows::take(uint64_t digest) {
  const auto found = std::find(each_.begin(), each_.end(), digest);
  if (found == each_.end()) return false;
  *found = each_.back();
  each_.pop_back();
  return true;
}

Json::Value KnownRows::state() const {
  Json::Value out;
  if (!has_each()) {
    out["rows"] = Json::Int64(count_);
    out["digest"] = hex(sum_);
    return out;
  }
  std::vector<uint64_t> sorted = each_;
  std::sort(sorted.begin(), sorted.end());
  std::string all;
  for (const uint64_t digest : sorted) all += hex(digest);
  out["each"] = all;
  return out;
}

KnownRows KnownRows::parse(const Json::Value& state) {
  KnownRows out;
  if (!state.isObject()) no_state();
  if (!state.isMember("each")) {
    if (!state["rows"].isInt64() || !state["digest"].isString()) no_state();
    out.count_ = state["rows"].asInt64();
    if (out.has_each() || !parse_hex(state["digest"].asString(), out.sum_)) no_state();
    return out;
  }
  if (!state["each"].isString()) no_state();
  const std::string all = state["each"].asString();
  for (size_t at = 0; at < all.size(); at += kDigits) {
    uint64_t digest = 0;
    if (!parse_hex(std::string_view(all).substr(at, kDigits), digest)) no_state();
    out.add(digest);
  }
  if (!out.has_each()) no_state();
  return out;
}

CursorRead::CursorRead(std::string stream, std::string column, const Json::Value& state)
    : stream_(std::move(stream)), column_(std::move(column)) {
  if (state.isNull()) return;
  if (!state.isObject()) no_state();
  from_ = last_ = state["cursor"];
  if (!state.isMember("known")) return;
  before_ = KnownRows::parse(state["known"]);
  again_ = !from_.isNull();
  to_skip_ = before_.has_each() ? 0 : before_.count();
  const Json::Value& columns = state["known"]["columns"];
  if (!columns.isString() || !parse_hex(columns.asString(), columns_before_)) no_state();
}

bool CursorRead::look(uint64_t digest) {
  if (looked_.count() < before_.count()) looked_.add(digest);
  return looked_.count() < before_.count();
}

void CursorRead::end_look() {
  if (looked_.same(before_)) return;
  throw Error(Code::kData,
              "stream " + stream_ + ": the rows that have the last value of " + column_ +
                  " are not those that the last run read, and too many (" +
                  std::to_string(before_.count()) +
                  ") to tell which are new; read it anew with --full-refresh, and set last_value: "
                  "wait for a column that many rows share");
}

void CursorRead::set_columns(const std::vector<std::string>& names) {
  uint64_t sum = 0;
  for (const auto& name : names) sum += mixed(hash(0, name));
  columns_ = mixed(sum);
}

bool CursorRead::take(const Json::Value& value, bool same, uint64_t digest) {
  if (!same) {
    now_.clear();
    again_ = false;
  }
  last_ = value;
  if (needs_digests()) now_.add(digest);
  if (!again_) return true;
  if (to_skip_ > 0) {
    --to_skip_;
    return false;
  }
  if (before_.has_each() && before_.take(digest)) return false;
  if (columns_before_ == columns_) return true;
  throw Error(Code::kSchema,
              "stream " + stream_ +
                  ": its columns have changed since the last run, and a row that "
                  "has the last value of " +
                  column_ +
                  " may be new or be changed by that; read it anew with --full-refresh, or say "
                  "from where with `state set`");
}

Json::Value CursorRead::state() const {
  if (last_.isNull()) return {};
  Json::Value out;
  out["cursor"] = last_;
  if (whole_) return out;
  // Nothing was taken: what the state knew still holds.
  const bool untouched = now_.count() == 0;
  if (untouched && !again_) return out;
  out["known"] = untouched ? before_.state() : now_.state();
  out["known"]["columns"] = hex(untouched ? columns_before_ : columns_);
  return out;
}

}  // namespace patchbay::tables
