#include "sqlite_stage.h"

#include <algorithm>
#include <array>

#include "patchbay/sqlite_wait.h"
#include "sqlite_book.h"
#include "sqlite_move.h"
#include "sqlite_rehearsal.h"
#include "sqlite_values.h"

namespace patchbay {
namespace {

using tables::TableToken;

constexpr const char* kPrefix = "_patchbay_";

}  // namespace

std::string stage_name(const std::string& txn, uint64_t writer) {
  return kPrefix + txn + "_" + std::to_string(writer);
}

std::vector<std::string> stages_of(Database& database, const std::string& txn) {
  const std::string prefix = kPrefix + txn + "_";
  auto query = database.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, ?) = ?");
  query.bind(1, static_cast<int64_t>(prefix.size())).bind(2, prefix);
  std::vector<std::string> out;
  while (query.step()) {
    // Behind another transaction's name that begins alike comes more than a number.
    const std::string name = query.text(0), rest = name.substr(prefix.size());
    const bool is_number = !rest.empty() && rest.find_first_not_of("0123456789") == rest.npos;
    if (is_number) out.push_back(name);
  }
  return out;
}

SqliteStageWriter::SqliteStageWriter(SqliteParts& parts, SchemaPtr stream, std::string txn,
                                     TableToken token, std::vector<StageColumn> columns)
    : parts_(parts),
      stream_(std::move(stream)),
      txn_(std::move(txn)),
      token_(std::move(token)),
      columns_(std::move(columns)),
      null_keys_(stream_, kSqliteNames, token_.keys) {
  token_.more["row"] = free_row_name(token_.columns);
}

// With the first rows: a transaction of its own would cost four more syncs of the disk.
void SqliteStageWriter::require_stage(Database& database) {
  if (has_stage_) return;
  book_of(database).is_committed(txn_);  // throws for one that was aborted: nobody would drop it
  database.execute(create_sql());
}

// With the affinities and collations of the table: keys compare in the stage as they will there.
std::string SqliteStageWriter::create_sql() const {
  std::string out;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool known = columns_[i].collation == "NOCASE" || columns_[i].collation == "RTRIM";
    out += (i == 0 ? "" : ", ") + quote_identifier(token_.columns[i]) + " " +
           declaration_of(columns_[i].affinity) +
           (known ? " COLLATE " + columns_[i].collation : "");
  }
  return "CREATE TABLE " + quote_identifier(token_.stage) + " (" + out + ")";
}

std::string SqliteStageWriter::insert_sql() const {
  std::string marks;
  for (size_t i = 0; i < columns_.size(); ++i) marks += i == 0 ? "?" : ", ?";
  return "INSERT INTO " + quote_identifier(token_.stage) + " VALUES (" + marks + ")";
}

Batch SqliteStageWriter::without_misfits(Call& call, Batch batch) const {
  std::vector<std::pair<FitsColumn, size_t>> checks;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const size_t field = columns_[i].field;
    auto fits = fits_column(columns_[i].affinity, stream_->fields[field].type,
                            *batch.array().children[field], batch.array().offset, batch.rows());
    if (fits) checks.emplace_back(std::move(fits), i);
  }
  if (checks.empty()) return batch;
  std::vector<int64_t> good;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const auto bad = std::find_if(checks.begin(), checks.end(),
                                  [&](const auto& check) { return !check.first(row); });
    if (bad == checks.end()) {
      good.push_back(row);
      continue;
    }
    const StageColumn& column = columns_[bad->second];
    const Field& field = stream_->fields[column.field];
    call.reject({stream_->name, "type",
                 field.name + ": is " + type_name(field.type) +
                     " that a column with SQLite's affinity " + declaration_of(column.affinity) +
                     " would change; cast the field with `fields`, or change the column",
                 ""},
                batch.rows_at({row}));
  }
  return static_cast<int64_t>(good.size()) == batch.rows() ? std::move(batch) : batch.rows_at(good);
}

void SqliteStageWriter::write(Call& call, Batch batch) {
  Database& database = *parts_.database;
  const CallWait wait(database, call, parts_.context);
  batch = without_misfits(call, null_keys_.without(call, std::move(batch)));
  std::vector<BindColumn> binders;
  for (const auto& column : columns_) {
    binders.push_back(bind_column(stream_->fields[column.field].type,
                                  *batch.array().children[column.field], batch.array().offset,
                                  batch.rows()));
  }
  Transaction transaction(database);
  require_stage(database);
  auto insert = database.compile(insert_sql());
  for (int64_t row = 0; row < batch.rows(); ++row) {
    if ((row & 1023) == 0) call.throw_if_cancelled();
    for (size_t i = 0; i < binders.size(); ++i) binders[i](insert, static_cast<int>(i + 1), row);
    insert.run();
    insert.reset();
  }
  transaction.commit();
  has_stage_ = true;
  token_.rows += batch.rows();
}

// What the table would refuse is refused now: once the epoch is recorded, nothing but a passing
// fault may keep it from being committed.
Prepared SqliteStageWriter::prepare(Call& call) {
  Database& database = *parts_.database;
  const CallWait wait(database, call, parts_.context);
  const Epoch epoch = call.epoch();
  token_.complete = epoch.complete;
  if (!has_stage_) {
    Transaction transaction(database);
    require_stage(database);
    transaction.commit();
  }
  if (!token_.keys.empty()) {
    database.execute("CREATE INDEX " + quote_identifier(token_.stage + "_keys") + " ON " +
                     quote_identifier(token_.stage) + " (" + list_of(token_.keys) + ")");
  }
  const bool is_last = tables::is_last_of_table(parts_.options, kSqliteNames, stream_->name, epoch);
  const auto judge = [&] {
    const auto group = parts_.prepared.group_with(kSqliteNames, txn_, token_);
    TableMove(database, group).judge();
  };
  if (is_last) judge();
  // What a table that is made anew refuses depends on all of its columns.
  const bool rehearses = is_last || !token_.recreate;
  const int64_t refused =
      rehearses ? rehearse(call, database, parts_.prepared.of(txn_), token_, *stream_) : 0;
  token_.rows -= refused;
  token_.complete = token_.complete && refused == 0;  // what was refused is still in the source
  if (is_last && refused > 0) judge();
  parts_.prepared.add(txn_, token_);
  call.durable_step("sqlite.prepared");
  return {token_.text(), token_.rows};
}

}  // namespace patchbay
