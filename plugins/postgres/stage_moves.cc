#include "stage_moves.h"

#include <algorithm>

namespace patchbay {

using postgres::quote_identifier;

std::string place_sql(size_t place) {
  return "'(" + std::to_string(place / kLinesOfPage) + "," + std::to_string(place % kLinesOfPage) +
         ")'::pg_catalog.tid";
}

std::string rows_between(size_t from, size_t to) {
  return "_patchbay_s.ctid OPERATOR(pg_catalog.>=) " + place_sql(from) +
         " AND _patchbay_s.ctid OPERATOR(pg_catalog.<) " + place_sql(to);
}

// Of several rows with one key the last one counts.
std::string StageMoves::latest(const std::string& rows) const {
  std::vector<std::string> names;
  for (const auto& key : keys) names.push_back(key.name);
  const std::string by = list_of(names, "_patchbay_s.");
  return "(SELECT DISTINCT ON (" + by + ") " + list_of(columns, "_patchbay_s.") + " FROM " + stage +
         " AS _patchbay_s WHERE " + rows + " ORDER BY " + by +
         ", _patchbay_s.ctid DESC) AS _patchbay_s";
}

// The columns that are no keys: "a" = prefix."a", ..
std::string StageMoves::changes(const std::string& prefix) const {
  std::string out;
  for (const auto& column : columns) {
    const bool is_key = std::any_of(keys.begin(), keys.end(),
                                    [&](const KeyColumn& key) { return key.name == column; });
    const std::string name = quote_identifier(column);
    if (!is_key) out += (out.empty() ? "" : ", ") + name + " = " + prefix + name;
  }
  return out;
}

std::string StageMoves::insert(const std::string& from, const std::string& where) const {
  return "INSERT INTO " + table + " AS _patchbay_t (" + list_of(columns) + ")" +
         (has_identity ? " OVERRIDING SYSTEM VALUE" : "") + " SELECT " +
         list_of(columns, "_patchbay_s.") + " FROM " + from + " WHERE " + where;
}

std::string StageMoves::sql(const std::string& rows) const {
  if (keys.empty()) return insert(stage + " AS _patchbay_s", rows);
  std::string conflict;
  if (has_index) {
    std::vector<std::string> names;
    for (const auto& key : keys) names.push_back(key.name);
    const std::string set = changes("excluded.");
    conflict = " ON CONFLICT (" + list_of(names) + ") DO " +
               (set.empty() ? "NOTHING" : "UPDATE SET " + set);
    if (!updates_first) return insert(latest(rows), "true") + conflict;
  }
  const std::string set = changes("_patchbay_s.");
  const std::string update = set.empty()
                                 ? ""
                                 : "UPDATE " + only + " AS _patchbay_t SET " + set + " FROM " +
                                       latest(rows) + " WHERE " + same_keys(keys) + "; ";
  return update +
         insert(latest(rows), "NOT EXISTS (SELECT FROM " + only + " AS _patchbay_t WHERE " +
                                  same_keys(keys) + ")") +
         conflict;
}

}  // namespace patchbay
