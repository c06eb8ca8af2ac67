#include "pg_sink.h"

#include <algorithm>

#include "patchbay/json_value.h"
#include "pg_session.h"
#include "pg_writer.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using postgres::ServerError;

constexpr const char* kEpochs = "_patchbay_epochs";
constexpr const char* kKeepEpochs = "90 days";  // a run is finished, or repeated, long before

const PgColumn* find_column(const std::vector<PgColumn>& columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const PgColumn& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

// Where no binary form is known the value goes as text, and the server judges it.
bool has_text_form(const Type& type) {
  return type.id != TypeId::kList && type.id != TypeId::kStruct && type.id != TypeId::kBinary;
}

void require_fit(const std::string& table, const Field& field, const PgColumn& column) {
  if (column.generated)
    throw Error(Code::kSchema, field.name + ": the server computes this column of table " + table +
                                   "; drop the field with `fields`");
  if (find_encoder(field.type, column.type) || has_text_form(field.type)) return;
  throw Error(Code::kSchema, field.name + ": is " + type_name(field.type) + ", which column type " +
                                 column.sql_type + " of table " + table +
                                 " can't hold; cast the field with `fields`, or change the column");
}

// Makes what may be there already, or be made by another lane just now. IF NOT EXISTS asks for
// rights that a role need not have where the thing exists.
template <class Exists>
void make_once(Call& call, Connection& session, const std::string& sql, Exists&& exists) {
  if (exists()) return;
  try {
    session.run(call, sql);
  } catch (const ServerError&) {
    if (!exists()) throw;
  }
}

Json::Value step_of(const char* action, const std::string& table, const Field* field) {
  Json::Value step;
  step["action"] = action;
  step["table"] = table;
  if (field) {
    step["field"] = field->name;
    step["type"] = type_name(field->type);
  }
  return step;
}

}  // namespace

PostgresSink::PostgresSink(Context& context, const Config& config)
    : context_(context),
      place_(postgres::parse_place(config)),
      schema_(config.get<std::string>("schema")),
      write_(config.get<std::string>("write")),
      keys_(config.get_or<std::vector<std::string>>("keys", {})),
      create_(config.get<bool>("create")) {
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) tables_[stream] = tables[stream].asString();
  if (write_ == "upsert" && keys_.empty())
    config_error("keys", "missing, needed with write: upsert");
}

Connection& PostgresSink::connection(Call& call) {
  if (connection_ && connection_->idle()) return *connection_;
  connection_ = open_session(call, place_);
  // What the server forgets after a crash would be lost: the state that follows it is kept.
  connection_->run(call,
                   "SELECT set_config('synchronous_commit', 'on', false)"
                   "  WHERE current_setting('synchronous_commit') = 'off'");
  return *connection_;
}

std::string PostgresSink::table_of(const std::string& stream) const {
  const auto found = tables_.find(stream);
  return found == tables_.end() ? stream : found->second;
}

Relation PostgresSink::epochs() const { return {schema_, kEpochs}; }

void PostgresSink::check(Call& call) {
  const auto schema = connection(call).run(
      call, "SELECT has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace n WHERE n.nspname = $1",
      {schema_});
  if (schema.rows() == 0 && !create_)
    throw Error(Code::kNotFound, "schema " + schema_ + ": is not there, and create is false");
  if (schema.rows() > 0 && schema.text(0, 0) != "t" &&
      !relation_exists(call, connection(call), epochs()))
    throw Error(Code::kAuth, "schema " + schema_ +
                                 ": the user may create nothing in it; grant "
                                 "CREATE, for the table " +
                                 epochs().sql());
}

Json::Value PostgresSink::plan_schema(Call& call, const SchemaPtr& stream) {
  Json::Value steps(Json::arrayValue);
  const std::string table = table_of(stream->name);
  const Relation relation = relation_of(schema_, table);
  for (const auto& key : keys_) {
    if (stream->index_of(key) < 0)
      config_error("keys", "stream " + stream->name + " has no field " + key);
  }
  if (!relation_exists(call, connection(call), relation)) {
    if (!create_)
      throw Error(Code::kNotFound, "table " + table + ": is not there, and create is false");
    steps.append(step_of("create_table", table, nullptr));
    return steps;
  }
  const auto columns = columns_of_table(call, connection(call), relation.sql());
  for (const auto& field : stream->fields) {
    const PgColumn* column = find_column(columns, field.name);
    if (!column) {
      steps.append(step_of("add_column", table, &field));
    } else {
      require_fit(table, field, *column);
    }
  }
  return steps;
}

void PostgresSink::create_table(Call& call, const Schema& stream, const Relation& relation) {
  std::string columns;
  for (const auto& field : stream.fields) {
    columns += (columns.empty() ? "" : ", ") + quote_identifier(field.name) + " " +
               declared_type(field.type);
  }
  if (write_ == "upsert") {
    std::string keys;
    for (const auto& key : keys_) keys += (keys.empty() ? "" : ", ") + quote_identifier(key);
    columns += ", PRIMARY KEY (" + keys + ")";
  }
  Connection& session = connection(call);
  const auto has_schema = [&] {
    return session.run(call, "SELECT FROM pg_namespace WHERE nspname = $1", {relation.schema})
               .rows() > 0;
  };
  make_once(call, session, "CREATE SCHEMA " + quote_identifier(relation.schema), has_schema);
  make_once(call, session, "CREATE TABLE " + relation.sql() + " (" + columns + ")",
            [&] { return relation_exists(call, session, relation); });
}

void PostgresSink::apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& steps) {
  const Relation relation = relation_of(schema_, table_of(stream->name));
  for (const auto& step : steps) {
    if (!step.get("apply", true).asBool()) continue;
    call.durable_step("postgres.schema");
    if (step["action"].asString() == "create_table") {
      create_table(call, *stream, relation);
    } else {
      connection(call).run(call, "ALTER TABLE " + relation.sql() + " ADD COLUMN IF NOT EXISTS " +
                                     quote_identifier(step["field"].asString()) + " " +
                                     declared_type(parse_type(step["type"].asString())));
    }
  }
}

void PostgresSink::require_epochs(Call& call) {
  if (has_epochs_) return;
  Connection& session = connection(call);
  make_once(call, session,
            "CREATE TABLE " + epochs().sql() +
                " (txn text PRIMARY KEY, epoch bigint, at timestamptz NOT NULL DEFAULT now())",
            [&] { return relation_exists(call, session, epochs()); });
  session.run(
      call, "DELETE FROM " + epochs().sql() + " WHERE at < now() - interval '" + kKeepEpochs + "'");
}

EpochSession& PostgresSink::session(Call& call, const std::string& txn) {
  if (session_ && session_->txn == txn) return *session_;
  require_epochs(call);
  connection(call);
  std::shared_ptr<EpochSession> fresh(new EpochSession{context_, txn, std::move(connection_)});
  // Constraints are judged where the row is still at hand.
  fresh->connection->run(call, "BEGIN; SET CONSTRAINTS ALL IMMEDIATE");
  fresh->connection->run(call, "INSERT INTO " + epochs().sql() + " (txn) VALUES ($1)", {txn});
  fresh->started =
      fresh->connection
          ->run(call,
                "SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")
          .text(0, 0);
  session_ = std::move(fresh);
  return *session_;
}

std::unique_ptr<Writer> PostgresSink::open(Call& call, const SchemaPtr& stream,
                                           const std::string& txn) {
  EpochSession& epoch = session(call, txn);
  const Relation relation = relation_of(schema_, table_of(stream->name));
  const auto columns = columns_of_table(call, epoch.at_rest(call), relation.sql());
  TableTarget target{relation, write_, keys_, {}};
  for (size_t i = 0; i < stream->fields.size(); ++i) {
    if (const PgColumn* column = find_column(columns, stream->fields[i].name))
      target.pairs.push_back({i, *column});
  }
  return make_writer(call, session_, stream, std::move(target));
}

void PostgresSink::commit(Call& call, const std::string& txn, uint64_t epoch,
                          std::span<const std::string> tokens) {
  call.durable_step("postgres.commit.before");
  if (!commit_open(call, txn, epoch) &&
      !was_committed(call, txn, tokens.empty() ? Json::Value() : parse_json(tokens[0])))
    throw Error(Code::kNotFound, "postgres: the session that held the prepared rows has ended");
  call.durable_step("postgres.commit.after");
}

// False where the transaction is not this process's, or its end is not known: the answer to COMMIT
// was lost.
bool PostgresSink::commit_open(Call& call, const std::string& txn, uint64_t epoch) {
  if (!session_ || session_->txn != txn) return false;
  auto open = std::move(session_->connection);
  session_.reset();
  try {
    open->run(call, "UPDATE " + epochs().sql() + " SET epoch = $2::bigint WHERE txn = $1",
              {txn, std::to_string(epoch)});
    if (open->run(call, "COMMIT").tag() != "COMMIT") return false;
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    return false;
  }
  connection_ = std::move(open);
  return true;
}

// A session that lost its client may still be at work on the COMMIT: it is ended, then its record
// is there or will never be. Inserting the same record waits for it.
bool PostgresSink::was_committed(Call& call, const std::string& txn, const Json::Value& token) {
  require_epochs(call);
  const auto session = open_session(call, place_);
  if (token.isObject()) {
    session->run(call,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE pid = $1::int AND backend_start::text = $2 AND usename = current_user",
                 {std::to_string(token["process"].asInt()), token["started"].asString()});
  }
  session->run(call, "BEGIN; SET LOCAL lock_timeout = '30s'");
  return session
             ->run(call,
                   "INSERT INTO " + epochs().sql() + " (txn) VALUES ($1) ON CONFLICT DO NOTHING",
                   {txn})
             .affected() == 0;
}

void PostgresSink::abort(Call&, std::span<const std::string> txns) {
  // Of other processes' transactions nothing is left: they ended with their sessions.
  if (!session_ || std::find(txns.begin(), txns.end(), session_->txn) == txns.end()) return;
  session_->connection.reset();
  session_.reset();
}

}  // namespace patchbay
