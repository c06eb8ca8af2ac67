#include "sqlite_sink.h"

#include <filesystem>
#include <system_error>

#include "patchbay/json_value.h"
#include "patchbay/sqlite_wait.h"
#include "sqlite_book.h"
#include "sqlite_fit.h"
#include "sqlite_move.h"
#include "sqlite_values.h"

namespace patchbay {
namespace {

namespace fs = std::filesystem;
using Kind = tables::SchemaStep::Kind;
using tables::TableToken;

std::optional<std::vector<tables::Column>> columns_of(const std::optional<SqliteTable>& table) {
  return table ? std::optional(table->columns) : std::nullopt;
}

// A view takes rows where a trigger does something with them; it has none of its own to change.
void require_writable(const tables::TableOptions& options,
                      const std::optional<SqliteTable>& table) {
  if (!table || !table->is_view || options.write == tables::WriteMode::kAppend) return;
  config_error("tables", table->name + " is a view, which write: " +
                             tables::name_of(options.write) + " can't change; name a table");
}

}  // namespace

class SqliteSink::Session {
 public:
  Session(SqliteSink& sink, Call& call)
      : database_(opened(sink)), wait_(database_, call, sink.parts_.context) {
    require_book(database_);
  }
  Database& database() { return database_; }
  tables::EpochBook book() { return book_of(database_); }

 private:
  static Database& opened(SqliteSink& sink) {
    const bool create = sink.parts_.options.create;
    auto& database = sink.parts_.database;
    if (!database) {
      database = std::make_unique<Database>(
          sink.path_, create ? OpenMode::kCreate : OpenMode::kExisting,
          DatabaseAdvice{"", create ? "; the option path must name a file that may be written"
                                    : "; it must be there, or set create: true"});
    }
    return *database;
  }

  Database& database_;
  CallWait wait_;
};

SqliteSink::SqliteSink(Context& context, const Config& config)
    : path_(config.get<std::string>("path")),
      parts_{context, tables::parse_table_options(config, kSqliteNames)},
      written_(path_) {}

bool SqliteSink::is_there() const {
  std::error_code error;
  const bool there = fs::exists(path_, error);
  if (error) config_error("path", path_ + ": " + error.message());
  return there;
}

void SqliteSink::check(Call& call) {
  const bool create = parts_.options.create;
  if (!is_there()) {
    std::error_code error;
    const auto folder = fs::absolute(path_, error).parent_path();
    if (create && fs::is_directory(folder, error)) return;
    throw Error(Code::kNotFound,
                "path: " + path_ + " is not there" + (create ? ", nor its folder" : ""));
  }
  Database database(path_, OpenMode::kExisting);
  const CallWait wait(database, call, parts_.context);
  database.compile("SELECT name FROM sqlite_master").step();
}

Json::Value SqliteSink::plan_schema(Call& call, const SchemaPtr& stream) {
  std::optional<SqliteTable> table;
  bool has_rows = false;
  if (is_there()) {
    // Not read-only: after a crash SQLite first has to roll back.
    Database database(path_, OpenMode::kExisting);
    const CallWait wait(database, call, parts_.context);
    table = find_table(database, parts_.options.table_of(stream->name));
    has_rows =
        table && parts_.options.write == tables::WriteMode::kAppend &&
        database.compile("SELECT 1 FROM " + quote_identifier(table->name) + " LIMIT 1").step();
  }
  require_writable(parts_.options, table);
  const tables::Misfit misfit = [&](const Field& field,
                                    const tables::Column& column) -> std::optional<std::string> {
    // Row by row otherwise: most texts in a column for numbers are numbers.
    if (!parts_.options.recreate || !may_change(affinity_of(column.type), field.type))
      return std::nullopt;
    return "is " + type_name(field.type) + ", which a column of type " + column.type +
           " may change";
  };
  Json::Value steps = to_json(
      tables::plan_table(parts_.options, kSqliteNames, *stream, columns_of(table), path_, misfit));
  return has_rows ? tables::with_rows(std::move(steps), table->name) : steps;
}

void SqliteSink::apply(Database& database, const Schema& stream,
                       const tables::SchemaStep& step) const {
  const std::string& name = parts_.options.table_of(stream.name);
  const auto table = find_table(database, name);
  if (step.kind == Kind::kCreateTable && !table) {
    std::string columns;
    for (const auto& field : stream.fields) {
      columns += (columns.empty() ? "" : ", ") + quote_identifier(field.name) + " " +
                 declared_type(field.type);
    }
    if (parts_.options.has_keys())
      columns += ", PRIMARY KEY (" + list_of(parts_.options.keys) + ")";
    database.execute("CREATE TABLE " + quote_identifier(name) + " (" + columns + ")");
  }
  if (step.kind == Kind::kAddColumn && table && !table->find(step.field)) {
    database.execute("ALTER TABLE " + quote_identifier(table->name) + " ADD COLUMN " +
                     quote_identifier(step.field) + " " + declared_type(step.type));
  }
}

void SqliteSink::apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& json) {
  const auto steps = tables::steps_from_json(json);
  declined_.note(stream->name, steps);
  if (steps.empty()) return;
  Session session(*this, call);
  for (const auto& step : steps) {
    if (!step.apply || step.kind == Kind::kRecreateTable) continue;
    call.durable_step("sqlite.schema");
    Transaction transaction(session.database());
    apply(session.database(), *stream, step);
    transaction.commit();
  }
}

// The columns of the stage: those of the table that the stream fills, or, for a table that may be
// made anew, all of the stream's.
void SqliteSink::plan_stage(Database& database, const Schema& stream, const SqliteTable& table,
                            TableToken& token, std::vector<StageColumn>& columns) const {
  if (token.recreate) {
    for (size_t i = 0; i < stream.fields.size(); ++i) {
      const Field& field = stream.fields[i];
      token.columns.push_back(field.name);
      token.types.push_back(field.type);
      columns.push_back({i, affinity_of(declared_type(field.type)), "BINARY"});
    }
  } else {
    for (const auto& pair :
         tables::match_columns(kSqliteNames, stream, table.name, table.columns, declined_)) {
      const std::string& name = table.columns[pair.column].name;
      token.columns.push_back(name);
      columns.push_back(
          {pair.field, table.affinities[pair.column], database.collation_of(table.name, name)});
    }
  }
  if (!parts_.options.has_keys()) return;
  for (const auto& key : parts_.options.keys) {
    const auto column = table.find(key);
    if (!column) {
      throw Error(Code::kSchema, key + ": table " + table.name +
                                     " has no such column, and it is one of the keys; add it, or "
                                     "set on_schema_change to evolve");
    }
    token.keys.push_back(table.columns[*column].name);
  }
}

std::unique_ptr<Writer> SqliteSink::open(Call& call, const SchemaPtr& stream,
                                         const std::string& txn) {
  Session session(*this, call);
  Database& database = session.database();
  TableToken token = tables::token_of(parts_.options, stream->name);
  const auto table = find_table(database, token.table);
  if (!table)
    throw Error(Code::kSchema,
                "table " + token.table + ": is gone since the run looked; run again");
  token.table = table->name;
  if (parts_.options.owns_table()) {
    std::error_code error;
    call.claim(fs::weakly_canonical(path_, error).string() + "#" + tables::folded(table->name));
  }
  token.stage = stage_name(txn, ++writers_);
  std::vector<StageColumn> columns;
  plan_stage(database, *stream, *table, token, columns);
  session.book().is_committed(txn);  // throws for one that was aborted
  return std::make_unique<SqliteStageWriter>(parts_, stream, txn, std::move(token),
                                             std::move(columns));
}

void SqliteSink::commit(Call& call, const std::string& txn, uint64_t epoch,
                        std::span<const std::string> tokens) {
  Session session(*this, call);
  Database& database = session.database();
  call.durable_step("sqlite.commit.before");
  Transaction transaction(database);
  if (session.book().is_committed(txn)) return;
  const auto groups = tables::parse_groups(kSqliteNames, tokens);
  for (const auto& group : groups) {
    for (const auto& token : group.tokens) {
      if (find_table(database, token.stage)) continue;
      throw Error(Code::kNotFound,
                  path_ + ": the prepared rows for table " + token.table + " are gone");
    }
  }
  for (const auto& group : groups) TableMove(database, group).judge();
  for (const auto& group : groups) {
    TableMove(database, group).run(call);
    for (const auto& token : group.tokens)
      database.execute("DROP TABLE " + quote_identifier(token.stage));
  }
  session.book().note_commit(call.epoch(), txn, epoch);
  transaction.commit();
  call.durable_step("sqlite.commit.after");
}

void SqliteSink::abort(Call& call, std::span<const std::string> txns) {
  if (!is_there()) return;
  Session session(*this, call);
  for (const auto& txn : txns) {
    Transaction transaction(session.database());
    for (const auto& stage : stages_of(session.database(), txn))
      session.database().execute("DROP TABLE " + quote_identifier(stage));
    session.book().fence(call.epoch(), txn);
    transaction.commit();
  }
}

Outcome SqliteSink::outcome(Call& call, const std::string& txn,
                            std::span<const std::string> tokens) {
  if (!is_there()) return Outcome::kGone;
  Session session(*this, call);
  Transaction transaction(session.database());
  const Outcome known = session.book().find(txn);
  if (known != Outcome::kUnknown) return known;
  bool all = !tokens.empty();
  for (const auto& text : tokens)
    all = all && find_table(session.database(), TableToken::parse(text).stage).has_value();
  if (all) return Outcome::kPrepared;
  session.book().fence(call.epoch(), txn);
  transaction.commit();
  return Outcome::kGone;
}

uint64_t SqliteSink::newest(Call& call) {
  if (!is_there()) return 0;
  Session session(*this, call);
  return session.book().newest(call.epoch().scope);
}

}  // namespace patchbay
