#include "pg_reader.h"

#include <algorithm>
#include <utility>

#include "copy_decode.h"
#include "patchbay/json_value.h"
#include "pg_lock.h"
#include "pg_session.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using postgres::quote_literal;
using postgres::ServerError;

constexpr size_t kBatchBytes = 512 << 10;

bool is_table(Call& call, Connection& connection, const std::string& relation) {
  const auto count = connection.run(
      call, "SELECT count(*) FROM pg_class WHERE oid = $1::regclass AND relkind IN ('r', 'p', 'm')",
      {relation});
  return count.integer(0, 0) == 1;
}

// What to do about it is no matter of privileges alone.
[[noreturn]] void throw_hidden(const ServerError& error) {
  const std::string said = error.what();
  if (said.find("row-level security") == std::string::npos) throw error;
  throw Error(error.code(), said +
                                "; some rows are hidden from this role: give it BYPASSRLS, or set "
                                "row_security: apply to read those that it may see");
}

// As the server prints it: a cast would add /32 to an address that stands without.
std::string text_of(const PgColumn& column, const std::string& prefix) {
  constexpr uint32_t kInet = 869;
  const std::string name = prefix + quote_identifier(column.name);
  return (column.type.oid == kInet ? "pg_catalog.inet_out(" + name + ")" : name) +
         "::pg_catalog.text";
}

class PostgresReader final : public Reader {
 public:
  PostgresReader(Call& call, Context& context, std::unique_ptr<Connection> connection,
                 Extract extract, std::optional<CursorRead> cursor)
      : context_(context),
        connection_(std::move(connection)),
        extract_(std::move(extract)),
        cursor_(std::move(cursor)) {
    begin(call);
    columns_ =
        columns_to_read(call, *connection_, extract_.from, extract_.query, extract_.numeric_text);
    if (cursor_) begin_cursor(call);
    // Text is then as it is stored, and judged row by row.
    if (connection_->any_bytes()) connection_->run(call, "SET client_encoding = 'SQL_ASCII'");
    schema_ = std::make_shared<const Schema>(schema_of(extract_.stream, columns_));
  }

  Event next(Call& call) override {
    if (!decoder_) return start(call);
    BatchBuilder batch(schema_);
    decoder_->attach(batch);
    const int64_t most = call.max_rows();
    size_t bytes = 0;
    for (int64_t seen = 0; pending_ && seen < most && bytes < kBatchBytes; ++seen) {
      if (rest_wanted_ && seen > 0 && cursor_->may_rest(pending_same_, pending_late_)) break;
      bytes += pending_->size();
      take(call, batch);
    }
    if (batch.rows() == 0 && !pending_) return End{};
    return BatchEvent{0, batch.finish()};
  }

  Checkpoint checkpoint(Call&, Json::Value& state) override {
    if (!cursor_) return pending_ ? Checkpoint::kNotNow : Checkpoint::kUnchanged;
    rest_wanted_ = pending_ && !cursor_->may_rest(pending_same_, pending_late_);
    if (rest_wanted_) return Checkpoint::kNotNow;
    if (!cursor_->changed()) return Checkpoint::kUnchanged;
    state = cursor_->state();
    return Checkpoint::kState;
  }

 private:
  void begin(Call& call) {
    const std::string security = row_security(extract_.filtered);
    if (extract_.query) {
      // What it reads is locked once it is described; in this mode the snapshot comes after that.
      connection_->begin(call, kReadOnly, security);
      return;
    }
    std::vector<std::string> locked;
    if (extract_.may_lock) locked.push_back(extract_.relation);
    if (!extract_.snapshot.empty()) {
      try {
        connection_->begin(
            call, kSnapshot,
            security + "SET TRANSACTION SNAPSHOT " + quote_literal(extract_.snapshot) + "; ");
        return;
      } catch (const ServerError&) {
        if (!extract_.range.empty()) {
          throw Error(
              Code::kUnavailable,
              extract_.stream +
                  ": the snapshot that its partitions share has ended with the session that "
                  "planned the run; run it again, with partitions together or one");
        }
        context_.log(BAY_LOG_WARN, extract_.stream +
                                       ": read from a snapshot of its own, later than the other "
                                       "tables': the session that held theirs has ended");
        connection_->run(call, "ROLLBACK");
      }
    }
    begin_locked(call, context_, *connection_, locked, security);
  }

  void begin_cursor(Call& call) {
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [&](const PgColumn& c) { return c.name == cursor_->column(); });
    if (found == columns_.end())
      config_error("cursor", extract_.stream + " has no column " + cursor_->column());
    cursor_->set_column(*found, comparisons_of(call, *connection_, found->type.oid));
    const bool table = !extract_.query && is_table(call, *connection_, extract_.relation);
    cursor_->begin(call, *connection_, extract_.stream, table ? extract_.relation : "",
                   extract_.from);
    if (!table) return begin_known();
    if (const auto held = cursor_->held_back(call, *connection_, extract_.from))
      context_.log(BAY_LOG_WARN, extract_.stream + ": " + *held);
  }

  void begin_known() {
    std::vector<std::string> names;
    for (const auto& column : columns_) names.push_back(column.name);
    for (const auto& name : names) names_.push_back(tables::RowDigest::of_name(name));
    cursor_->set_columns(names);
  }

  // The rows of the last value, before all others.
  void look(Call& call) {
    connection_->begin_copy_out(call, "COPY (SELECT " + read_list(columns_) + " FROM " +
                                          extract_.from + " WHERE " + cursor_->last_rows() +
                                          ") TO STDOUT (FORMAT binary)");
    CopyDecoder decoder(schema_, columns_, 0, connection_->any_bytes());
    while (const auto piece = connection_->get(call)) {
      if (const auto row = decoder.row_of(*piece)) cursor_->look(decoder.digest(*row, names_));
    }
    cursor_->end_look();
  }

  Event start(Call& call) {
    if (extract_.query) connection_->run(call, postgres::kUsersPath);
    try {
      if (cursor_ && cursor_->needs_look()) look(call);
      connection_->begin_copy_out(call, "COPY (" + select() + ") TO STDOUT (FORMAT binary)");
    } catch (const ServerError& error) {
      throw_hidden(error);
    }
    decoder_ = std::make_unique<CopyDecoder>(schema_, columns_, cursor_ ? CursorRead::kFields : 0,
                                             connection_->any_bytes());
    advance(call);
    return StreamBegin{0, schema_};
  }

  std::string select() const {
    std::string list = read_list(columns_);
    if (cursor_) list += ", " + cursor_->fields();
    std::string where = extract_.range;
    if (cursor_) {
      const std::string more = cursor_->conditions(extract_.from);
      if (!more.empty()) where += (where.empty() ? "" : " AND ") + more;
    }
    return "SELECT " + list + " FROM " + extract_.from + (where.empty() ? "" : " WHERE " + where) +
           (cursor_ ? " ORDER BY " + quote_identifier(cursor_->column()) : "");
  }

  // Looks one row ahead, so that an epoch can end between two cursors.
  void advance(Call& call) {
    while (const auto piece = connection_->get(call)) {
      pending_ = decoder_->row_of(*piece);
      if (!pending_) continue;
      if (cursor_) {
        const auto extra = decoder_->extra_fields(*pending_);
        pending_late_ = extra[0] == "true";
        pending_cursor_ = extra[1];
        pending_same_ = cursor_->is_same(extra[2], extra[1]);
      }
      return;
    }
    pending_.reset();
    // Gives the locks back: the sink may want to change the table.
    if (!std::exchange(is_read_, true)) connection_->run(call, "COMMIT");
  }

  void take(Call& call, BatchBuilder& batch) {
    std::optional<std::string> refusal;
    if (cursor_) refusal = cursor_->refusal(pending_cursor_);
    bool is_new = true;
    if (cursor_ && !refusal) {
      const uint64_t digest =
          cursor_->needs_digests() ? decoder_->digest(*pending_, names_) : uint64_t{0};
      is_new = cursor_->take(*pending_cursor_, pending_late_, pending_same_, digest);
    }
    if (is_new && !refusal) refusal = decoder_->append(*pending_, batch);
    if (refusal) reject(call, *refusal);
    ++row_;
    advance(call);
  }

  void reject(Call& call, const std::string& why) {
    call.reject_record({extract_.stream, "type", why, "{\"row\":" + std::to_string(row_ + 1) + "}"},
                       write_json(decoder_->describe(*pending_)));
  }

  Context& context_;
  std::unique_ptr<Connection> connection_;
  const Extract extract_;
  std::optional<CursorRead> cursor_;
  std::vector<PgColumn> columns_;
  SchemaPtr schema_;
  std::unique_ptr<CopyDecoder> decoder_;
  std::optional<std::string_view> pending_;  // the next row, libpq's
  std::optional<std::string> pending_cursor_;
  bool pending_late_ = false, pending_same_ = false;
  std::vector<uint64_t> names_;  // of the columns, as digests take them
  bool rest_wanted_ = false;     // an epoch would have ended, but for rows that stay together
  bool is_read_ = false;
  int64_t row_ = 0;
};

// Of several tables the one that somebody holds, or the first.
std::string blocked(Call& call, Connection& connection, const std::vector<std::string>& relations) {
  for (const auto& relation : relations) {
    const auto held = connection.run(
        call,
        "SELECT FROM pg_locks WHERE granted AND relation = to_regclass($1) AND locktype ="
        " 'relation' AND mode = 'AccessExclusiveLock'",
        {relation});
    if (held.rows() > 0) return relation;
  }
  return relations[0];
}

// Any digits, or more than decimal128 has.
bool is_unbounded(const PgType& type) {
  return type.precision <= 0 || type.precision > 38 || type.scale < 0 ||
         type.scale > type.precision;
}

}  // namespace

Schema schema_of(const std::string& stream, const std::vector<PgColumn>& columns) {
  Schema schema{stream, {}, {}};
  for (const auto& column : columns)
    schema.fields.push_back({column.name, arrow_type(column.type), true});
  return schema;
}

std::string read_list(const std::vector<PgColumn>& columns, const std::string& prefix) {
  std::string list;
  for (const auto& column : columns) {
    const bool as_text = column.type.kind == PgKind::kOther;
    list += (list.empty() ? "" : ", ") +
            (as_text ? text_of(column, prefix) : prefix + quote_identifier(column.name));
  }
  return list;
}

void begin_locked(Call& call, Context& context, Connection& connection,
                  const std::vector<std::string>& relations, const std::string& first) {
  if (relations.empty()) return connection.begin(call, kSnapshot, first);
  LockWait wait(context, connection);
  for (;;) {
    std::string locks = wait.limit();
    for (const auto& relation : relations)
      locks += "LOCK TABLE " + relation + " IN ACCESS SHARE MODE; ";
    try {
      return connection.begin(call, kSnapshot, first + locks + wait.no_limit());
    } catch (const ServerError& refused) {
      connection.run(call, "ROLLBACK");
      connection.begin(call, kReadOnly);
      wait.again(call, connection, blocked(call, connection, relations), "ACCESS SHARE", refused);
      connection.run(call, "COMMIT");
    }
  }
}

std::vector<PgColumn> columns_to_read(Call& call, Connection& connection, const std::string& from,
                                      bool query, bool numeric_text) {
  std::vector<PgColumn> columns;
  try {
    columns = columns_of_query(call, connection, "SELECT * FROM " + from, query);
  } catch (const ServerError& error) {
    throw_hidden(error);
  }
  for (auto& column : columns) {
    const bool numeric =
        column.type.kind == PgKind::kNumeric || column.type.item == PgKind::kNumeric;
    if (numeric_text && numeric && is_unbounded(column.type)) column.type.kind = PgKind::kOther;
  }
  return columns;
}

std::unique_ptr<Reader> make_reader(Call& call, Context& context,
                                    std::unique_ptr<Connection> connection, Extract extract,
                                    std::optional<CursorRead> cursor) {
  return std::make_unique<PostgresReader>(call, context, std::move(connection), std::move(extract),
                                          std::move(cursor));
}

}  // namespace patchbay
