#include "pg_cursor.h"

#include <algorithm>

namespace patchbay {
namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

uint64_t number_of(const Json::Value& value) {
  return value.isUInt64() ? value.asUInt64() : uint64_t{0};
}

}  // namespace

// xmin shows the lower 32 bits, so it counts in a circle.
std::string CursorRead::Window::contains_xmin() const {
  const uint64_t from = since & UINT32_MAX;
  return "mod(xmin::text::bigint - " + std::to_string(from) + " + 4294967296, 4294967296) < " +
         std::to_string(until - since);
}

CursorRead::CursorRead(std::string column, const Json::Value& state) : column_(std::move(column)) {
  if (!state.isObject() || !state["cursor"].isString()) return;
  given_ = state;
  before_ = now_ = state["cursor"].asString();
  late_ = {number_of(state["since"]), number_of(state["until"])};
}

void CursorRead::begin(Call& call, postgres::Connection& connection, bool knows_writers) {
  if (!knows_writers) {
    late_ = {};
    return;
  }
  // The snapshot ends where transactions have ended: others at work may be younger. age() counts
  // from the next that begins, in 32 bits.
  const auto row = connection.run(call,
                                  "SELECT txid_snapshot_xmin(txid_current_snapshot()),"
                                  "  age('3'::xid)::bigint + 3");
  const auto since = static_cast<uint64_t>(row.integer(0, 0));
  const auto next = static_cast<uint32_t>(row.integer(0, 1));
  running_ = {since, since + static_cast<uint32_t>(next - static_cast<uint32_t>(since))};
  // A restored or replaced server counts anew: what it says of its own past is no longer ours.
  if (late_.until > running_.until) late_ = {};
}

std::string CursorRead::fields() const {
  const std::string name = quote_identifier(column_);
  return (late_.empty() ? "false" : "(" + name + " <= " + quote_literal(*before_) + ")") +
         "::text AS _patchbay_late, " + name + "::text AS _patchbay_cursor";
}

std::string CursorRead::conditions() const {
  const std::string name = quote_identifier(column_);
  std::string out;
  // Rows without a cursor are shown, and refused, each time: no run would ever find them.
  if (before_) {
    out = "(" + name + " > " + quote_literal(*before_) + " OR " + name + " IS NULL" +
          (late_.empty() ? "" : " OR " + late_.contains_xmin()) + ")";
  }
  if (!running_.empty()) out += (out.empty() ? "NOT " : " AND NOT ") + running_.contains_xmin();
  return out;
}

std::optional<std::string> CursorRead::refusal(const std::optional<std::string>& cursor) const {
  if (!cursor) return column_ + ": is null, and the cursor finds no such row again";
  if (*cursor == "infinity" || *cursor == "Infinity" || *cursor == "NaN")
    return column_ + ": has no end, and the cursor would never pass it";
  return std::nullopt;
}

void CursorRead::took(const std::string& cursor, bool late) {
  took_any_ = true;
  if (!late) now_ = cursor;
}

bool CursorRead::may_rest(const std::optional<std::string>& next, bool next_is_late) const {
  return !next_is_late && (!next || next != now_ || now_ == before_);
}

Json::Value CursorRead::state() const {
  Json::Value out(Json::objectValue);
  if (!now_) return out;
  out["cursor"] = *now_;
  // Where nothing was read, only what was at work before can still come late.
  const Window open{running_.since, took_any_ ? running_.until : late_.until};
  if (!open.empty()) {
    out["since"] = Json::UInt64(open.since);
    out["until"] = Json::UInt64(open.until);
  }
  return out;
}

}  // namespace patchbay
