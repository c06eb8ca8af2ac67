#include "pg_writer.h"

#include <algorithm>

#include "narrow.h"
#include "patchbay/json_value.h"
#include "pg_replace.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using postgres::ServerError;

std::string list_of(const std::vector<std::string>& names, const std::string& before = "") {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + before + quote_identifier(name);
  return out;
}

std::vector<std::string> names_of(const std::vector<CopyEncoder::Pair>& pairs) {
  std::vector<std::string> names;
  for (const auto& pair : pairs) names.push_back(pair.column.name);
  return names;
}

// Runs `work` so that its failure undoes no more than itself. Nothing where it succeeded; where a
// row is at fault, its number within the statement (0 = not said).
template <class Work>
std::optional<size_t> under_savepoint(Call& call, Connection& connection, std::string& reason,
                                      Work&& work) {
  try {
    work();
  } catch (const ServerError& error) {
    if (!error.is_about_a_row()) throw;
    connection.run(call, "ROLLBACK TO SAVEPOINT patchbay");
    reason = error.reason();
    return static_cast<size_t>(error.fields().copy_line);
  }
  connection.run(call, "RELEASE SAVEPOINT patchbay");
  return std::nullopt;
}

// COPY straight into a table.
class CopyWriter : public Writer {
 public:
  CopyWriter(EpochSession& session, SchemaPtr stream, const std::string& relation,
             std::vector<CopyEncoder::Pair> pairs)
      : session_(session),
        stream_(stream),
        copy_("COPY " + relation + " (" + list_of(names_of(pairs)) + ") FROM STDIN"),
        encoder_(std::move(stream), std::move(pairs)) {}

  void write(Call& call, Batch batch) override {
    std::vector<RefusedRow> refused;
    const CopyRows rows = encoder_.encode(batch, refused);
    for (const auto& [row, reason] : refused) refuse(call, batch, row, "type", reason);
    std::string reason;
    narrow(
        rows.size(), [&](size_t from, size_t to) { return copy(call, rows, from, to, reason); },
        [&](size_t row) { refuse(call, batch, rows.rows[row], "constraint", reason); });
    rows_ += batch.rows() - refused_;
    refused_ = 0;
  }

  Prepared prepare(Call& call) override { return prepared(call, rows_); }

 protected:
  Connection& connection() { return *session_.connection; }

  Prepared prepared(Call& call, int64_t rows) {
    Json::Value token;
    token["process"] = connection().process();
    token["started"] = session_.started;
    call.durable_step("postgres.prepared");
    return {write_json(token), rows};
  }

  EpochSession& session_;
  const SchemaPtr stream_;
  int64_t rows_ = 0;

 private:
  std::optional<size_t> copy(Call& call, const CopyRows& rows, size_t from, size_t to,
                             std::string& reason) {
    const auto line = under_savepoint(call, connection(), reason, [&] {
      connection().begin_copy_in(
          call, "SAVEPOINT patchbay; " + copy_ + (encoder_.binary() ? " (FORMAT binary)" : ""));
      connection().put(call, encoder_.header());
      connection().put(call, rows.slice(from, to));
      connection().put(call, encoder_.trailer());
      connection().end_copy_in(call);
    });
    if (!line) return std::nullopt;
    return *line == 0 ? to : from + *line - 1;
  }

  void refuse(Call& call, Batch& batch, int64_t row, const char* code, const std::string& reason) {
    ++refused_;
    call.reject({stream_->name, code, reason, ""}, batch.slice(row, 1));
  }

  const std::string copy_;
  CopyEncoder encoder_;
  int64_t refused_ = 0;  // of the batch at hand
};

// COPY into a table beside the real one, which takes its place, or whose rows do.
class ReplaceWriter final : public CopyWriter {
 public:
  ReplaceWriter(EpochSession& session, SchemaPtr stream, TableTarget target, BesideTable beside)
      : CopyWriter(session, std::move(stream), beside.relation, std::move(target.pairs)),
        beside_(std::move(beside)) {}

  Prepared prepare(Call& call) override {
    take_place(call, connection(), beside_);
    return prepared(call, rows_);
  }

 private:
  const BesideTable beside_;
};

// COPY into a temporary table, then a merge; of several rows with one key the last one counts.
class UpsertWriter final : public CopyWriter {
 public:
  UpsertWriter(EpochSession& session, SchemaPtr stream, TableTarget target, std::string stage,
               bool has_index)
      : CopyWriter(session, std::move(stream), stage, target.pairs),
        target_(std::move(target)),
        stage_(std::move(stage)),
        has_index_(has_index) {}

  Prepared prepare(Call& call) override {
    std::string reason;
    int64_t refused = 0;
    // Rows of the stage count from 1, without gaps but for rows that COPY refused.
    const auto last =
        connection().run(call, "SELECT coalesce(max(_patchbay_row), 0) FROM " + stage_);
    connection().run(call, "ANALYZE " + stage_);
    narrow(
        static_cast<size_t>(last.integer(0, 0)),
        [&](size_t from, size_t to) { return merge(call, from, to, reason); },
        [&](size_t row) { refused += refuse(call, row + 1, reason); });
    connection().run(call, "DROP TABLE " + stage_);
    return prepared(call, rows_ - refused);
  }

 private:
  std::optional<size_t> merge(Call& call, size_t from, size_t to, std::string& reason) {
    const auto failed = under_savepoint(call, connection(), reason, [&] {
      connection().run(call, "SAVEPOINT patchbay");
      if (!has_index_) connection().run(call, delete_sql(range(from, to)));
      connection().run(call, insert_sql(range(from, to)));
    });
    if (!failed) return std::nullopt;
    return to;
  }

  static std::string range(size_t from, size_t to) {
    return "_patchbay_row > " + std::to_string(from) +
           " AND _patchbay_row <= " + std::to_string(to);
  }

  std::string delete_sql(const std::string& rows) const {
    std::string same;
    for (const auto& key : target_.keys) {
      same +=
          " AND t." + quote_identifier(key) + " IS NOT DISTINCT FROM s." + quote_identifier(key);
    }
    return "DELETE FROM " + target_.relation + " t USING " + stage_ + " s WHERE s." + rows + same;
  }

  std::string insert_sql(const std::string& rows) const {
    const auto names = names_of(target_.pairs);
    std::string sql = "INSERT INTO " + target_.relation + " (" + list_of(names) + ") SELECT " +
                      list_of(names) + " FROM (SELECT DISTINCT ON (" + list_of(target_.keys) +
                      ") * FROM " + stage_ + " WHERE " + rows + " ORDER BY " +
                      list_of(target_.keys) + ", _patchbay_row DESC) s ORDER BY _patchbay_row";
    if (!has_index_) return sql;
    std::string changes;
    for (const auto& name : names) {
      if (std::find(target_.keys.begin(), target_.keys.end(), name) != target_.keys.end()) continue;
      changes += (changes.empty() ? "" : ", ") + quote_identifier(name) + " = excluded." +
                 quote_identifier(name);
    }
    return sql + " ON CONFLICT (" + list_of(target_.keys) + ") DO " +
           (changes.empty() ? "NOTHING" : "UPDATE SET " + changes);
  }

  int64_t refuse(Call& call, size_t number, const std::string& reason) {
    const auto row =
        connection().run(call, "SELECT to_jsonb(s) - '_patchbay_row' FROM " + stage_ +
                                   " s WHERE _patchbay_row = " + std::to_string(number));
    if (row.rows() == 0) return 0;
    call.reject_record({stream_->name, "constraint", reason, ""}, row.text(0, 0));
    return 1;
  }

  const TableTarget target_;
  const std::string stage_;
  const bool has_index_;
};

// A unique index on exactly these columns, whole and checked at once.
bool has_unique_index(Call& call, Connection& connection, const TableTarget& target) {
  std::string names;
  for (const auto& key : target.keys)
    names += (names.empty() ? "" : ", ") + postgres::quote_literal(key);
  return connection
             .run(call,
                  "SELECT count(*) FROM pg_index i WHERE i.indrelid = " +
                      postgres::quote_literal(target.relation) +
                      "::regclass AND i.indisunique AND i.indimmediate AND i.indisvalid"
                      " AND i.indpred IS NULL AND i.indexprs IS NULL AND"
                      " (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a"
                      "  WHERE a.attrelid = i.indrelid AND a.attnum = ANY "
                      "(i.indkey[0:i.indnkeyatts - 1]))"
                      " = (SELECT array_agg(k ORDER BY k) FROM unnest(ARRAY[" +
                      names + "]::text[]) k)")
             .integer(0, 0) > 0;
}

}  // namespace

std::unique_ptr<Writer> make_writer(Call& call, EpochSession& session, SchemaPtr stream,
                                    TableTarget target) {
  Connection& connection = *session.connection;
  const std::string number = std::to_string(++session.writers);
  if (target.write == "replace") {
    BesideTable beside = make_beside(call, connection, target.relation, session.txn, number);
    return std::make_unique<ReplaceWriter>(session, std::move(stream), std::move(target),
                                           std::move(beside));
  }
  if (target.write == "upsert") {
    const std::string stage = "pg_temp._patchbay_stage_" + number;
    connection.run(call, "CREATE TEMPORARY TABLE _patchbay_stage_" + number +
                             " ON COMMIT DROP AS SELECT " + list_of(names_of(target.pairs)) +
                             " FROM " + target.relation + " WITH NO DATA");
    connection.run(call, "ALTER TABLE " + stage +
                             " ADD COLUMN _patchbay_row bigint GENERATED ALWAYS AS IDENTITY");
    const bool has_index = has_unique_index(call, connection, target);
    return std::make_unique<UpsertWriter>(session, std::move(stream), std::move(target), stage,
                                          has_index);
  }
  const std::string relation = target.relation;
  return std::make_unique<CopyWriter>(session, std::move(stream), relation,
                                      std::move(target.pairs));
}

}  // namespace patchbay
