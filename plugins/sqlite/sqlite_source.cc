#include "sqlite_source.h"

#include <algorithm>

#include "patchbay/sqlite_wait.h"
#include "sqlite_table.h"

namespace patchbay {

SqliteSource::SqliteSource(Context& context, const Config& config)
    : context_(context),
      path_(config.get<std::string>("path")),
      query_(config.find<std::string>("query")),
      cursor_(config.find<std::string>("cursor")),
      waits_(config.get_or<std::string>("last_value", "read") == "wait") {
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) tables_[stream] = tables[stream].asString();
  if (waits_ && !cursor_) config_error("last_value", "wait needs a cursor");
}

Database SqliteSource::connect() const {
  return Database(path_, OpenMode::kReadOnly,
                  {"", "; the option path must name a SQLite database that may be read"});
}

void SqliteSource::check(Call& call) {
  Database database = connect();
  const CallWait wait(database, call, context_);
  for (const auto& extract : extracts(database)) database.compile("SELECT * FROM " + extract.from);
}

std::vector<SqliteExtract> SqliteSource::extracts(Database& database) const {
  if (query_) return {{"query", "(" + *query_ + ")", std::nullopt, waits_}};
  std::vector<SqliteExtract> out;
  for (const auto& [stream, table] : tables_)
    out.push_back({stream, quote_identifier(table), table, waits_});
  if (!out.empty()) return out;
  auto tables = database.compile(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE "
      "'\\' AND name NOT LIKE '\\_patchbay%' ESCAPE '\\' ORDER BY name");
  while (tables.step())
    out.push_back({tables.text(0), quote_identifier(tables.text(0)), tables.text(0), waits_});
  return out;
}

std::vector<Schema> SqliteSource::discover(Call& call) {
  Database database = connect();
  const CallWait wait(database, call, context_);
  std::vector<Schema> out;
  for (const auto& extract : extracts(database)) {
    auto rows = database.compile("SELECT * FROM " + extract.from);
    const bool has_row = rows.step();
    out.push_back(result_schema(extract.stream, rows, has_row));
  }
  return out;
}

// What a state is a state of; the database's path is known from the manifest.
Json::Value SqliteSource::identity_of(Database& database, const SqliteExtract& extract) const {
  Json::Value out;
  out[extract.table ? "table" : "query"] = extract.table ? *extract.table : *query_;
  if (!cursor_) return out;
  out["cursor"] = *cursor_;
  auto rows = database.compile("SELECT * FROM " + extract.from);
  for (int i = 0; i < rows.columns(); ++i) {
    if (tables::same_column(kSqliteNames, rows.name(i), *cursor_))
      out["type"] = rows.declared_type(i);
  }
  return out;
}

std::vector<Split> SqliteSource::plan(Call& call, const std::vector<std::string>& wanted,
                                      uint32_t) {
  Database database = connect();
  const CallWait wait(database, call, context_);
  std::vector<Split> splits;
  for (const auto& extract : extracts(database)) {
    const std::string& stream = extract.stream;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), stream) == wanted.end())
      continue;
    Split split{stream, stream, false, Json::objectValue, cursor_.has_value()};
    split.detail["from"] = extract.from;
    if (extract.table) split.detail["table"] = *extract.table;
    split.complete = !waits_;
    split.identity = identity_of(database, extract);
    splits.push_back(std::move(split));
  }
  return splits;
}

std::unique_ptr<Reader> SqliteSource::open(Call& call, const Split& split,
                                           const Json::Value& state) {
  SqliteExtract extract{split.stream, split.detail["from"].asString(), std::nullopt, waits_};
  if (split.detail["table"].isString()) extract.table = split.detail["table"].asString();
  return make_sqlite_reader(call, context_, path_, extract, cursor_, state);
}

}  // namespace patchbay
