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
      numeric_text_(config.get<std::string>("numeric") == "text"),
      waits_(config.get_or<std::string>("last_value", "read") == "wait"),
      filtered_(config.get_or<std::string>("row_security", "refuse") == "apply") {
  const Json::Value& tables = config.at("tables");
  for (const auto& stream : tables.getMemberNames()) tables_[stream] = tables[stream].asString();
}

void PostgresSource::check(Call& call) {
  with_session(call, place_, [&](const auto& connection) {
    connection->begin(call, kReadOnly, row_security(filtered_));
    for (const auto& [stream, from] : streams(call, *connection))
      columns_to_read(call, *connection, from.sql, query_.has_value(), numeric_text_);
    connection->run(call, "COMMIT");
  });
}

PostgresSource::Streams PostgresSource::streams(Call& call, Connection& connection) const {
  if (query_) return {{"query", {"(" + *query_ + "\n) _patchbay_query", "", false}}};
  Streams out;
  if (tables_.empty()) add_matches(call, connection, "*", out);
  for (const auto& [stream, table] : tables_) {
    if (is_pattern(table)) {
      add_matches(call, connection, table, out);
      continue;
    }
    const std::string relation = relation_of(schema_, table).sql();
    const auto may_lock = connection.run(
        call,
        "SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind IN ('r', 'p', 'v')"
        "  AND has_table_privilege(oid, 'SELECT')",
        {relation});
    out[stream] = {relation, relation, may_lock.rows() > 0};
  }
  return out;
}

// A table's own rows alone: those that inherit from it are streams themselves.
void PostgresSource::add_matches(Call& call, Connection& connection, const std::string& pattern,
                                 Streams& out) const {
  const Relation wanted = relation_of(schema_, pattern);
  const auto rows =
      connection.run(call,
                     "SELECT relname, relkind, has_table_privilege(oid, 'SELECT') FROM pg_class"
                     "  WHERE relnamespace = to_regnamespace(quote_ident($1))"
                     "  AND relkind IN ('r', 'p') AND NOT relispartition AND relname LIKE $2"
                     "  AND relname NOT LIKE '\\_patchbay%'",
                     {wanted.schema, like_pattern(wanted.table)});
  if (rows.rows() == 0 && !tables_.empty())
    throw Error(Code::kNotFound,
                "tables: nothing in schema " + wanted.schema + " is called " + wanted.table);
  for (int i = 0; i < rows.rows(); ++i) {
    const std::string relation = Relation{wanted.schema, rows.text(i, 0)}.sql();
    const std::string from = (rows.text(i, 1) == "r" ? "ONLY " : "") + relation;
    const auto [place, fresh] =
        out.emplace(rows.text(i, 0), From{from, relation, rows.text(i, 2) == "t"});
    if (!fresh && place->second.relation != relation)
      config_error("tables", "both " + place->second.relation + " and " + relation +
                                 " would be the stream " + rows.text(i, 0) +
                                 "; name one of them apart");
  }
}

std::vector<Schema> PostgresSource::discover(Call& call) {
  return with_session(call, place_, [&](const auto& connection) {
    connection->begin(call, kReadOnly, row_security(filtered_));
    std::vector<Schema> out;
    for (const auto& [stream, from] : streams(call, *connection)) {
      out.push_back(schema_of(
          stream, columns_to_read(call, *connection, from.sql, query_.has_value(), numeric_text_)));
      if (!query_) out.back().keys = primary_key(call, *connection, from.relation);
    }
    connection->run(call, "COMMIT");
    return out;
  });
}

// Ranges of pages, of the table or of each of its partitions; one where the server could only scan
// everything for each, or something foreign has no pages.
std::vector<std::string> PostgresSource::ranges_of(Call& call, Connection& connection,
                                                   const From& from) const {
  if (query_ || partitions_ == 1 || connection.server_version() < 140000) return {""};
  const auto rows = connection.run(
      call,
      "SELECT coalesce(bool_and(c.relkind = 'r'), false)::int,"
      "  coalesce(max(pg_relation_size(c.oid)), 0) / current_setting('block_size')::bigint"
      " FROM (SELECT $1::regclass::oid AS id WHERE (SELECT relkind FROM pg_class"
      "         WHERE oid = $1::regclass) <> 'p'"
      "       UNION SELECT relid FROM pg_partition_tree($1::regclass) WHERE isleaf"
      "       UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::regclass AND $2"
      "         AND NOT (SELECT relispartition FROM pg_class WHERE oid = inhrelid)) t"
      " JOIN pg_class c ON c.oid = t.id",
      {from.relation, from.sql == from.relation ? "t" : "f"});
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

Split PostgresSource::split_of(const std::string& stream, const From& from,
                               const std::string& range, size_t number, size_t of) const {
  const std::string part =
      of == 1 ? "" : "#" + std::to_string(number + 1) + "of" + std::to_string(of);
  Split split{stream + part, stream, false, Json::objectValue, cursor_.has_value()};
  split.detail["from"] = from.sql;
  split.detail["relation"] = from.relation;
  split.detail["may_lock"] = from.may_lock;
  split.detail["range"] = range;
  return split;
}

// Which tables there are is looked up first: the snapshot has to come after their locks.
std::vector<Split> PostgresSource::plan(Call& call, const std::vector<std::string>& wanted,
                                        uint32_t) {
  return with_session(call, place_, [&](std::unique_ptr<Connection>& connection) {
    connection->begin(call, kReadOnly);
    Streams found = streams(call, *connection);
    connection->run(call, "COMMIT");
    std::erase_if(found, [&](const auto& one) {
      return !wanted.empty() && std::find(wanted.begin(), wanted.end(), one.first) == wanted.end();
    });
    std::vector<std::string> locked;
    for (const auto& [stream, from] : found) {
      if (from.may_lock) locked.push_back(from.relation);
    }
    begin_locked(call, context_, *connection, locked, row_security(filtered_));
    std::vector<Split> splits;
    for (const auto& [stream, from] : found) {
      const auto ranges = ranges_of(call, *connection, from);
      for (size_t i = 0; i < ranges.size(); ++i)
        splits.push_back(split_of(stream, from, ranges[i], i, ranges.size()));
    }
    if (splits.size() < 2) return splits;
    const std::string snapshot = connection->run(call, "SELECT pg_export_snapshot()").text(0, 0);
    for (auto& split : splits) split.detail["snapshot"] = snapshot;
    snapshot_ = std::move(connection);
    return splits;
  });
}

std::unique_ptr<Reader> PostgresSource::open(Call& call, const Split& split,
                                             const Json::Value& state) {
  std::optional<CursorRead> cursor;
  if (cursor_) cursor.emplace(*cursor_, state, waits_);
  const Json::Value& at = split.detail;
  return make_reader(call, context_, open_session(call, place_),
                     {split.stream, at["from"].asString(), at["range"].asString(),
                      at["snapshot"].asString(), at["relation"].asString(), at["may_lock"].asBool(),
                      query_.has_value(), numeric_text_, filtered_},
                     std::move(cursor));
}

}  // namespace patchbay
