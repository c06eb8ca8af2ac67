#include "sqlite_source.h"

#include <algorithm>

#include "sqlite_values.h"

namespace patchbay {
namespace {

constexpr int64_t kBatchBytes = 8 << 20;

// The types of expressions, which declare none, come from the first row.
Schema result_schema(const std::string& stream, const Statement& row, bool has_row) {
  Schema schema{stream, {}, {}};
  for (int i = 0; i < row.columns(); ++i) {
    Type type = type_of_declared(row.declared_type(i));
    if (row.declared_type(i).empty() && has_row) {
      const int stored = row.type(i);
      type = scalar(stored == SQLITE_INTEGER ? TypeId::kInt64
                    : stored == SQLITE_FLOAT ? TypeId::kFloat64
                    : stored == SQLITE_BLOB  ? TypeId::kBinary
                                             : TypeId::kUtf8);
    }
    schema.fields.push_back({row.name(i), type, true});
  }
  return schema;
}

class SqliteReader final : public Reader {
 public:
  SqliteReader(std::string path, std::string stream, const std::string& from,
               std::optional<std::string> cursor, const Json::Value& state)
      : database_(std::move(path), OpenMode::kReadOnly),
        stream_(std::move(stream)),
        cursor_(std::move(cursor)),
        rows_(database_.compile(select(from, state))) {
    if (cursor_ && state.isObject()) bind_cursor(state["cursor"]);
    has_row_ = rows_.step();
    schema_ = std::make_shared<const Schema>(result_schema(stream_, rows_, has_row_));
    if (cursor_ && schema_->index_of(*cursor_) < 0)
      config_error("cursor", stream_ + " has no column " + *cursor_);
  }

  Event next(Call& call) override {
    if (!announced_) {
      announced_ = true;
      return StreamBegin{0, schema_};
    }
    BatchBuilder batch(schema_);
    for (int64_t seen = 0; has_row_ && seen < call.max_rows() && batch.bytes() < kBatchBytes;
         ++seen) {
      take_row(call, batch);
      has_row_ = rows_.step();
    }
    if (batch.rows() == 0 && !has_row_) return End{};
    return BatchEvent{0, batch.finish()};
  }

  // Rows with equal cursors stay together.
  Checkpoint checkpoint(Call&, Json::Value& state) override {
    if (has_row_ && (!cursor_ || row_cursor() == last_cursor_)) return Checkpoint::kNotNow;
    if (!cursor_ || last_cursor_.isNull()) return Checkpoint::kUnchanged;
    state["cursor"] = last_cursor_;
    return Checkpoint::kState;
  }

 private:
  std::string select(const std::string& from, const Json::Value& state) const {
    std::string sql = "SELECT * FROM " + from;
    if (!cursor_) return sql;
    const std::string column = quote_identifier(*cursor_);
    if (state.isObject() && !state["cursor"].isNull())
      sql += " WHERE " + column + " > ? OR " + column + " IS NULL";
    return sql + " ORDER BY " + column;
  }

  void bind_cursor(const Json::Value& value) {
    if (value.isInt64()) rows_.bind(1, int64_t{value.asInt64()});
    if (value.isDouble() && !value.isInt64()) rows_.bind(1, value.asDouble());
    if (value.isString()) rows_.bind(1, std::string_view(value.asString()));
    last_cursor_ = value;
  }

  // Of the row that comes next. A BLOB is no cursor.
  Json::Value row_cursor() const {
    const int i = schema_->index_of(*cursor_);
    if (rows_.type(i) == SQLITE_INTEGER) return Json::Int64(rows_.integer(i));
    if (rows_.type(i) == SQLITE_FLOAT) return rows_.real(i);
    if (rows_.type(i) == SQLITE_TEXT) return std::string(rows_.text(i));
    return last_cursor_;
  }

  void take_row(Call& call, BatchBuilder& batch) {
    ++row_;
    // Each run would read it again, or none.
    if (cursor_ && rows_.is_null(schema_->index_of(*cursor_)))
      return reject(call, *cursor_ + ": is null, so a cursor can't pass the row");
    if (cursor_) last_cursor_ = row_cursor();
    const int64_t before = batch.rows();
    for (size_t i = 0; i < schema_->fields.size(); ++i) {
      const Field& field = schema_->fields[i];
      if (append_value(rows_, static_cast<int>(i), field.type, batch.column(i))) continue;
      batch.truncate(before);
      return reject(call,
                    field.name + ": expected " + type_name(field.type) + ", found another type");
    }
  }

  void reject(Call& call, const std::string& reason) {
    Json::Value record(Json::objectValue);
    for (int i = 0; i < rows_.columns(); ++i) {
      record[rows_.name(i)] = rows_.is_null(i) ? Json::Value() : Json::Value(rows_.text(i));
    }
    call.reject_record({stream_, "type", reason, "{\"row\":" + std::to_string(row_) + "}"},
                       record.toStyledString());
  }

  Database database_;
  const std::string stream_;
  const std::optional<std::string> cursor_;
  Statement rows_;
  SchemaPtr schema_;
  Json::Value last_cursor_;
  int64_t row_ = 0;
  bool has_row_ = false;
  bool announced_ = false;
};

}  // namespace

SqliteSource::SqliteSource(Context&, const Config& config)
    : path_(config.get<std::string>("path")),
      query_(config.find<std::string>("query")),
      cursor_(config.find<std::string>("cursor")) {
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) tables_[stream] = tables[stream].asString();
}

Database SqliteSource::connect() const {
  return Database(path_, OpenMode::kReadOnly,
                  {"", "; the option path must name a SQLite database that may be read"});
}

void SqliteSource::check(Call&) {
  Database database = connect();
  for (const auto& [stream, from] : streams(database)) database.compile("SELECT * FROM " + from);
}

std::map<std::string, std::string> SqliteSource::streams(Database& database) const {
  if (query_) return {{"query", "(" + *query_ + ")"}};
  std::map<std::string, std::string> out;
  for (const auto& [stream, table] : tables_) out[stream] = quote_identifier(table);
  if (!out.empty()) return out;
  auto tables = database.compile(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE "
      "'\\' "
      "AND name NOT LIKE '\\_patchbay%' ESCAPE '\\'");
  while (tables.step()) out[tables.text(0)] = quote_identifier(tables.text(0));
  return out;
}

std::vector<Schema> SqliteSource::discover(Call&) {
  Database database = connect();
  std::vector<Schema> out;
  for (const auto& [stream, from] : streams(database)) {
    auto rows = database.compile("SELECT * FROM " + from);
    const bool has_row = rows.step();
    out.push_back(result_schema(stream, rows, has_row));
  }
  return out;
}

std::vector<Split> SqliteSource::plan(Call&, const std::vector<std::string>& wanted, uint32_t) {
  Database database = connect();
  std::vector<Split> splits;
  for (const auto& [stream, from] : streams(database)) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), stream) == wanted.end())
      continue;
    Split split{stream, stream, false, Json::objectValue, cursor_.has_value()};
    split.detail["from"] = from;
    splits.push_back(std::move(split));
  }
  return splits;
}

std::unique_ptr<Reader> SqliteSource::open(Call&, const Split& split, const Json::Value& state) {
  return std::make_unique<SqliteReader>(path_, split.stream, split.detail["from"].asString(),
                                        cursor_, state);
}

}  // namespace patchbay
