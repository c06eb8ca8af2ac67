#include "sqlite_cursor.h"

#include <algorithm>
#include <cmath>

#include "patchbay/config.h"
#include "sqlite_table.h"

namespace patchbay {
namespace {

// By kind.
constexpr const char* kTypes[] = {"'integer'", "'integer', 'real'", "'text'"};
constexpr const char* kWords[] = {"whole numbers", "numbers", "text"};

}  // namespace

SqliteCursor::SqliteCursor(Database& database, const SqliteExtract& extract,
                           const std::string& column, const Json::Value& state)
    : database_(database),
      extract_(extract),
      column_(column),
      read_(extract.stream, column, state) {
  find_column();
  kind_ = find_kind();
  require_fitting_state();
  find_collation();
  if (extract_.waits) greatest_ = greatest();
  if (extract_.waits || is_unique()) read_.set_last_is_whole();
}

// A name that is no column would be taken for a text by SQLite, so it is looked for in the result.
void SqliteCursor::find_column() {
  auto all = database_.compile("SELECT * FROM " + extract_.from);
  std::vector<std::string> names;
  for (int i = 0; i < all.columns(); ++i) {
    names.push_back(all.name(i));
    names_.push_back(tables::RowDigest::of_name(names.back()));
    if (place_ < 0 && tables::same_column(kSqliteNames, names.back(), column_)) place_ = i;
  }
  if (place_ < 0) config_error("cursor", extract_.stream + " has no column " + column_);
  declared_ = all.declared_type(place_);
  column_ = names[static_cast<size_t>(place_)];
  name_ = quote_identifier(column_);
  read_.set_columns(names);
  if (extract_.table) row_ = row_name_in(database_, *extract_.table);
}

// Where neither the declaration nor the state tells, the first value in SQLite's order does.
SqliteCursor::Kind SqliteCursor::find_kind() const {
  const Affinity affinity = affinity_of(declared_);
  if (affinity == Affinity::kInteger) return Kind::kInteger;
  if (affinity == Affinity::kReal) return Kind::kNumber;
  if (affinity == Affinity::kText) return Kind::kText;
  if (read_.from().isString()) return Kind::kText;
  if (read_.from().isNumeric()) return Kind::kNumber;
  auto first = database_.compile("SELECT typeof(" + name_ + ") FROM " + extract_.from + " WHERE " +
                                 name_ + " IS NOT NULL ORDER BY " + name_ + " LIMIT 1");
  return first.step() && first.text(0) == "text" ? Kind::kText : Kind::kNumber;
}

// SQLite compares a text with a number: every number is below it.
void SqliteCursor::require_fitting_state() const {
  const Json::Value& from = read_.from();
  if (from.isNull() || (kind_ == Kind::kText ? from.isString() : from.isNumeric())) return;
  const std::string given = from.isString()    ? "text"
                            : from.isNumeric() ? "a number"
                                               : "neither number nor text";
  throw Error(Code::kConfig, "state of " + extract_.stream + ": its cursor is " + given + ", and " +
                                 column_ + " goes by " + kWords[static_cast<int>(kind_)] +
                                 "; give it another with `patchbay state set`, or read everything "
                                 "again with --full-refresh");
}

// SQLite is asked how the column compares: of a query nothing else tells.
void SqliteCursor::find_collation() {
  if (kind_ != Kind::kText) return;
  const auto equal = [&](const char* a, const char* b) {
    auto query = database_.compile("SELECT c = ? FROM (SELECT " + name_ + " AS c FROM " +
                                   extract_.from + " WHERE 0 UNION ALL SELECT ?)");
    query.bind(1, std::string_view(a)).bind(2, std::string_view(b));
    return query.step() && query.integer(0) == 1;
  };
  if (equal("a", "A")) collation_ = "NOCASE";
  if (equal("a", "a ")) collation_ = "RTRIM";
}

bool SqliteCursor::is_unique() const {
  const auto table = extract_.table ? find_table(database_, *extract_.table) : std::nullopt;
  if (!table) return false;
  if (table->rowid && table->find(column_) == table->rowid) return true;
  auto query = database_.prepare(
      "SELECT i.name, i.coll FROM pragma_index_list(?) l, pragma_index_xinfo(l.name) i WHERE "
      "l.\"unique\" AND l.partial = 0 AND i.key AND (SELECT count(*) FROM "
      "pragma_index_xinfo(l.name) "
      "WHERE key) = 1");
  query.bind(1, table->name);
  while (query.step()) {
    if (tables::same_column(kSqliteNames, query.text(0), column_) &&
        tables::folded(query.text(1)) ==
            tables::folded(database_.collation_of(table->name, column_)))
      return true;
  }
  return false;
}

Json::Value SqliteCursor::greatest() {
  auto query = database_.compile("SELECT " + name_ + " FROM " + extract_.from + " WHERE typeof(" +
                                 name_ + ") IN (" + kTypes[static_cast<int>(kind_)] + ")" +
                                 (kind_ == Kind::kNumber ? " AND " + name_ + " < 9e999" : "") +
                                 " ORDER BY " + name_ + " DESC LIMIT 1");
  if (!query.step()) return {};
  if (query.type(0) == SQLITE_INTEGER) return Json::Int64(query.integer(0));
  return query.type(0) == SQLITE_FLOAT ? Json::Value(query.real(0)) : Json::Value(query.text(0));
}

// Of all that the row holds.
uint64_t SqliteCursor::digest_of(const Statement& row) const {
  tables::RowDigest digest;
  for (int i = 0; i < row.columns(); ++i) {
    const int stored = row.type(i);
    const uint64_t name = names_[static_cast<size_t>(i)];
    if (stored == SQLITE_INTEGER) digest.add_integer(name, row.integer(i));
    if (stored == SQLITE_FLOAT) digest.add_real(name, row.real(i));
    if (stored == SQLITE_TEXT) digest.add_text(name, row.bytes(i));
    if (stored == SQLITE_BLOB) digest.add_bytes(name, row.bytes(i));
  }
  return digest.value();
}

std::string SqliteCursor::ordered() const {
  return " ORDER BY " + name_ + (row_.empty() ? "" : ", " + row_);
}

// Rows that no cursor can pass are shown, and refused, in each run: none would ever find them.
std::string SqliteCursor::conditions() const {
  if (read_.from().isNull()) return ordered();
  return " WHERE " + name_ + (read_.begins_with_last() ? " >= ?" : " > ?") +
         (kind_ == Kind::kText ? " OR " + name_ + " < ''" : "") + " OR " + name_ + " IS NULL" +
         ordered();
}

void SqliteCursor::bind(Statement& rows) const {
  if (!read_.from().isNull()) bind_value(rows, 1, read_.from());
}

void SqliteCursor::look_at_last() {
  if (!read_.needs_look()) return;
  auto rows =
      database_.compile("SELECT * FROM " + extract_.from + " WHERE " + name_ + " = ?" + ordered());
  bind_value(rows, 1, read_.from());
  while (rows.step() && read_.look(digest_of(rows))) {
  }
  read_.end_look();
}

void SqliteCursor::bind_value(Statement& statement, int parameter, const Json::Value& value) {
  if (value.isInt64()) {
    statement.bind(parameter, int64_t{value.asInt64()});
  } else if (value.isDouble()) {
    statement.bind(parameter, value.asDouble());
  } else if (value.isString()) {
    statement.bind(parameter, std::string_view(value.asString()));
  } else {
    throw Error(Code::kData, "state: its cursor is neither a number nor a text; set it again");
  }
}

bool SqliteCursor::fits(int stored) const {
  if (kind_ == Kind::kText) return stored == SQLITE_TEXT;
  return stored == SQLITE_INTEGER || (kind_ == Kind::kNumber && stored == SQLITE_FLOAT);
}

std::optional<std::string> SqliteCursor::refusal(const Statement& row) const {
  const int stored = row.type(place_);
  if (stored == SQLITE_NULL) return column_ + ": is null, so a cursor can't pass the row";
  if (!fits(stored)) {
    return column_ + ": is of another type, and the cursor goes by " +
           kWords[static_cast<int>(kind_)];
  }
  if (stored == SQLITE_FLOAT && !std::isfinite(row.real(place_)))
    return column_ + ": is infinite, so that the cursor would pass everything";
  return std::nullopt;
}

Json::Value SqliteCursor::value_of(const Statement& row) const {
  if (row.type(place_) == SQLITE_INTEGER) return Json::Int64(row.integer(place_));
  return kind_ == Kind::kText ? Json::Value(row.text(place_)) : Json::Value(row.real(place_));
}

// As SQLite compares them.
bool SqliteCursor::same(const Json::Value& a, const Json::Value& b) {
  const bool is_plain = a.type() == b.type() && collation_ == "BINARY";
  if (a == b || is_plain) return a == b;
  auto query = collation_ == "NOCASE"  ? database_.prepare("SELECT ?1 = ?2 COLLATE NOCASE")
               : collation_ == "RTRIM" ? database_.prepare("SELECT ?1 = ?2 COLLATE RTRIM")
                                       : database_.prepare("SELECT ?1 = ?2");
  bind_value(query, 1, a);
  bind_value(query, 2, b);
  return query.step() && query.integer(0) == 1;
}

bool SqliteCursor::take(const Statement& row) {
  const Json::Value value = value_of(row);
  if (!greatest_.isNull() && same(value, greatest_)) return false;
  const bool stays = !read_.last().isNull() && same(read_.last(), value);
  return read_.take(value, stays, read_.needs_digests() ? digest_of(row) : 0);
}

bool SqliteCursor::stays_with_last(const Statement& row) {
  return !read_.last().isNull() && !refusal(row) && same(read_.last(), value_of(row));
}

}  // namespace patchbay
