#include "sqlite_sink.h"

#include <algorithm>
#include <filesystem>

#include "patchbay/json_value.h"
#include "sqlite_values.h"

namespace patchbay {
namespace {

constexpr const char* kPrefix = "_patchbay_";

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + quote_identifier(name);
  return out;
}

std::string stage_name(const std::string& txn, uint64_t writer) {
  return kPrefix + txn + "_" + std::to_string(writer);
}

bool table_exists(Database& database, const std::string& table) {
  auto query =
      database.prepare("SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?");
  return query.bind(1, table).step();
}

std::vector<std::string> strings_of(const Json::Value& list) {
  std::vector<std::string> out;
  for (const auto& one : list) out.push_back(one.asString());
  return out;
}

// Has the table anything that may refuse a row? A word of its SQL that only looks like it costs
// time, and nothing else.
bool may_refuse(Database& database, const std::string& table) {
  auto query = database.prepare(
      "SELECT 1 FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND (type IN ('trigger', "
      "'view') OR sql IS NULL OR sql LIKE '%UNIQUE%' OR sql LIKE '%CHECK%' OR sql LIKE '%NULL%' OR "
      "sql LIKE '%KEY%' OR sql LIKE '%STRICT%' OR sql LIKE '%VIRTUAL%')");
  return query.bind(1, table).step();
}

void move_rows(Database& database, const Json::Value& token) {
  const std::string table = quote_identifier(token["table"].asString());
  const std::string stage = quote_identifier(token["stage"].asString());
  const auto columns = strings_of(token["columns"]), keys = strings_of(token["keys"]);
  const std::string write = token["write"].asString();
  std::string from = " SELECT " + list_of(columns) + " FROM " + stage;
  if (write == "replace") database.execute("DELETE FROM " + table);
  if (write == "upsert") {
    database.execute("CREATE INDEX IF NOT EXISTS " +
                     quote_identifier("_patchbay_keys_" + token["table"].asString()) + " ON " +
                     table + " (" + list_of(keys) + ")");
    std::string same;
    for (const auto& key : keys) {
      same += (same.empty() ? "" : " AND ") + table + "." + quote_identifier(key) + " IS s." +
              quote_identifier(key);
    }
    database.execute("DELETE FROM " + table + " WHERE EXISTS (SELECT 1 FROM " + stage +
                     " s WHERE " + same + ")");
    // Of several rows with one key the last one counts.
    from += " WHERE rowid IN (SELECT max(rowid) FROM " + stage + " GROUP BY " + list_of(keys) + ")";
  }
  database.execute("INSERT INTO " + table + " (" + list_of(columns) + ")" + from);
  database.execute("DROP TABLE " + stage);
}

// Writes into the stage batch by batch; prepare's last write makes all of them durable.
class StageWriter final : public Writer {
 public:
  StageWriter(Database& database, SchemaPtr stream, Json::Value token,
              std::vector<std::string> columns)
      : database_(database), stream_(std::move(stream)), token_(std::move(token)) {
    for (size_t i = 0; i < stream_->fields.size(); ++i) {
      const auto& name = stream_->fields[i].name;
      if (std::find(columns.begin(), columns.end(), name) != columns.end()) fields_.push_back(i);
    }
    create_stage();
  }

  void write(Call& call, Batch batch) override {
    std::vector<BindColumn> binders;
    for (const size_t i : fields_) {
      binders.push_back(bind_column(stream_->fields[i].type, *batch.array().children[i],
                                    batch.array().offset, batch.rows()));
    }
    Transaction transaction(database_);
    auto insert = database_.compile(insert_sql());
    for (int64_t row = 0; row < batch.rows(); ++row) {
      if ((row & 1023) == 0) call.throw_if_cancelled();
      for (size_t i = 0; i < binders.size(); ++i) binders[i](insert, static_cast<int>(i + 1), row);
      insert.run();
      insert.reset();
    }
    transaction.commit();
    rows_ += batch.rows();
  }

  Prepared prepare(Call& call) override {
    rehearse();
    call.durable_step("sqlite.prepared");
    return {write_json(token_), rows_};
  }

 private:
  // What the table would refuse fails the epoch now: once it is recorded, each run would try to
  // commit it again.
  void rehearse() {
    if (!may_refuse(database_, token_["table"].asString())) return;
    const Transaction undone(database_);
    move_rows(database_, token_);
  }

  void create_stage() {
    std::string columns;
    for (const size_t i : fields_) {
      const Field& field = stream_->fields[i];
      columns += (columns.empty() ? "" : ", ") + quote_identifier(field.name) + " " +
                 declared_type(field.type);
      token_["columns"].append(field.name);
    }
    database_.execute("CREATE TABLE " + quote_identifier(token_["stage"].asString()) + " (" +
                      columns + ")");
  }

  std::string insert_sql() const {
    std::string marks;
    for (size_t i = 0; i < fields_.size(); ++i) marks += i == 0 ? "?" : ", ?";
    return "INSERT INTO " + quote_identifier(token_["stage"].asString()) + " VALUES (" + marks +
           ")";
  }

  Database& database_;
  SchemaPtr stream_;
  Json::Value token_;
  std::vector<size_t> fields_;  // of the stream, that the table has
  int64_t rows_ = 0;
};

}  // namespace

SqliteSink::SqliteSink(Context&, const Config& config)
    : path_(config.get<std::string>("path")),
      write_(config.get<std::string>("write")),
      keys_(config.get_or<std::vector<std::string>>("keys", {})),
      create_(config.get<bool>("create")) {
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) tables_[stream] = tables[stream].asString();
  if (write_ == "upsert" && keys_.empty())
    config_error("keys", "missing, needed with write: upsert");
}

Database& SqliteSink::database() {
  if (database_) return *database_;
  database_ = std::make_unique<Database>(
      path_, create_ ? OpenMode::kCreate : OpenMode::kExisting,
      DatabaseAdvice{"", create_ ? "; the option path must name a file that may be written"
                                 : "; it must be there, or set create: true"});
  database_->execute(
      "CREATE TABLE IF NOT EXISTS _patchbay_epochs (txn TEXT PRIMARY KEY, epoch INTEGER NOT NULL, "
      "at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)");
  return *database_;
}

void SqliteSink::check(Call&) {
  if (!std::filesystem::exists(path_)) {
    const auto dir = std::filesystem::absolute(path_).parent_path();
    if (create_ && std::filesystem::is_directory(dir)) return;
    throw Error(Code::kNotFound,
                "path: " + path_ + " is not there" + (create_ ? ", nor its folder" : ""));
  }
  Database(path_, OpenMode::kExisting).compile("SELECT name FROM sqlite_master").step();
}

std::string SqliteSink::table_of(const std::string& stream) const {
  const auto found = tables_.find(stream);
  return found == tables_.end() ? stream : found->second;
}

std::vector<std::string> SqliteSink::columns_of(Database& database,
                                                const std::string& table) const {
  std::vector<std::string> columns;
  auto query = database.prepare("SELECT name FROM pragma_table_info(?)");
  query.bind(1, table);
  while (query.step()) columns.push_back(query.text(0));
  return columns;
}

Json::Value SqliteSink::plan_schema(Call&, const SchemaPtr& stream) {
  Json::Value steps(Json::arrayValue);
  const std::string table = table_of(stream->name);
  const auto add = [&](const char* action, const Field* field) {
    Json::Value step;
    step["action"] = action;
    step["table"] = table;
    if (field) {
      step["field"] = field->name;
      step["type"] = type_name(field->type);
    }
    steps.append(step);
  };
  for (const auto& key : keys_) {
    if (stream->index_of(key) < 0)
      config_error("keys", "stream " + stream->name + " has no field " + key);
  }
  const bool there = std::filesystem::exists(path_);
  std::unique_ptr<Database> database;
  // Not read-only: after a crash SQLite first has to roll back.
  if (there) database = std::make_unique<Database>(path_, OpenMode::kExisting);
  if (!there || !table_exists(*database, table)) {
    if (!create_)
      throw Error(Code::kNotFound,
                  "table " + table + ": is not in " + path_ + ", and create is false");
    add("create_table", nullptr);
    return steps;
  }
  const auto columns = columns_of(*database, table);
  for (const auto& field : stream->fields) {
    if (std::find(columns.begin(), columns.end(), field.name) == columns.end())
      add("add_column", &field);
  }
  return steps;
}

void SqliteSink::apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& steps) {
  const std::string table = table_of(stream->name);
  for (const auto& step : steps) {
    if (!step.get("apply", true).asBool()) continue;
    call.durable_step("sqlite.schema");
    if (step["action"].asString() == "create_table") {
      std::string columns;
      for (const auto& field : stream->fields) {
        columns += (columns.empty() ? "" : ", ") + quote_identifier(field.name) + " " +
                   declared_type(field.type);
      }
      database().execute("CREATE TABLE IF NOT EXISTS " + quote_identifier(table) + " (" + columns +
                         ")");
    } else {
      const auto columns = columns_of(database(), table);
      const std::string name = step["field"].asString();
      if (std::find(columns.begin(), columns.end(), name) != columns.end()) continue;
      database().execute("ALTER TABLE " + quote_identifier(table) + " ADD COLUMN " +
                         quote_identifier(name) + " " +
                         declared_type(parse_type(step["type"].asString())));
    }
  }
}

std::unique_ptr<Writer> SqliteSink::open(Call&, const SchemaPtr& stream, const std::string& txn) {
  const std::string table = table_of(stream->name);
  Json::Value token;
  token["stage"] = stage_name(txn, ++writers_);
  token["table"] = table;
  token["write"] = write_;
  token["keys"] = Json::arrayValue;
  for (const auto& key : keys_) token["keys"].append(key);
  token["columns"] = Json::arrayValue;
  return std::make_unique<StageWriter>(database(), stream, std::move(token),
                                       columns_of(database(), table));
}

void SqliteSink::commit(Call& call, const std::string& txn, uint64_t epoch,
                        std::span<const std::string> tokens) {
  call.durable_step("sqlite.commit.before");
  Transaction transaction(database());
  {
    auto done = database().prepare("SELECT 1 FROM _patchbay_epochs WHERE txn = ?");
    if (done.bind(1, txn).step()) return;
  }
  for (const auto& text : tokens) {
    const Json::Value token = parse_json(text);
    if (!table_exists(database(), token["stage"].asString())) {
      throw Error(Code::kNotFound, path_ + ": the prepared rows for table " +
                                       token["table"].asString() + " are gone");
    }
    move_rows(database(), token);
  }
  database()
      .prepare("INSERT INTO _patchbay_epochs (txn, epoch) VALUES (?, ?)")
      .bind(1, txn)
      .bind(2, static_cast<int64_t>(epoch))
      .run();
  database().execute("DELETE FROM _patchbay_epochs WHERE at < datetime('now', '-90 days')");
  transaction.commit();
  call.durable_step("sqlite.commit.after");
}

void SqliteSink::abort(Call&, std::span<const std::string> txns) {
  if (!std::filesystem::exists(path_)) return;
  for (const auto& txn : txns) {
    std::vector<std::string> stages;
    {
      auto query = database().prepare(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, ?) = ?");
      const std::string prefix = kPrefix + txn + "_";
      query.bind(1, static_cast<int64_t>(prefix.size())).bind(2, prefix);
      while (query.step()) stages.push_back(query.text(0));
    }
    for (const auto& stage : stages) database().execute("DROP TABLE " + quote_identifier(stage));
  }
}

}  // namespace patchbay
