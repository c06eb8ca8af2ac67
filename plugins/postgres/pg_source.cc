#include "pg_source.h"

#include <algorithm>

#include "copy_decode.h"
#include "patchbay/json_value.h"
#include "pg_session.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using postgres::quote_literal;
using postgres::ServerError;

constexpr int64_t kBatchBytes = 4 << 20;
constexpr const char* kCursorColumn = "_patchbay_cursor";

Schema schema_of(const std::string& stream, const std::vector<PgColumn>& columns) {
  Schema schema{stream, {}, {}};
  for (const auto& column : columns)
    schema.fields.push_back({column.name, arrow_type(column.type), true});
  return schema;
}

std::vector<std::string> primary_key(Call& call, Connection& connection,
                                     const std::string& relation) {
  const auto rows = connection.run(
      call,
      "SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, n)"
      "  JOIN pg_attribute a ON true WHERE i.indrelid = $1::regclass AND i.indisprimary"
      "  AND a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n",
      {relation});
  std::vector<std::string> keys;
  for (int i = 0; i < rows.rows(); ++i) keys.push_back(rows.text(i, 0));
  return keys;
}

bool is_table(Call& call, Connection& connection, const std::string& relation) {
  return connection
             .run(
                 call,
                 "SELECT count(*) FROM pg_class WHERE oid = $1::regclass AND relkind IN ('r', 'p')",
                 {relation})
             .integer(0, 0) == 1;
}

// What a reader needs, in the split.
struct Extract {
  std::string stream, from, range, snapshot;
  bool query = false;
};

// Rows of one COPY, in order of the cursor where there is one.
class PostgresReader final : public Reader {
 public:
  PostgresReader(Call& call, std::unique_ptr<Connection> connection, Extract extract,
                 std::optional<std::string> cursor, const Json::Value& state)
      : connection_(std::move(connection)),
        extract_(std::move(extract)),
        cursor_(std::move(cursor)) {
    if (cursor_ && state.isObject() && state["cursor"].isString())
      resumed_ = cursor_value_ = state["cursor"].asString();
    begin(call);
    columns_ = columns_of_query(call, *connection_, "SELECT * FROM " + extract_.from);
    has_xmin_ = !extract_.query && is_table(call, *connection_, extract_.from);
    const auto is_cursor = [&](const PgColumn& column) { return column.name == *cursor_; };
    if (cursor_ && std::none_of(columns_.begin(), columns_.end(), is_cursor))
      config_error("cursor", extract_.stream + " has no column " + *cursor_);
    schema_ = std::make_shared<const Schema>(schema_of(extract_.stream, columns_));
  }

  Event next(Call& call) override {
    if (!decoder_) return start(call);
    BatchBuilder batch(schema_);
    const int64_t most = call.max_rows();
    int64_t seen = 0;
    for (; pending_ && seen < most && batch.bytes() < kBatchBytes; ++seen) take(call, batch);
    if (batch.rows() == 0 && !pending_) return End{};
    return BatchEvent{0, batch.finish()};
  }

  // Rows with equal cursors stay together.
  Checkpoint checkpoint(Call&, Json::Value& state) override {
    if (!cursor_) return pending_ ? Checkpoint::kNotNow : Checkpoint::kUnchanged;
    if (pending_ && pending_cursor_ == cursor_value_) return Checkpoint::kNotNow;
    if (cursor_value_ == resumed_) return Checkpoint::kUnchanged;
    state["cursor"] = *cursor_value_;
    return Checkpoint::kState;
  }

 private:
  void begin(Call& call) {
    connection_->run(call, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (extract_.snapshot.empty()) return;
    try {
      connection_->run(call, "SET TRANSACTION SNAPSHOT " + quote_literal(extract_.snapshot));
    } catch (const ServerError& error) {
      if (extract_.range.empty()) {
        connection_->run(call, "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        return;
      }
      throw Error(Code::kUnavailable,
                  extract_.stream +
                      ": the snapshot that its partitions share has ended with the run that "
                      "planned it; run them together, or with partitions: 1");
    }
  }

  Event start(Call& call) {
    connection_->begin_copy_out(call, "COPY (" + select() + ") TO STDOUT (FORMAT binary)");
    decoder_ = std::make_unique<CopyDecoder>(schema_, columns_, cursor_ ? 1 : 0);
    advance(call);
    return StreamBegin{0, schema_};
  }

  std::string select() const {
    std::string list;
    for (const auto& column : columns_) {
      list += (list.empty() ? "" : ", ") + quote_identifier(column.name);
      if (column.type.kind == PgKind::kOther) list += "::text";
    }
    std::vector<std::string> conditions;
    if (!extract_.range.empty()) conditions.push_back(extract_.range);
    std::string order;
    if (cursor_) {
      const std::string name = quote_identifier(*cursor_);
      // Rows without a cursor are shown, and refused, each time: no run would ever find them.
      if (resumed_)
        conditions.push_back("(" + name + " > " + quote_literal(*resumed_) + " OR " + name +
                             " IS NULL)");
      // What runs now may commit a smaller cursor later: nothing beyond it is read yet.
      if (has_xmin_)
        conditions.push_back("age(xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)");
      order = " ORDER BY " + name;
      list += ", " + name + "::text AS " + kCursorColumn;
    }
    std::string where;
    for (const auto& condition : conditions)
      where += (where.empty() ? " WHERE " : " AND ") + condition;
    return "SELECT " + list + " FROM " + extract_.from + where + order;
  }

  // Looks one row ahead, so that an epoch can end between two cursors.
  void advance(Call& call) {
    while (const auto piece = connection_->get(call)) {
      const auto row = decoder_->row_of(*piece);
      if (!row) continue;
      pending_ = *row;
      if (cursor_) pending_cursor_ = decoder_->last_field(*row);
      return;
    }
    pending_.reset();
  }

  void take(Call& call, BatchBuilder& batch) {
    std::string why;
    if (cursor_ && !pending_cursor_) {
      why = *cursor_ + ": is null, and the cursor finds no such row again";
    } else {
      why = decoder_->append(*pending_, batch);
    }
    if (!why.empty()) reject(call, why);
    if (cursor_ && pending_cursor_) cursor_value_ = pending_cursor_;
    ++row_;
    advance(call);
  }

  void reject(Call& call, const std::string& why) {
    call.reject_record({extract_.stream, "type", why, "{\"row\":" + std::to_string(row_ + 1) + "}"},
                       write_json(decoder_->describe(*pending_)));
  }

  std::unique_ptr<Connection> connection_;
  const Extract extract_;
  const std::optional<std::string> cursor_;
  std::vector<PgColumn> columns_;
  bool has_xmin_ = false;  // rows know the transaction that wrote them
  SchemaPtr schema_;
  std::unique_ptr<CopyDecoder> decoder_;
  std::optional<std::string_view> pending_;  // the next row, libpq's
  std::optional<std::string> resumed_, cursor_value_, pending_cursor_;
  int64_t row_ = 0;
};

}  // namespace

PostgresSource::PostgresSource(Context&, const Config& config)
    : place_(postgres::parse_place(config)),
      schema_(config.get<std::string>("schema")),
      query_(config.find<std::string>("query")),
      cursor_(config.find<std::string>("cursor")),
      partitions_(config.get<int64_t>("partitions")) {
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) tables_[stream] = tables[stream].asString();
  if (query_ && !tables_.empty()) config_error("query", "stands beside tables; choose one");
  if (partitions_ > 1 && (query_ || cursor_))
    config_error("partitions", "a query, or rows in order of a cursor, come as one part");
}

void PostgresSource::check(Call& call) {
  const auto connection = open_session(call, place_);
  for (const auto& [stream, from] : streams(call, *connection))
    connection->describe(call, "SELECT * FROM " + from);
}

std::map<std::string, std::string> PostgresSource::streams(Call& call,
                                                           Connection& connection) const {
  if (query_) return {{"query", "(" + *query_ + "\n) _patchbay_query"}};
  std::map<std::string, std::string> out;
  for (const auto& [stream, table] : tables_) out[stream] = relation_of(schema_, table).sql();
  if (!out.empty()) return out;
  const auto rows = connection.run(
      call,
      "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident($1))"
      "  AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE '\\_patchbay%'",
      {schema_});
  for (int i = 0; i < rows.rows(); ++i)
    out[rows.text(i, 0)] = Relation{schema_, rows.text(i, 0)}.sql();
  return out;
}

std::vector<Schema> PostgresSource::discover(Call& call) {
  const auto connection = open_session(call, place_);
  std::vector<Schema> out;
  for (const auto& [stream, from] : streams(call, *connection)) {
    out.push_back(schema_of(stream, columns_of_query(call, *connection, "SELECT * FROM " + from)));
    if (!query_) out.back().keys = primary_key(call, *connection, from);
  }
  return out;
}

// A table's pages in as many ranges; one where the server could only scan all of it for each.
std::vector<std::string> PostgresSource::ranges_of(Call& call, Connection& connection,
                                                   const std::string& from) const {
  if (partitions_ == 1 || connection.server_version() < 140000) return {""};
  const auto rows =
      connection.run(call,
                     "SELECT relkind, pg_relation_size(oid) / current_setting('block_size')::bigint"
                     "  FROM pg_class WHERE oid = $1::regclass",
                     {from});
  const int64_t pages = rows.integer(0, 1);
  if (rows.text(0, 0) != "r" || pages < partitions_) return {""};
  std::vector<std::string> ranges;
  for (int64_t i = 0; i < partitions_; ++i) {
    const auto tid = [&](int64_t part) {
      return "'(" + std::to_string(pages * part / partitions_) + ",0)'::tid";
    };
    std::string range = "ctid >= " + tid(i);
    if (i + 1 < partitions_) range += " AND ctid < " + tid(i + 1);
    ranges.push_back(range);
  }
  return ranges;
}

std::vector<Split> PostgresSource::plan(Call& call, const std::vector<std::string>& wanted,
                                        uint32_t) {
  auto connection = open_session(call, place_);
  connection->run(call, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  std::vector<Split> splits;
  for (const auto& [stream, from] : streams(call, *connection)) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), stream) == wanted.end())
      continue;
    const auto ranges = query_ ? std::vector<std::string>{""} : ranges_of(call, *connection, from);
    for (size_t i = 0; i < ranges.size(); ++i) {
      std::string id = stream;
      if (ranges.size() > 1)
        id += "#" + std::to_string(i + 1) + "of" + std::to_string(ranges.size());
      Split split{id, stream, false, Json::objectValue};
      split.detail["from"] = from;
      split.detail["range"] = ranges[i];
      splits.push_back(std::move(split));
    }
  }
  if (splits.size() < 2) return splits;
  const std::string snapshot = connection->run(call, "SELECT pg_export_snapshot()").text(0, 0);
  for (auto& split : splits) split.detail["snapshot"] = snapshot;
  snapshot_ = std::move(connection);
  return splits;
}

std::unique_ptr<Reader> PostgresSource::open(Call& call, const Split& split,
                                             const Json::Value& state) {
  return std::make_unique<PostgresReader>(
      call, open_session(call, place_),
      Extract{split.stream, split.detail["from"].asString(), split.detail["range"].asString(),
              split.detail["snapshot"].asString(), query_.has_value()},
      cursor_, state);
}

}  // namespace patchbay
