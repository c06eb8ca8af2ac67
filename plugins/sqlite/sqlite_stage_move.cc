#include "sqlite_stage_move.h"

#include <algorithm>
#include <optional>

namespace patchbay {
namespace {

using tables::TableToken;

constexpr const char* kThere = "temp._patchbay_there";
constexpr const char* kKeyIndex = "_patchbay_keys";

// A trigger, or a conflict clause of a table with triggers, may leave rows out without an error.
bool may_ignore(Database& database, const std::string& table) {
  auto query = database.prepare(
      "SELECT 1 FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND sql LIKE '%IGNORE%'");
  return has_triggers(database, table) && query.bind(1, table).step();
}

// Statements of one token. Conflict clauses of the table's own are set aside by OR ABORT: a row
// that they would drop or put in another's place is refused. Not with triggers, whose statements
// would lose theirs: https://www.sqlite.org/lang_createtrigger.html
class StageMove {
 public:
  StageMove(Database& database, const SqliteTable& table, const TableToken& token)
      : database_(database),
        token_(token),
        has_index_(!token.keys.empty() && has_index_on(database, table, token.keys)),
        is_view_(table.is_view),
        may_ignore_(!table.is_view && may_ignore(database, table.name)),
        or_abort_(has_triggers(database, table.name) ? "" : " OR ABORT"),
        upserts_(token.write == tables::WriteMode::kUpsert ||
                 token.write == tables::WriteMode::kMirror),
        table_(quote_identifier(table.name)),
        stage_(quote_identifier(token.stage)),
        row_(row_name_of(token)) {
    for (const auto& column : token.columns) {
      const bool is_key = std::any_of(token.keys.begin(), token.keys.end(), [&](const auto& key) {
        return tables::same_column(kSqliteNames, key, column);
      });
      if (!is_key) changes_.push_back(column);
    }
  }

  // Rows that are left out without an error are found one by one.
  bool needs_each() const { return may_ignore_; }

  void all() {
    if (!upserts_) return database_.execute(insert());
    find_rows_that_are_there();
    if (!changes_.empty())
      database_.execute(update() + " AND " + at("_patchbay_s") + " IN (SELECT row FROM " + kThere +
                        ")");
    database_.execute(insert() + " AND " + at("_patchbay_s") + " NOT IN (SELECT row FROM " +
                      kThere + ")" + in_order());
    database_.execute(std::string("DROP TABLE ") + kThere);
  }

  // In the order in which they came. False where `refuse` said so.
  bool each(Call& call, const RefuseRow& refuse) {
    const bool needs_index = upserts_ && !has_index_;
    if (needs_index) {
      database_.execute(std::string("CREATE INDEX ") + kKeyIndex + " ON " + table_ + " (" +
                        list_of(token_.keys) + ")");
    }
    // Asked for row by row: going back to a savepoint would end a statement that reads.
    auto next = database_.compile("SELECT " + at("_patchbay_s") + " FROM " + stage_ +
                                  " AS _patchbay_s WHERE " + at("_patchbay_s") + " > ? AND " +
                                  is_wanted() + in_order() + " LIMIT 1");
    Statements one{database_.compile(insert() + is_row()), {}, {}};
    if (upserts_) one.there.emplace(database_.compile(there_is()));
    if (upserts_ && !changes_.empty()) one.change.emplace(database_.compile(update() + is_row()));
    bool goes_on = true;
    for (int64_t row = 0; goes_on && next.bind(1, row).step();) {
      call.throw_if_cancelled();
      row = next.integer(0);
      next.reset();
      goes_on = move_one(row, one, refuse);
    }
    next.reset();
    one.reset();
    if (needs_index) database_.execute(std::string("DROP INDEX ") + kKeyIndex);
    return goes_on;
  }

  // A trigger may end the whole transaction: RAISE(ROLLBACK).
  void require_transaction(const std::string& why) const {
    if (database_.in_transaction()) return;
    throw Error(Code::kData,
                why +
                    "; a trigger of the table rolls back everything over one row, so that "
                    "the others can't be written either");
  }

 private:
  // For the row whose number is their parameter.
  struct Statements {
    Statement add;
    std::optional<Statement> there, change;
    void reset() {
      add.reset();
      if (there) there->reset();
      if (change) change->reset();
    }
  };

  std::string at(const std::string& alias) const { return alias + "." + row_; }
  std::string is_row() const { return " AND " + at("_patchbay_s") + " = ?"; }
  std::string in_order() const { return " ORDER BY " + at("_patchbay_s"); }

  // Of several rows with one key the last one counts.
  std::string is_wanted() const {
    if (!upserts_) return "true";
    std::string same;
    for (const auto& key : token_.keys) {
      same += (same.empty() ? "" : " AND ") + std::string("_patchbay_w.") + quote_identifier(key) +
              " = _patchbay_s." + quote_identifier(key);
    }
    return at("_patchbay_s") + " = (SELECT max(" + at("_patchbay_w") + ") FROM " + stage_ +
           " AS _patchbay_w WHERE " + same + ")";
  }

  std::string insert() const {
    return "INSERT" + or_abort_ + " INTO " + table_ + " (" + list_of(token_.columns) + ") SELECT " +
           list_of(token_.columns, "_patchbay_s.") + " FROM " + stage_ + " AS _patchbay_s WHERE " +
           is_wanted();
  }

  std::string update() const {
    std::string set;
    for (const auto& column : changes_) {
      const std::string name = quote_identifier(column);
      set += (set.empty() ? "" : ", ") + name + " = _patchbay_s." + name;
    }
    return "UPDATE" + or_abort_ + " " + table_ + " AS _patchbay_t SET " + set + " FROM " + stage_ +
           " AS _patchbay_s WHERE " + same_keys(token_.keys) + " AND " + is_wanted();
  }

  std::string there_is() const {
    return "SELECT 1 FROM " + stage_ + " AS _patchbay_s, " + table_ + " AS _patchbay_t WHERE " +
           same_keys(token_.keys) + is_row();
  }

  // CROSS JOIN keeps the order: through the table's index, or through the stage's.
  void find_rows_that_are_there() {
    const std::string stage = stage_ + " AS _patchbay_s", table = table_ + " AS _patchbay_t";
    database_.execute(std::string("CREATE TABLE ") + kThere + " (row INTEGER PRIMARY KEY)");
    database_.execute(
        std::string("INSERT OR IGNORE INTO ") + kThere + " SELECT " + at("_patchbay_s") + " FROM " +
        (has_index_ ? stage + " CROSS JOIN " + table : table + " CROSS JOIN " + stage) + " WHERE " +
        same_keys(token_.keys));
  }

  bool move_one(int64_t row, Statements& one, const RefuseRow& refuse) {
    database_.execute("SAVEPOINT _patchbay_row");
    std::string why;
    try {
      if (!writes_row(row, one) && !is_view_)
        why = database_.file() + ": a trigger of the table leaves the row out";
    } catch (const Error& error) {
      if (error.code() != Code::kData) throw;
      why = error.what();
    }
    one.reset();
    if (!why.empty()) {
      require_transaction(why);
      database_.execute("ROLLBACK TO _patchbay_row");
    }
    database_.execute("RELEASE _patchbay_row");
    if (why.empty()) return true;
    if (!refuse) throw Error(Code::kData, why);
    return refuse(row, why);
  }

  // False where the database did nothing.
  bool writes_row(int64_t row, Statements& one) {
    if (!one.there || !one.there->bind(1, row).step()) {
      one.add.bind(1, row).run();
    } else if (one.change) {
      one.change->bind(1, row).run();
    } else {
      return true;
    }
    return database_.changes() > 0;
  }

  Database& database_;
  const TableToken& token_;
  const bool has_index_, is_view_, may_ignore_;
  const std::string or_abort_;
  const bool upserts_;
  const std::string table_, stage_, row_;
  std::vector<std::string> changes_;  // columns that are no keys
};

}  // namespace

std::string same_keys(const std::vector<std::string>& keys) {
  std::string out;
  for (const auto& key : keys) {
    const std::string name = quote_identifier(key);
    out += (out.empty() ? "_patchbay_t." : " AND _patchbay_t.") + name + " = _patchbay_s." + name;
  }
  return out;
}

bool move_stage(Call& call, Database& database, const SqliteTable& table, const TableToken& token,
                const RefuseRow& refuse) {
  StageMove move(database, table, token);
  if (move.needs_each()) return move.each(call, refuse);
  database.execute("SAVEPOINT _patchbay_stage");
  bool goes_on = true;
  try {
    move.all();
  } catch (const Error& error) {
    if (error.code() != Code::kData) throw;
    move.require_transaction(error.what());
    database.execute("ROLLBACK TO _patchbay_stage");
    goes_on = move.each(call, refuse);
  }
  database.execute("RELEASE _patchbay_stage");
  return goes_on;
}

}  // namespace patchbay
