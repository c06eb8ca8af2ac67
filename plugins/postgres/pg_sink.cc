#include "pg_sink.h"

#include <algorithm>
#include <optional>

#include "patchbay/json_value.h"
#include "pg_lock.h"
#include "pg_writer.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using postgres::ServerError;
using tables::SchemaStep;
using Kind = tables::SchemaStep::Kind;

// Where no binary form is known the value goes as text, and the server judges it.
bool has_text_form(const Type& type) {
  return type.id != TypeId::kList && type.id != TypeId::kStruct && type.id != TypeId::kBinary;
}

// One table has one name here, however the option spells it.
tables::TableOptions with_one_spelling(tables::TableOptions options, const std::string& schema) {
  for (auto& [stream, table] : options.tables) table = relation_of(schema, table).spelled(schema);
  return options;
}

constexpr const char* kUniqueViolation = "23505";

// The session that has prepared what the token is about.
void end_session(Call& call, Connection& connection, const std::string& text) {
  // A token of an older version is nothing but what is in `more` today.
  const Json::Value token = parse_json(text);
  const Json::Value& at = token.isMember("more") ? token["more"] : token;
  in_transaction(call, connection, kReadCommitted, [&] {
    connection.run(call,
                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE pid = $1::int AND pid <> pg_backend_pid() AND backend_start::text = $2"
                   " AND usename = current_user",
                   {std::to_string(at["process"].asInt()), at["started"].asString()});
  });
}

// Another has noted the same transaction just now.
bool is_in_the_book(const ServerError& error) {
  return error.fields().sqlstate == kUniqueViolation &&
         error.fields().table == tables::EpochBook::kTable;
}

std::vector<tables::TableToken> parse_tokens(std::span<const std::string> texts) {
  std::vector<tables::TableToken> out;
  for (const auto& text : texts) {
    // One of an older version kept nothing.
    const bool is_old = !parse_json(text).isMember("more");
    out.push_back(is_old ? tables::TableToken{} : tables::TableToken::parse(text));
  }
  return out;
}

}  // namespace

PostgresSink::PostgresSink(Context& context, const Config& config)
    : context_(context),
      place_(postgres::parse_place(config)),
      schema_(config.get<std::string>("schema")),
      options_(with_one_spelling(tables::parse_table_options(config, kPgNames), schema_)),
      book_({config.get_or<std::string>("epochs_schema", schema_), tables::EpochBook::kTable}),
      kept_(std::make_shared<const PgKept>(place_, book_)) {
  require_name(schema_);
}

Connection& PostgresSink::connection(Call& call) {
  if (connection_ && connection_->idle()) return *connection_;
  connection_ = open_session(call, place_);
  const bool standby =
      connection_->run(call, "SELECT pg_catalog.pg_is_in_recovery()").text(0, 0) == "t";
  if (standby) {
    connection_.reset();
    throw Error(Code::kConfig,
                "postgres: the server is a standby, which takes no rows; name its primary in "
                "connection, or add target_session_attrs=read-write");
  }
  return *connection_;
}

template <class Work>
auto PostgresSink::repeatable(Call& call, Work&& work) {
  for (uint32_t attempt = 1;; ++attempt) {
    try {
      return work(connection(call));
    } catch (const Error& error) {
      connection_.reset();
      if (!may_try_again(call, attempt, error)) throw;
    }
  }
}

// A stream that no option gives a table has one of its own name, whatever characters it holds.
Relation PostgresSink::relation_of_stream(const std::string& stream) const {
  const auto found = options_.tables.find(stream);
  if (found != options_.tables.end()) return relation_of(schema_, found->second);
  require_name(stream);
  return {schema_, stream};
}

std::string PostgresSink::shown(const std::string& stream) const {
  return relation_of_stream(stream).spelled(schema_);
}

std::optional<PgTable> PostgresSink::table_of_stream(Call& call, Connection& connection,
                                                     const std::string& stream) const {
  return find_table(call, connection, relation_of_stream(stream), shown(stream));
}

void PostgresSink::check(Call& call) {
  Connection& open = connection(call);
  in_transaction(call, open, kReadOnly, [&] {
    const auto schema = open.run(
        call,
        "SELECT has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace n WHERE n.nspname = $1",
        {schema_});
    if (schema.rows() == 0 && !options_.create)
      throw Error(Code::kNotFound, "schema " + schema_ + ": is not there, and create is false");
    const bool may = schema.rows() == 0 || schema.text(0, 0) == "t";
    if (!may && book_.table().schema == schema_ && !book_.exists(call, open))
      throw Error(Code::kAuth, "schema " + schema_ +
                                   ": the user may create nothing in it; grant "
                                   "CREATE, for the table " +
                                   book_.table().sql());
  });
}

Json::Value PostgresSink::plan_schema(Call& call, const SchemaPtr& stream) {
  // What the epoch at hand has changed only its own session sees.
  const bool own = session_ && session_->connection && session_->connection->working();
  Connection& open = own ? session_->at_rest(call) : connection(call);
  bool filled = false;
  const auto look = [&] {
    auto found = table_of_stream(call, open, stream->name);
    filled = found && options_.write == tables::WriteMode::kAppend &&
             has_rows(call, context_, open, *found);
    return found;
  };
  const auto table = own ? look() : in_transaction(call, open, kReadOnly, look);
  const tables::Misfit misfit = [&](const Field& field,
                                    const tables::Column& column) -> std::optional<std::string> {
    const PgColumn& to = *table->find(column.name);
    const bool exact = find_encoder(field.type, to.type) != nullptr;
    if (exact || (!options_.recreate && has_text_form(field.type))) return std::nullopt;
    return "is " + type_name(field.type) + ", which column type " + column.type + " of table " +
           table->shown + " can't hold";
  };
  auto columns = table ? std::optional(table->plain_columns()) : std::nullopt;
  auto steps =
      tables::plan_table(options_, kPgNames, *stream, columns, "schema " + schema_, misfit);
  for (auto& step : steps) step.table = shown(stream->name);
  return filled ? tables::with_rows(to_json(steps), shown(stream->name)) : to_json(steps);
}

void PostgresSink::create_table(Call& call, Connection& connection, const Schema& stream,
                                const Relation& relation) const {
  std::string columns;
  for (const auto& field : stream.fields) {
    columns += (columns.empty() ? "" : ", ") + quote_identifier(field.name) + " " +
               declared_type(field.type);
  }
  if (options_.has_keys()) columns += ", PRIMARY KEY (" + list_of(options_.keys) + ")";
  require_schema(call, connection, relation.schema);
  connection.run(call, "CREATE TABLE " + relation.sql() + " (" + columns + ")");
}

void PostgresSink::apply(Call& call, Connection& connection, const Schema& stream,
                         const SchemaStep& step) const {
  const Relation relation = relation_of_stream(stream.name);
  const auto table = find_table(call, connection, relation, shown(stream.name));
  if (step.kind == Kind::kCreateTable && !table) create_table(call, connection, stream, relation);
  if (step.kind != Kind::kAddColumn || !table || table->find(step.field)) return;
  lock_table(call, context_, connection, relation.sql(), "ACCESS EXCLUSIVE");
  const std::string change =
      " ADD COLUMN IF NOT EXISTS " + quote_identifier(step.field) + " " + declared_type(step.type);
  connection.run(call, "ALTER TABLE " + relation.sql() + change);
  if (!has_session(call.epoch().txn)) return;
  const EpochTable* in_epoch = session_->find(*table);
  if (in_epoch && in_epoch->beside)
    connection.run(call, "ALTER TABLE " + in_epoch->beside->relation.sql() + change);
}

// In the epoch's own session where it has begun: another one would wait for it.
void PostgresSink::apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& json) {
  const auto steps = tables::steps_from_json(json);
  declined_.note(stream->name, steps);
  for (const auto& step : steps) {
    if (!step.apply || step.kind == Kind::kRecreateTable) continue;
    call.durable_step("postgres.schema");
    if (has_session(call.epoch().txn)) {
      apply(call, session_->at_rest(call), *stream, step);
      continue;
    }
    Connection& open = connection(call);
    const auto once = [&] {
      in_transaction(call, open, kReadCommitted, [&] { apply(call, open, *stream, step); });
    };
    try {
      once();
    } catch (const ServerError& error) {
      if (!is_made_by_another(error)) throw;
      once();
    }
  }
}

void PostgresSink::require_book(Call& call) {
  if (has_book_) return;
  repeatable(call, [&](Connection& open) { book_.require(call, open); });
  has_book_ = true;
}

EpochSession& PostgresSink::session(Call& call, const std::string& txn) {
  if (has_session(txn)) return *session_;
  session_.reset();
  require_book(call);
  connection(call);
  std::shared_ptr<EpochSession> fresh(new EpochSession{context_, txn, std::move(connection_)});
  Connection& open = *fresh->connection;
  open.begin(call, kReadCommitted);
  // Throws for one that was aborted.
  book_.on(call, open).is_committed(txn);
  if (call.epoch().durable && options_.write == tables::WriteMode::kAppend) {
    kept_->check(call, open);
    fresh->kept = kept_;
  }
  // Constraints are judged where the row is still at hand; foreign keys that are to be judged at
  // the end, when their table is.
  open.run(call, "SET CONSTRAINTS ALL IMMEDIATE");
  fresh->started =
      open.run(call,
               "SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")
          .text(0, 0);
  session_ = std::move(fresh);
  return *session_;
}

WriterPlan PostgresSink::plan_writer(const SchemaPtr& stream, const PgTable& table) const {
  WriterPlan plan{stream, tables::token_of(options_, stream->name), {}, &options_};
  plan.token.table = table.shown;
  plan.token.keys = options_.has_keys() ? options_.keys : std::vector<std::string>();
  if (plan.token.recreate) {
    for (size_t i = 0; i < stream->fields.size(); ++i) {
      plan.token.columns.push_back(stream->fields[i].name);
      plan.token.types.push_back(stream->fields[i].type);
      plan.pairs.push_back({i, {}});
    }
    return plan;
  }
  for (const auto& pair :
       tables::match_columns(kPgNames, *stream, table.shown, table.plain_columns(), declined_)) {
    const PgColumn& column = table.columns[pair.column];
    plan.token.columns.push_back(column.name);
    plan.pairs.push_back({pair.field, column});
  }
  return plan;
}

std::unique_ptr<Writer> PostgresSink::open(Call& call, const SchemaPtr& stream,
                                           const std::string& txn) {
  EpochSession& epoch = session(call, txn);
  Connection& open = epoch.at_rest(call);
  auto table = table_of_stream(call, open, stream->name);
  if (!table) {
    throw Error(Code::kSchema,
                "table " + shown(stream->name) + ": is gone since the run looked; run again");
  }
  if (options_.owns_table())
    call.claim("postgresql://" + open.place_name() + "#" + table->relation.sql());
  WriterPlan plan = plan_writer(stream, *table);
  auto known = std::find_if(epoch.tables.begin(), epoch.tables.end(),
                            [&](const auto& one) { return one->table.oid == table->oid; });
  if (known == epoch.tables.end()) {
    epoch.tables.push_back(
        std::make_shared<EpochTable>(EpochTable{std::move(*table), options_.write}));
    known = std::prev(epoch.tables.end());
  } else {
    (*known)->table = std::move(*table);
  }
  (*known)->keys_of(plan.token.keys);
  return make_writer(call, session_, *known, std::move(plan));
}

void PostgresSink::commit(Call& call, const std::string& txn, uint64_t epoch,
                          std::span<const std::string> tokens) {
  call.durable_step("postgres.commit.before");
  if (!commit_open(call, txn, epoch, parse_tokens(tokens)) &&
      !commit_kept(call, txn, epoch, tokens) && fence(call, txn, tokens) != Outcome::kCommitted)
    throw Error(Code::kNotFound, "postgres: the session that held the prepared rows has ended");
  call.durable_step("postgres.commit.after");
}

// False where the transaction is not this process's, or its end is not known: the answer to COMMIT
// was lost, or another process has its name.
bool PostgresSink::commit_open(Call& call, const std::string& txn, uint64_t epoch,
                               std::span<const tables::TableToken> tokens) {
  if (!has_session(txn)) return false;
  const auto ended = std::exchange(session_, nullptr);
  try {
    Connection& open = ended->at_rest(call);
    for (const auto& table : ended->tables) table->judge(call, open);
    for (const auto& table : ended->tables) table->finish(call, context_, open);
    PgKept::drop(call, open, tokens);
    if (open.run(call, book_.commit_sql(call.epoch(), txn, epoch)).tag() != "COMMIT") return false;
  } catch (const ServerError& error) {
    if (error.code() != Code::kUnavailable && !is_in_the_book(error)) throw;
    return false;
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    return false;
  }
  connection_ = std::move(ended->connection);
  return true;
}

// The session that had the rows in its transaction is gone, or is ended: what it kept is moved.
// False where it kept none, or they are gone as well.
bool PostgresSink::commit_kept(Call& call, const std::string& txn, uint64_t epoch,
                               std::span<const std::string> texts) {
  const auto tokens = parse_tokens(texts);
  const bool kept = std::any_of(tokens.begin(), tokens.end(),
                                [](const auto& token) { return !token.stage.empty(); });
  if (!kept) return false;
  require_book(call);
  return repeatable(call, [&](Connection& open) {
    end_session(call, open, texts[0]);
    try {
      return in_transaction(call, open, kReadCommitted, [&] {
        if (book_.on(call, open).is_committed(txn)) return true;
        if (!PgKept::are_there(call, open, tokens)) return false;
        // Waits for whoever is just committing it.
        open.run(call, "SET LOCAL lock_timeout = '30s'");
        book_.on(call, open).note_commit(call.epoch(), txn, epoch);
        open.run(call, "SET LOCAL lock_timeout = DEFAULT");
        for (const auto& token : tokens)
          PgKept::move(call, context_, open, token, relation_of(schema_, token.table));
        PgKept::drop(call, open, tokens);
        return true;
      });
    } catch (const ServerError& error) {
      if (!is_in_the_book(error)) throw;
      return noted(call, txn) == Outcome::kCommitted;  // just now
    }
  });
}

Outcome PostgresSink::noted(Call& call, const std::string& txn) {
  require_book(call);
  return repeatable(call, [&](Connection& open) {
    return in_transaction(call, open, kReadOnly, [&] { return book_.on(call, open).find(txn); });
  });
}

// A session that lost its client may still be at work on its COMMIT: it is ended, then its note is
// there or never will be. Noting the same transaction waits for it.
Outcome PostgresSink::fence(Call& call, const std::string& txn,
                            std::span<const std::string> tokens) {
  const Outcome known = noted(call, txn);
  if (known != Outcome::kUnknown) return known;
  return repeatable(call, [&](Connection& open) {
    if (!tokens.empty()) end_session(call, open, tokens[0]);
    try {
      return in_transaction(call, open, kReadCommitted, [&] {
        open.run(call, "SET LOCAL lock_timeout = '30s'");
        const auto book = book_.on(call, open);
        book.fence(call.epoch(), txn);
        PgKept::lock(call, open, txn);
        const Outcome found = book.find(txn);
        if (found == Outcome::kGone) kept_->drop_all(call, open, txn);
        return found;
      });
    } catch (const ServerError& error) {
      if (error.fields().sqlstate != kUniqueViolation) throw;
      return noted(call, txn);  // just now
    }
  });
}

void PostgresSink::abort(Call& call, std::span<const std::string> txns) {
  for (const auto& txn : txns) {
    if (has_session(txn)) {
      session_->connection.reset();
      session_.reset();
    }
    fence(call, txn, {});
  }
}

Outcome PostgresSink::outcome(Call& call, const std::string& txn,
                              std::span<const std::string> tokens) {
  require_book(call);
  Connection& open = connection(call);
  const Outcome known =
      in_transaction(call, open, kReadOnly, [&] { return book_.on(call, open).find(txn); });
  if (known != Outcome::kUnknown) return known;
  if (has_session(txn)) return Outcome::kPrepared;
  const auto parsed = parse_tokens(tokens);
  const bool kept =
      in_transaction(call, open, kReadOnly, [&] { return PgKept::are_there(call, open, parsed); });
  return kept ? Outcome::kPrepared : fence(call, txn, tokens);
}

uint64_t PostgresSink::newest(Call& call) {
  return repeatable(call, [&](Connection& open) {
    return in_transaction(call, open, kReadOnly, [&]() -> uint64_t {
      const bool is_there = book_.is_current(call, open);
      return is_there ? book_.on(call, open).newest(call.epoch().scope) : 0;
    });
  });
}

}  // namespace patchbay
