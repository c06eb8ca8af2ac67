#include "pg_cursor.h"

#include <algorithm>

#include "patchbay/json_value.h"

namespace patchbay {
namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

// Whoever sets a state writes 5, true or "5" for what the server calls 5 or true.
std::string text_of(const Json::Value& cursor) {
  if (cursor.isString()) return cursor.asString();
  if (cursor.isNumeric() || cursor.isBool()) return write_json(cursor);
  throw Error(Code::kConfig,
              "state: its cursor is neither text nor number nor boolean; give it another with "
              "`patchbay state set`, or read everything again with --full-refresh");
}

uint64_t number_of(const Json::Value& value) {
  return value.isUInt64() ? value.asUInt64() : uint64_t{0};
}

}  // namespace

// xmin shows the lower 32 bits, so it counts in a circle.
std::string CursorRead::Window::contains_xmin() const {
  const uint64_t from = since & UINT32_MAX;
  return "(mod(xmin::text::bigint - " + std::to_string(from) + " + 4294967296, 4294967296) < " +
         std::to_string(until - since) + ")";
}

CursorRead::CursorRead(std::string column, const Json::Value& state, bool waits)
    : column_(std::move(column)), waits_(waits) {
  if (state.isNull()) return;
  given_ = state;
  before_ = now_ = text_of(state["cursor"]);
  given_["cursor"] = *before_;
  late_.until = number_of(state["until"]);
  late_.since = state.isMember("since") ? number_of(state["since"]) : late_.until;
  files_before_ = state["files"].asString();
  if (state["rows"].isInt64()) rows_before_ = state["rows"].asInt64();
  tells_equals_ = late_.until > 0;
}

void CursorRead::set_column(const PgColumn& column, Comparisons comparisons) {
  compare_ = std::move(comparisons);
  constexpr uint32_t kText = 25, kVarchar = 1043;
  const PgKind kind = column.type.kind;
  spelled_alike_ = kind == PgKind::kInt2 || kind == PgKind::kInt4 || kind == PgKind::kInt8 ||
                   kind == PgKind::kDate || kind == PgKind::kTime || kind == PgKind::kTimestamp ||
                   kind == PgKind::kTimestamptz || kind == PgKind::kUuid ||
                   column.type.oid == kText || column.type.oid == kVarchar;
}

void CursorRead::begin(Call& call, postgres::Connection& connection, const std::string& stream,
                       const std::string& relation, const std::string& from) {
  knows_writers_ = !relation.empty();
  if (!knows_writers_) {
    late_ = {};
    tells_equals_ = false;
    known_.emplace(stream, column_, before_ ? given_ : Json::Value());
    if (waits_) known_->set_last_is_whole();
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
  files_ = connection
               .run(call,
                    "SELECT left(md5(string_agg(coalesce(pg_relation_filenode(id), 0)::text, ','"
                    " ORDER BY id)), 16) FROM (SELECT $1::regclass::oid AS id UNION"
                    " SELECT relid::oid FROM pg_partition_tree($1::regclass)) t",
                    {relation})
               .text(0, 0);
  // A restored or replaced server counts anew: what it says of its own past is no longer ours.
  if (late_.until > running_.until) {
    late_ = {};
    tells_equals_ = false;
  } else if (tells_equals_ && !files_before_.empty() && files_before_ != files_) {
    look_at_files(call, connection, stream, from);
  }
}

// VACUUM FULL and CLUSTER keep the rows' transactions. A table that ALTER TABLE wrote anew has one
// for all its rows, so that those which were read and those which came late look the same.
void CursorRead::look_at_files(Call& call, postgres::Connection& connection,
                               const std::string& stream, const std::string& from) {
  const auto any = [&](const std::string& where) {
    return connection.run(call, "SELECT EXISTS (SELECT FROM " + from + " WHERE " + where + ")")
               .text(0, 0) == "t";
  };
  if (any("NOT " + is_younger()) || !any(compared(compare_.at_most))) return;
  const auto equal =
      connection.run(call, "SELECT count(*) FROM " + from + " WHERE " + compared(compare_.equals));
  if (!late_.empty() || !rows_before_ || equal.integer(0, 0) != *rows_before_) {
    throw Error(Code::kData,
                "stream " + stream +
                    ": its table was written anew since the last run, as by ALTER TABLE, so that "
                    "rows which came late can't be told from those that were read; read it anew "
                    "with --full-refresh, or say from where with `state set`");
  }
  tells_equals_ = false;
}

std::optional<std::string> CursorRead::held_back(Call& call, postgres::Connection& connection,
                                                 const std::string& from) const {
  if (running_.empty()) return std::nullopt;
  const std::string beyond =
      before_ ? "(" + compared(compare_.greater) + " OR " + is_younger() + ") AND " : "";
  const auto rows = connection.run(
      call, "SELECT count(*) FROM " + from + " WHERE " + beyond + running_.contains_xmin());
  if (rows.integer(0, 0) == 0) return std::nullopt;
  const auto oldest = connection.run(
      call,
      "SELECT what, since, count(*) OVER () FROM (SELECT 'process ' || pid || coalesce(' (' ||"
      "  nullif(application_name, '') || ')', '') AS what, xact_start AS since, age(backend_xid)"
      "  AS years FROM pg_stat_activity WHERE backend_xid IS NOT NULL UNION ALL"
      " SELECT 'the prepared transaction ' || gid || ' of the database ' || database, prepared,"
      "  age(transaction) FROM pg_prepared_xacts) t ORDER BY years DESC LIMIT 1");
  std::string out = rows.text(0, 0) + " rows wait for the next run: ";
  if (oldest.rows() == 0) return out + "a transaction was at work that has just ended";
  return out + oldest.text(0, 2) + " transactions are at work, the oldest, " + oldest.text(0, 0) +
         ", since " + oldest.text(0, 1);
}

std::string CursorRead::compared(const std::string& sign) const {
  return quote_identifier(column_) + " " + sign + " " + quote_literal(*before_);
}

// In a circle, too: half of it is the past.
std::string CursorRead::is_younger() const {
  return "(mod(xmin::text::bigint - " + std::to_string(late_.until & UINT32_MAX) +
         " + 4294967296, 4294967296) < 2147483648)";
}

std::string CursorRead::fields() const {
  const std::string name = quote_identifier(column_);
  std::string same = "NULL";
  if (!spelled_alike_) {
    same = "(pg_catalog.lag(" + name + ") OVER (ORDER BY " + name + ") " + compare_.equals + " " +
           name + ")";
    if (before_) same = "COALESCE(" + same + ", " + compared(compare_.equals) + ")";
  }
  return (late_.empty() ? "false" : "(" + compared(compare_.at_most) + ")") +
         "::pg_catalog.text AS _patchbay_late, " + name +
         "::pg_catalog.text AS _patchbay_cursor, " + same + "::pg_catalog.text AS _patchbay_same";
}

std::string CursorRead::conditions(const std::string& from) const {
  const std::string name = quote_identifier(column_);
  std::string out;
  // Rows without a cursor are shown, and refused, each time: no run would ever find them.
  if (before_) {
    const bool again = known_ && known_->begins_with_last();
    out =
        "(" + compared(compare_.greater) + " OR " + name + " IS NULL" +
        (again ? " OR " + compared(compare_.equals) : "") +
        (tells_equals_ ? " OR (" + compared(compare_.equals) + " AND " + is_younger() + ")" : "") +
        (late_.empty() ? "" : " OR " + late_.contains_xmin()) + ")";
  }
  if (known_ && waits_) {
    out += (out.empty() ? "" : " AND ") + std::string("(") + name + " IS NULL OR NOT ((SELECT " +
           name + " FROM " + from + " WHERE " + name + " IS NOT NULL ORDER BY " + name +
           " DESC LIMIT 1) " + compare_.at_most + " " + name + "))";
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

bool CursorRead::is_same(const std::optional<std::string>& word,
                         const std::optional<std::string>& cursor) const {
  return spelled_alike_ ? cursor && cursor == now_ : word == "true";
}

// A late row may have the greatest cursor as well.
bool CursorRead::take(const std::string& cursor, bool late, bool same, uint64_t digest) {
  if (known_ && !known_->take(cursor, same, digest)) {
    now_ = cursor;
    took_any_ = true;
    return false;
  }
  took_any_ = true;
  if (late && !same) return true;
  if (!same) rows_ = 0;
  ++rows_;
  now_ = cursor;
  return true;
}

bool CursorRead::may_rest(bool next_is_same, bool next_is_late) const {
  return !next_is_late && (!took_any_ || !next_is_same);
}

Json::Value CursorRead::state() const {
  Json::Value out(Json::objectValue);
  if (!now_) return out;
  if (known_) return known_->state();
  const bool as_it_was = !took_any_ && late_.empty() && tells_equals_ && files_before_ == files_;
  if (as_it_was) return given_;
  out["cursor"] = *now_;
  if (!knows_writers_) return out;
  // Where nothing was read, only what was at work before can still come late.
  const Window open{running_.since, took_any_ || late_.until == 0 ? running_.until : late_.until};
  if (!open.empty()) out["since"] = Json::UInt64(open.since);
  out["until"] = Json::UInt64(std::max(open.since, open.until));
  out["files"] = files_;
  out["rows"] = Json::Int64(rows_ + (now_ == before_ ? rows_before_.value_or(0) : 0));
  return out;
}

}  // namespace patchbay
