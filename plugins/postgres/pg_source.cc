#include "pg_source.h"

#include <algorithm>

#include "pg_reader.h"
#include "pg_session.h"

namespace patchbay {
namespace {

using postgres::Connection;

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

// * and ? as LIKE writes them; the rest stands for itself.
std::string like_pattern(const std::string& pattern) {
  std::string out;
  for (const char c : pattern) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c == '*' ? '%' : c == '?' ? '_' : c;
  }
  return out;
}

bool is_pattern(const std::string& table) { return table.find_first_of("*?") != std::string::npos; }

}  // namespace

PostgresSource::PostgresSource(Context& context, const Config& config)
    : context_(context),
      place_(postgres::parse_place(config)),
      schema_(config.get<std::string>("schema")),
      query_(config.find<std::string>("query")),
      cursor_(config.find<std::string>("cursor")),
      partitions_(config.get<int64_t>("partitions")),
      numeric_text_(config.get<std::string>("numeric") == "text") {
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) tables_[stream] = tables[stream].asString();
}

void PostgresSource::check(Call& call) {
  with_session(call, place_, [&](const auto& connection) {
    for (const auto& [stream, from] : streams(call, *connection))
      connection->describe(call, "SELECT * FROM " + from);
  });
}

std::map<std::string, std::string> PostgresSource::streams(Call& call,
                                                           Connection& connection) const {
  if (query_) return {{"query", "(" + *query_ + "\n) _patchbay_query"}};
  std::map<std::string, std::string> out;
  if (tables_.empty()) add_matches(call, connection, "*", out);
  for (const auto& [stream, table] : tables_) {
    if (is_pattern(table)) {
      add_matches(call, connection, table, out);
    } else {
      out[stream] = relation_of(schema_, table).sql();
    }
  }
  return out;
}

void PostgresSource::add_matches(Call& call, Connection& connection, const std::string& pattern,
                                 std::map<std::string, std::string>& out) const {
  const Relation wanted = relation_of(schema_, pattern);
  const auto rows = connection.run(
      call,
      "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident($1))"
      "  AND relkind IN ('r', 'p') AND NOT relispartition AND relname LIKE $2"
      "  AND relname NOT LIKE '\\_patchbay%'",
      {wanted.schema, like_pattern(wanted.table)});
  if (rows.rows() == 0 && !tables_.empty())
    throw Error(Code::kNotFound,
                "tables: nothing in schema " + wanted.schema + " is called " + wanted.table);
  for (int i = 0; i < rows.rows(); ++i) {
    const std::string from = Relation{wanted.schema, rows.text(i, 0)}.sql();
    const auto [place, fresh] = out.emplace(rows.text(i, 0), from);
    if (!fresh && place->second != from)
      config_error("tables", "both " + place->second + " and " + from + " would be the stream " +
                                 rows.text(i, 0) + "; name one of them apart");
  }
}

std::vector<Schema> PostgresSource::discover(Call& call) {
  return with_session(call, place_, [&](const auto& connection) {
    std::vector<Schema> out;
    for (const auto& [stream, from] : streams(call, *connection)) {
      out.push_back(schema_of(stream, columns_to_read(call, *connection, from, numeric_text_)));
      if (!query_) out.back().keys = primary_key(call, *connection, from);
    }
    return out;
  });
}

// Ranges of pages, of the table or of each of its partitions; one where the server could only scan
// everything for each, or something foreign has no pages.
std::vector<std::string> PostgresSource::ranges_of(Call& call, Connection& connection,
                                                   const std::string& from) const {
  if (partitions_ == 1 || connection.server_version() < 140000) return {""};
  const auto rows = connection.run(
      call,
      "SELECT coalesce(bool_and(c.relkind = 'r'), false)::int,"
      "  coalesce(max(pg_relation_size(c.oid)), 0) / current_setting('block_size')::bigint"
      " FROM (SELECT $1::regclass::oid AS id WHERE (SELECT relkind FROM pg_class"
      "         WHERE oid = $1::regclass) <> 'p'"
      "       UNION SELECT relid FROM pg_partition_tree($1::regclass) WHERE isleaf"
      "       UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::regclass"
      "         AND NOT (SELECT relispartition FROM pg_class WHERE oid = inhrelid)) t"
      " JOIN pg_class c ON c.oid = t.id",
      {from});
  const int64_t pages = rows.integer(0, 1);
  if (rows.integer(0, 0) == 0 || pages < partitions_) return {""};
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

Split PostgresSource::split_of(const std::string& stream, const std::string& from,
                               const std::string& range, size_t number, size_t of) const {
  const std::string part =
      of == 1 ? "" : "#" + std::to_string(number + 1) + "of" + std::to_string(of);
  Split split{stream + part, stream, false, Json::objectValue, cursor_.has_value()};
  split.detail["from"] = from;
  split.detail["range"] = range;
  return split;
}

std::vector<Split> PostgresSource::plan(Call& call, const std::vector<std::string>& wanted,
                                        uint32_t) {
  return with_session(call, place_, [&](std::unique_ptr<Connection>& connection) {
    connection->run(call, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    auto splits = splits_of(call, *connection, wanted);
    if (splits.size() < 2) return splits;
    const std::string snapshot = connection->run(call, "SELECT pg_export_snapshot()").text(0, 0);
    for (auto& split : splits) split.detail["snapshot"] = snapshot;
    snapshot_ = std::move(connection);
    return splits;
  });
}

std::vector<Split> PostgresSource::splits_of(Call& call, Connection& connection,
                                             const std::vector<std::string>& wanted) const {
  std::vector<Split> splits;
  for (const auto& [stream, from] : streams(call, connection)) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), stream) == wanted.end())
      continue;
    const auto ranges = query_ ? std::vector<std::string>{""} : ranges_of(call, connection, from);
    for (size_t i = 0; i < ranges.size(); ++i)
      splits.push_back(split_of(stream, from, ranges[i], i, ranges.size()));
  }
  return splits;
}

std::unique_ptr<Reader> PostgresSource::open(Call& call, const Split& split,
                                             const Json::Value& state) {
  std::optional<CursorRead> cursor;
  if (cursor_) cursor.emplace(*cursor_, state);
  return make_reader(
      call, context_, open_session(call, place_),
      {split.stream, split.detail["from"].asString(), split.detail["range"].asString(),
       split.detail["snapshot"].asString(), query_.has_value(), numeric_text_},
      std::move(cursor));
}

}  // namespace patchbay
