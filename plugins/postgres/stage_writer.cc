#include "stage_writer.h"

#include <algorithm>

#include "copy_writer.h"
#include "narrow.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using postgres::quote_literal;

using Names = std::vector<std::string>;

std::string list_of(const Names& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + quote_identifier(name);
  return out;
}

Names names_of(const std::vector<CopyEncoder::Pair>& pairs) {
  Names names;
  for (const auto& pair : pairs) names.push_back(pair.column.name);
  return names;
}

bool holds(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// t.a = s.a AND t.b = s.b
std::string same(const Names& keys) {
  std::string out;
  for (const auto& key : keys) {
    const std::string name = quote_identifier(key);
    out += (out.empty() ? "t." : " AND t.") + name + " = s." + name;
  }
  return out;
}

// What follows INSERT where a row with these keys may be there already.
std::string on_conflict(const Names& names, const Names& keys) {
  std::string changes;
  for (const auto& name : names) {
    if (holds(keys, name)) continue;
    changes += (changes.empty() ? "" : ", ") + quote_identifier(name) + " = excluded." +
               quote_identifier(name);
  }
  return " ON CONFLICT (" + list_of(keys) + ") DO " +
         (changes.empty() ? "NOTHING" : "UPDATE SET " + changes);
}

Names column_of(const postgres::Result& rows) {
  Names out;
  for (int i = 0; i < rows.rows(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

// The rows of the stage are numbered from 1, without gaps but for those that COPY refused.
class StageWriter : public CopyWriter {
 public:
  StageWriter(std::shared_ptr<EpochSession> session, SchemaPtr stream, TableTarget target,
              std::string stage)
      : CopyWriter(std::move(session), std::move(stream), stage, target.pairs),
        names_(names_of(target.pairs)),
        table_(target.relation.sql()),
        stage_(std::move(stage)) {}

  Prepared prepare(Call& call) override {
    Connection& connection = settled(call);
    const auto last = connection.run(call, "SELECT coalesce(max(_patchbay_row), 0) FROM " + stage_);
    connection.run(call, "ANALYZE " + stage_);
    make_room(call, connection);
    int64_t refused = 0;
    std::string reason;
    narrow(
        static_cast<size_t>(last.integer(0, 0)),
        [&](size_t from, size_t to) { return move(call, connection, from, to, reason); },
        [&](size_t row) { refused += refuse(call, connection, row + 1, reason); });
    connection.run(call, "DROP TABLE " + stage_);
    return prepared(call, rows_ - refused);
  }

 protected:
  // Before rows move; within the transaction.
  virtual void make_room(Call&, Connection&) {}
  // Statements that move the rows for which `rows` is true, of the stage called s.
  virtual std::string statements(const std::string& rows) const = 0;

  const Names names_;
  const std::string table_, stage_;

 private:
  std::optional<size_t> move(Call& call, Connection& connection, size_t from, size_t to,
                             std::string& reason) const {
    const std::string rows = "s._patchbay_row > " + std::to_string(from) +
                             " AND s._patchbay_row <= " + std::to_string(to);
    const auto failed = under_savepoint(call, connection, reason, [&] {
      connection.run(call, "SAVEPOINT patchbay; " + statements(rows));
    });
    if (failed) return to;
    connection.run(call, "RELEASE SAVEPOINT patchbay");
    return std::nullopt;
  }

  int64_t refuse(Call& call, Connection& connection, size_t number,
                 const std::string& reason) const {
    const auto row = connection.run(call, "SELECT to_jsonb(s) - '_patchbay_row' FROM " + stage_ +
                                              " s WHERE _patchbay_row = " + std::to_string(number));
    if (row.rows() == 0) return 0;
    call.reject_record({stream_->name, "constraint", reason, ""}, row.text(0, 0));
    return 1;
  }
};

// Of several rows with one key the last one counts.
class UpsertWriter final : public StageWriter {
 public:
  UpsertWriter(std::shared_ptr<EpochSession> session, SchemaPtr stream, TableTarget target,
               std::string stage, bool has_index)
      : StageWriter(std::move(session), stream, target, std::move(stage)),
        keys_(target.keys),
        has_index_(has_index) {
    std::vector<size_t> fields;
    for (const auto& key : keys_) fields.push_back(static_cast<size_t>(stream->index_of(key)));
    require(std::move(fields));
  }

 private:
  std::string statements(const std::string& rows) const override {
    const std::string clear = has_index_ ? ""
                                         : "DELETE FROM " + table_ + " t USING " + stage_ +
                                               " s WHERE " + rows + " AND " + same(keys_) + "; ";
    return clear + "INSERT INTO " + table_ + " (" + list_of(names_) + ") SELECT DISTINCT ON (" +
           list_of(keys_) + ") " + list_of(names_) + " FROM " + stage_ + " s WHERE " + rows +
           " ORDER BY " + list_of(keys_) + ", _patchbay_row DESC" +
           (has_index_ ? on_conflict(names_, keys_) : "");
  }

  const Names keys_;
  const bool has_index_;
};

// Replace, in a table that views, keys or rights hold in its place. Where foreign keys of other
// tables point to it, rows that stay are updated: deleting them would take others with them.
class RefillWriter final : public StageWriter {
 public:
  RefillWriter(std::shared_ptr<EpochSession> session, SchemaPtr stream, TableTarget target,
               std::string stage, Names pointed_at)
      : StageWriter(std::move(session), std::move(stream), std::move(target), std::move(stage)),
        pointed_at_(std::move(pointed_at)) {}

 private:
  void make_room(Call& call, Connection& connection) override {
    connection.run(call, "LOCK TABLE " + table_ + " IN ACCESS EXCLUSIVE MODE");
    if (!pointed_at_.empty()) {
      connection.run(call, "DELETE FROM " + table_ + " t WHERE NOT EXISTS (SELECT FROM " + stage_ +
                               " s WHERE " + same(pointed_at_) + ")");
      return;
    }
    const bool may_truncate =
        connection.run(call, "SELECT has_table_privilege($1, 'TRUNCATE')", {table_}).text(0, 0) ==
        "t";
    connection.run(call, (may_truncate ? "TRUNCATE " : "DELETE FROM ") + table_);
  }

  std::string statements(const std::string& rows) const override {
    return "INSERT INTO " + table_ + " (" + list_of(names_) + ") SELECT " + list_of(names_) +
           " FROM " + stage_ + " s WHERE " + rows + " ORDER BY _patchbay_row" +
           (pointed_at_.empty() ? "" : on_conflict(names_, pointed_at_));
  }

  const Names pointed_at_;  // columns of this table
};

// A unique index on exactly these columns, whole and checked at once.
bool has_unique_index(Call& call, Connection& connection, const TableTarget& target) {
  std::string names;
  for (const auto& key : target.keys) names += (names.empty() ? "" : ", ") + quote_literal(key);
  const auto count = connection.run(
      call,
      "SELECT count(*) FROM pg_index i WHERE i.indrelid = " + quote_literal(target.relation.sql()) +
          "::regclass AND i.indisunique AND i.indimmediate AND i.indisvalid"
          " AND i.indpred IS NULL AND i.indexprs IS NULL AND"
          " (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a"
          "  WHERE a.attrelid = i.indrelid"
          "  AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))"
          " = (SELECT array_agg(k ORDER BY k) FROM unnest(ARRAY[" +
          names + "]::text[]) k)");
  return count.integer(0, 0) > 0;
}

// The columns that a foreign key of another table points to; empty where none does.
Names pointed_at(Call& call, Connection& connection, const TableTarget& target) {
  Names keys = column_of(connection.run(
      call,
      "SELECT a.attname FROM (SELECT conrelid, confrelid, confkey FROM pg_constraint"
      "   WHERE contype = 'f' AND confrelid = $1::regclass ORDER BY oid LIMIT 1) c"
      " JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = ANY (c.confkey)",
      {target.relation.sql()}));
  const Names names = names_of(target.pairs);
  for (const auto& key : keys) {
    if (!holds(names, key)) {
      throw Error(Code::kRemote, "table " + target.relation.table +
                                     ": other tables point to its column " + key +
                                     ", which the stream does not have, so its rows can't be "
                                     "replaced; add the field, or use write: append");
    }
  }
  return keys;
}

}  // namespace

std::unique_ptr<Writer> make_stage_writer(Call& call, std::shared_ptr<EpochSession> session,
                                          SchemaPtr stream, TableTarget target,
                                          const std::string& number) {
  Connection& connection = session->at_rest(call);
  const std::string stage = "pg_temp._patchbay_stage_" + number;
  connection.run(call, "CREATE TEMPORARY TABLE _patchbay_stage_" + number +
                           " ON COMMIT DROP AS SELECT " + list_of(names_of(target.pairs)) +
                           " FROM " + target.relation.sql() + " WITH NO DATA");
  connection.run(call, "ALTER TABLE " + stage +
                           " ADD COLUMN _patchbay_row bigint GENERATED ALWAYS AS IDENTITY");
  if (target.write == "upsert") {
    const bool has_index = has_unique_index(call, connection, target);
    return std::make_unique<UpsertWriter>(std::move(session), std::move(stream), std::move(target),
                                          stage, has_index);
  }
  Names keys = pointed_at(call, connection, target);
  return std::make_unique<RefillWriter>(std::move(session), std::move(stream), std::move(target),
                                        stage, std::move(keys));
}

}  // namespace patchbay
