#include "stage_writer.h"

#include <algorithm>

#include "copy_decode.h"
#include "narrow.h"
#include "patchbay/json_value.h"
#include "pg_lock.h"
#include "pg_reader.h"
#include "stage_moves.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using tables::WriteMode;

class StageWriter final : public CopyWriter {
 public:
  StageWriter(std::shared_ptr<EpochSession> session, std::shared_ptr<EpochTable> table,
              WriterPlan plan, std::string stage, std::string columns,
              std::vector<DeferredKey> deferred)
      : CopyWriter(std::move(session), std::move(table), std::move(plan), stage),
        number_(session_->writers),
        stage_(std::move(stage)),
        columns_(std::move(columns)),
        deferred_(std::move(deferred)) {}

  Prepared prepare(Call& call) override {
    Connection& connection = settled(call);
    make_room(call, connection);
    const StageMoves moves = plan_moves(call, connection);
    if (!moves.keys.empty()) connection.run(call, "ANALYZE " + stage_);
    const auto size = connection.run(
        call, "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint",
        {stage_});
    places_ = static_cast<size_t>(size.integer(0, 0)) * kLinesOfPage;
    session_->for_rows(call);
    move_all(call, connection, moves);
    session_->at_rest(call);
    if (session_->kept && table_->write == WriteMode::kAppend) {
      plan_.token.stage =
          session_->kept->keep(call, connection, stage_, columns_, session_->txn, number_);
      call.durable_step("postgres.kept");
    }
    const bool stays = table_->write == WriteMode::kMirror || !table_->pointed_at.empty();
    if (stays) {
      table_->stages.push_back(stage_);
      table_->keys = moves.keys;
    } else {
      connection.run(call, "DROP TABLE " + stage_);
    }
    return prepared(call);
  }

 private:
  // What comes before the epoch's first row of the table.
  void make_room(Call& call, Connection& connection) {
    EpochTable& table = *table_;
    if (table.write == WriteMode::kAppend) {
      lock_table(call, session_->context, connection, table.table.relation.sql(), "ROW EXCLUSIVE");
      return;
    }
    if (table.write == WriteMode::kUpsert) return;
    if (plan_.token.recreate) return make_anew(call, connection);
    lock_table(call, session_->context, connection, table.table.relation.sql(),
               "SHARE ROW EXCLUSIVE");
    if (table.write == WriteMode::kMirror || !table.pointed_at.empty()) {
      table.count_rows(call, connection);
    } else {
      empty(call, connection);
    }
  }

  // Its readers see the old rows until the epoch is committed, which TRUNCATE would not grant them.
  void empty(Call& call, Connection&) {
    if (std::exchange(table_->is_emptied, true)) return;
    Connection& connection = session_->for_rows(call);
    table_->rows_before = connection.run(call, "DELETE FROM " + table_->table.only()).affected();
    session_->at_rest(call);
  }

  // The table gets the stream's columns, with their types, and loses the others.
  void make_anew(Call& call, Connection& connection) {
    PgTable& table = table_->table;
    const bool first = !table_->is_emptied;
    if (first) {
      lock_table(call, session_->context, connection, table.relation.sql(), "ACCESS EXCLUSIVE");
      empty(call, connection);
    }
    std::string changes;
    const auto change = [&](const std::string& one) {
      changes += (changes.empty() ? "" : ", ") + one;
    };
    if (first) {
      for (const auto& name :
           tables::columns_beyond(kPgNames, plan_.token.columns, table.plain_columns()))
        change("DROP COLUMN " + quote_identifier(name));
    }
    for (size_t i = 0; i < plan_.token.columns.size(); ++i) {
      const std::string name = quote_identifier(plan_.token.columns[i]);
      const Type& type = plan_.token.types.at(i);
      const PgColumn* column = table.find(plan_.token.columns[i]);
      const bool fits = column && !column->generated && find_encoder(type, column->type);
      if (fits) continue;
      if (column) change("DROP COLUMN " + name);
      change("ADD COLUMN " + name + " " + declared_type(type));
    }
    if (changes.empty()) return;
    connection.run(call, "ALTER TABLE " + table.relation.sql() + " " + changes);
    table.columns = columns_of_table(call, connection, table.oid);
  }

  StageMoves plan_moves(Call& call, Connection& connection) {
    const PgTable& table = table_->table;
    StageMoves moves{stage_, table.relation.sql(), table.only(), plan_.token.columns, {}};
    std::vector<std::string> names = plan_.token.keys;
    if (table_->write == WriteMode::kReplace) names = table_->pointed_at;
    moves.keys = table_->keys_of(names);
    moves.has_index = !names.empty() && has_unique_index(call, connection, table, names);
    for (const auto& column : table.columns) {
      const bool written =
          std::find(moves.columns.begin(), moves.columns.end(), column.name) != moves.columns.end();
      moves.has_identity = moves.has_identity || (written && column.is_identity);
      moves.updates_first = moves.updates_first || (!written && column.not_null &&
                                                    !column.fills_itself && !column.generated);
    }
    // Two that look for the same key at once would both add it.
    if (!moves.keys.empty() && !moves.has_index)
      lock_table(call, session_->context, connection, table.relation.sql(), "SHARE ROW EXCLUSIVE");
    return moves;
  }

  void move_all(Call& call, Connection& connection, const StageMoves& moves) {
    if (deferred_.empty()) {
      std::vector<size_t> refused;
      move_each(call, connection, moves, [&](size_t place) { refused.push_back(place); });
      take_out(call, connection, refused);
      return;
    }
    // Rows that break a key which is judged at the end are found when all others are there; without
    // them others may break it.
    for (;;) {
      connection.run(call, "SAVEPOINT patchbay_all");
      std::vector<size_t> refused;
      move_each(call, connection, moves, [&](size_t place) { refused.push_back(place); });
      auto broken = rows_that_break_keys(call, connection);
      if (refused.empty() && broken.empty()) {
        connection.run(call, "RELEASE SAVEPOINT patchbay_all");
        return;
      }
      connection.run(call, "ROLLBACK TO SAVEPOINT patchbay_all; RELEASE SAVEPOINT patchbay_all");
      for (const auto& [place, key] : broken) {
        refuse_row(call, connection, place,
                   "insert or update on table \"" + table_->table.relation.table +
                       "\" violates foreign key constraint \"" + key + "\"");
        refused.push_back(place);
      }
      take_out(call, connection, refused);
    }
  }

  void take_out(Call& call, Connection& connection, const std::vector<size_t>& refused) {
    if (refused.empty()) return;
    std::string places;
    for (const size_t place : refused) places += (places.empty() ? "" : ", ") + place_sql(place);
    connection.run(call, "DELETE FROM " + stage_ + " AS _patchbay_s WHERE _patchbay_s.ctid IN (" +
                             places + ")");
  }

  void move_each(Call& call, Connection& connection, const StageMoves& moves,
                 const std::function<void(size_t)>& note) {
    std::string reason;
    narrow(
        places_,
        [&](size_t from, size_t to) -> std::optional<size_t> {
          const auto failed = under_savepoint(call, connection, reason, [&] {
            connection.run(call, "SAVEPOINT patchbay; " + moves.sql(rows_between(from, to)));
          });
          if (failed) return to;
          connection.run(call, "RELEASE SAVEPOINT patchbay");
          return std::nullopt;
        },
        [&](size_t place) {
          refuse_row(call, connection, place, reason);
          note(place);
        });
  }

  struct Broken {
    size_t place;
    std::string key;
  };

  // Whether the keys hold is left to the server; which rows are at fault, it does not say.
  std::vector<Broken> rows_that_break_keys(Call& call, Connection& connection) {
    std::vector<Broken> out;
    std::string names;
    for (const auto& key : deferred_) {
      // Rows that the key points to may still come, by another writer.
      const bool waits =
          std::any_of(session_->tables.begin(), session_->tables.end(), [&](const auto& one) {
            return one->table.oid == key.parent_oid && one.get() != table_.get() && one->open > 0;
          });
      if (waits) continue;
      names += (names.empty() ? "" : ", ") + key.name;
      std::string where, same;
      for (size_t i = 0; i < key.columns.size(); ++i) {
        const bool has = std::find(plan_.token.columns.begin(), plan_.token.columns.end(),
                                   key.columns[i]) != plan_.token.columns.end();
        if (!has) where.clear();
        if (!has) break;
        const std::string own = "_patchbay_s." + quote_identifier(key.columns[i]);
        where += own + " IS NOT NULL AND ";
        same += (i == 0 ? "" : " AND ") + std::string("_patchbay_p.") +
                quote_identifier(key.parent_columns[i]) + " " + key.equals[i] + " " + own;
      }
      if (where.empty()) continue;
      const auto rows =
          connection.run(call, "SELECT _patchbay_s.ctid FROM " + stage_ + " AS _patchbay_s WHERE " +
                                   where + "NOT EXISTS (SELECT FROM " + key.parent +
                                   " AS _patchbay_p WHERE " + same + ")");
      for (int i = 0; i < rows.rows(); ++i) out.push_back({place_of(rows.text(i, 0)), bare(key)});
    }
    if (out.empty() && !names.empty())
      connection.run(
          call, "SET CONSTRAINTS " + names + " IMMEDIATE; SET CONSTRAINTS " + names + " DEFERRED");
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return a.place < b.place; });
    out.erase(std::unique(out.begin(), out.end(),
                          [](const auto& a, const auto& b) { return a.place == b.place; }),
              out.end());
    return out;
  }

  static std::string bare(const DeferredKey& key) {
    const Relation name = relation_of("", key.name);
    return name.table;
  }

  // (3,17)
  static size_t place_of(const std::string& tid) {
    const size_t comma = tid.find(',');
    return std::stoul(tid.substr(1, comma - 1)) * kLinesOfPage + std::stoul(tid.substr(comma + 1));
  }

  // The row itself, with its types, so that it can be replayed.
  void refuse_row(Call& call, Connection& connection, size_t place, const std::string& reason) {
    std::vector<PgColumn> columns;
    for (const auto& pair : plan_.pairs) columns.push_back(pair.column);
    const auto schema = std::make_shared<const Schema>(schema_of(stream_->name, columns));
    connection.begin_copy_out(call, "COPY (SELECT " + read_list(columns, "_patchbay_s.") +
                                        " FROM " + stage_ +
                                        " AS _patchbay_s WHERE _patchbay_s.ctid "
                                        "OPERATOR(pg_catalog.=) " +
                                        place_sql(place) + ") TO STDOUT (FORMAT binary)");
    CopyDecoder decoder(schema, columns, 0, connection.any_bytes());
    while (const auto piece = connection.get(call)) {
      const auto row = decoder.row_of(*piece);
      if (!row) continue;
      --rows_;
      BatchBuilder batch(schema);
      decoder.attach(batch);
      if (decoder.append(*row, batch)) {
        call.reject_record({stream_->name, "constraint", reason, ""},
                           write_json(decoder.describe(*row)));
      } else {
        call.reject({stream_->name, "constraint", reason, ""}, batch.finish());
      }
    }
  }

  const int number_;
  const std::string stage_, columns_;
  const std::vector<DeferredKey> deferred_;
  size_t places_ = 0;
};

// As the table's columns, whose rights and locks it does not need. For a table that may be made
// anew, as the stream's fields.
std::string stage_columns(const WriterPlan& plan) {
  std::string out;
  for (size_t i = 0; i < plan.token.columns.size(); ++i) {
    out += (i == 0 ? "" : ", ") + quote_identifier(plan.token.columns[i]) + " ";
    if (plan.token.recreate) {
      out += declared_type(plan.token.types.at(i));
    } else {
      const PgColumn& column = plan.pairs[i].column;
      out += column.sql_type + (column.collation.empty() ? "" : " COLLATE " + column.collation);
    }
  }
  return out;
}

void require_pointed_at(const EpochTable& table, const WriterPlan& plan) {
  for (const auto& key : table.pointed_at) {
    const auto& columns = plan.token.columns;
    if (std::find(columns.begin(), columns.end(), key) != columns.end()) continue;
    throw Error(Code::kRemote, "table " + table.table.shown +
                                   ": other tables point to its column " + key +
                                   ", which the stream does not have, so its rows can't be "
                                   "replaced; add the field, or use write: append");
  }
}

void require_changeable(const EpochTable& table, const WriterPlan& plan) {
  for (const auto& pair : plan.pairs) {
    const auto& keys = plan.token.keys;
    if (!pair.column.identity_always || keys.empty() ||
        std::find(keys.begin(), keys.end(), pair.column.name) != keys.end())
      continue;
    throw Error(Code::kSchema, pair.column.name + ": is GENERATED ALWAYS AS IDENTITY in table " +
                                   table.table.shown +
                                   ", which no update can set; make it a key, or drop the field "
                                   "with `fields`");
  }
}

}  // namespace

std::unique_ptr<Writer> make_stage_writer(Call& call, std::shared_ptr<EpochSession> session,
                                          std::shared_ptr<EpochTable> table, WriterPlan plan,
                                          std::vector<DeferredKey> deferred) {
  Connection& connection = session->at_rest(call);
  if (table->write == WriteMode::kReplace && !plan.token.recreate)
    table->pointed_at = pointed_at(call, connection, table->table);
  require_pointed_at(*table, plan);
  require_changeable(*table, plan);
  const std::string name = "_patchbay_stage_" + std::to_string(session->writers);
  const std::string stage = "pg_temp." + name;
  const std::string columns = stage_columns(plan);
  connection.run(call, "CREATE TEMPORARY TABLE " + name + " (" + columns + ") ON COMMIT DROP");
  if (plan.token.recreate) {
    const auto oid = connection.run(call, "SELECT $1::regclass::oid", {stage}).text(0, 0);
    const auto columns = columns_of_table(call, connection, oid);
    for (size_t i = 0; i < plan.pairs.size(); ++i) plan.pairs[i].column = columns.at(i);
  }
  std::string names;
  for (const auto& key : deferred) names += (names.empty() ? "" : ", ") + key.name;
  if (!names.empty()) connection.run(call, "SET CONSTRAINTS " + names + " DEFERRED");
  return std::make_unique<StageWriter>(std::move(session), std::move(table), std::move(plan), stage,
                                       columns, std::move(deferred));
}

}  // namespace patchbay
