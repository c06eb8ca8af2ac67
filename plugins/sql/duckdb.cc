#include "duckdb.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "engine_error.h"
#include "patchbay/builder.h"

namespace patchbay {
namespace {

// A table's rows are put into it a row group at a time, what is less being copied twice; or sooner,
// the fullest table first, where all together hold so many bytes.
constexpr int64_t kHeldBytes = 8 << 20;
constexpr int64_t kHeldRows = 122'880;

// Beside the plugin, in a folder that no other program looks into: it is as new as this plugin
// wants it. Else the system's.
std::string library_path() {
  Dl_info info{};
  dladdr(reinterpret_cast<const void*>(&load_duckdb), &info);
  const std::filesystem::path plugin(info.dli_fname ? info.dli_fname : "");
  const auto own = plugin.parent_path().parent_path() / "duckdb/libduckdb.so";
  std::error_code ignored;
  return std::filesystem::exists(own, ignored) ? own.string() : "libduckdb.so";
}

adbc::Database::Options options_of(const DuckDbConfig& config, const std::string& spill) {
  const int64_t cores = std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, 8);
  return {{"memory_limit", config.memory_limit},
          {"threads", std::to_string(config.threads > 0 ? config.threads : cores)},
          {"temp_directory", spill},
          {"autoload_known_extensions", "false"},
          {"autoinstall_known_extensions", "false"},
          {"allow_community_extensions", "false"},
          {"allow_persistent_secrets", "false"}};
}

template <class Work>
auto engine(const std::string& subject, Work&& work) {
  try {
    return work();
  } catch (const adbc::Failure& failure) {
    throw_engine_error(failure, subject);
  }
}

std::string text_at(const ArrowArray& column, int64_t row) {
  const auto* offsets = static_cast<const int32_t*>(column.buffers[1]) + column.offset + row;
  return {static_cast<const char*>(column.buffers[2]) + offsets[0],
          static_cast<size_t>(offsets[1] - offsets[0])};
}

int64_t number_at(const ArrowArray& column, int64_t row) {
  return static_cast<const int64_t*>(column.buffers[1])[column.offset + row];
}

std::string quoted_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

struct OwnedSchema {
  ArrowSchema c{};
  ~OwnedSchema() {
    if (c.release) c.release(&c);
  }
};

}  // namespace

std::shared_ptr<const AdbcDriver> load_duckdb() {
  try {
    return adbc::load_driver(library_path(), "duckdb_adbc_init");
  } catch (const Error& error) {
    if (error.code() != Code::kConfig) throw;
    throw Error(Code::kConfig,
                "engine: DuckDB's library is missing or can't be loaded; install "
                "the package patchbay-plugin-sql: " +
                    std::string(error.what()));
  }
}

DuckDb::DuckDb(const DuckDbConfig& config)
    : spill_(config.spill_directory),
      database_(load_duckdb(), options_of(config, spill_.path())),
      connection_(database_) {
  engine("engine", [&] {
    connection_.execute("SET allowed_directories = [" + quoted_text(spill_.files() + "/") + "]");
    connection_.execute("SET enable_external_access = false");
    // As an option of the database it is shown, and not held.
    connection_.execute("SET max_temp_directory_size = '" + config.spill_limit + "'");
    connection_.execute("SET lock_configuration = true");
  });
}

size_t DuckDb::number_of(const std::string& node, const std::string& stream) {
  const auto known = std::find_if(tables_.begin(), tables_.end(), [&](const Table& table) {
    return table.node == node && table.stream == stream;
  });
  const auto number = static_cast<size_t>(known - tables_.begin());
  if (known == tables_.end()) tables_.push_back({node, stream, {}, {}, nullptr, {}, 0, 0, 0});
  return number;
}

size_t DuckDb::add_stream(const std::string& node, const Schema& schema) {
  const size_t number = number_of(node, schema.name);
  Table& table = tables_[number];
  if (!table.schema || table.schema->fields != schema.fields) add_part(table, schema);
  return number;
}

size_t DuckDb::add_file_stream(const std::string& node, const std::string& stream) {
  return number_of(node, stream);
}

void DuckDb::add_file(size_t number, const std::string& path, const std::string& key) {
  try {
    connection_.execute("DESCRIBE FROM read_parquet(" + quoted_text(path) +
                        ", hive_partitioning = false)");
  } catch (const adbc::Failure&) {
    throw Error(Code::kData, key +
                                 ": can't be read as Parquet: it is damaged, or a file of another "
                                 "kind, which a decoder before sql reads");
  }
  tables_.at(number).files.push_back({path, key});
}

void DuckDb::add_part(Table& table, const Schema& schema) {
  if (schema.fields.empty()) {
    throw Error(Code::kConfig, "stream " + schema.name + ": has no fields to make a table of");
  }
  insert_held(table);
  table.rows = 0;
  table.schema = std::make_shared<const Schema>(schema);
  table.parts.push_back("_patchbay_" + std::to_string(parts_++));
  std::vector<Batch> none;
  none.push_back(BatchBuilder(table.schema).finish());
  engine("stream " + schema.name,
         [&] { connection_.append(table.parts.back(), std::move(none), true); });
}

void DuckDb::append(size_t number, Batch batch) {
  Table& table = tables_.at(number);
  const int64_t bytes = batch.bytes();
  table.held_rows += batch.rows();
  table.held_bytes += bytes;
  held_bytes_ += bytes;
  table.held.push_back(std::move(batch));
  if (table.held_rows >= kHeldRows) return insert_held(table);
  if (held_bytes_ < kHeldBytes) return;
  insert_held(*std::max_element(tables_.begin(), tables_.end(), [](const Table& a, const Table& b) {
    return a.held_bytes < b.held_bytes;
  }));
}

// The engine keeps it to itself where rows that it took find no room: they are counted.
void DuckDb::insert_held(Table& table) {
  if (table.held.empty()) return;
  held_bytes_ -= std::exchange(table.held_bytes, 0);
  table.rows += std::exchange(table.held_rows, 0);
  engine("stream " + table.stream, [&] {
    connection_.append(table.parts.back(), std::exchange(table.held, {}), false);
    const auto count = connection_.query("SELECT count(*) FROM " + table.parts.back()).next();
    if (!count || number_at(*count->get().children[0], 0) != table.rows)
      throw adbc::Failure("Out of Memory Error", true);
  });
}

void DuckDb::define(const std::string& name, const Table& table) {
  std::string sql, files;
  for (const auto& part : table.parts)
    sql += (sql.empty() ? "" : " UNION ALL BY NAME ") + ("FROM " + part);
  for (const auto& file : table.files)
    files += (files.empty() ? "" : ", ") + quoted_text(file.path);
  if (!files.empty()) {
    sql += (sql.empty() ? "" : " UNION ALL BY NAME ") +
           ("FROM read_parquet([" + files + "], union_by_name = true, hive_partitioning = false)");
  }
  engine("stream " + table.stream,
         [&] { connection_.execute("CREATE VIEW " + name + " AS " + sql); });
}

void DuckDb::name_tables() {
  std::erase_if(tables_, [](const Table& table) {  // what would be files, of which none came
    return table.parts.empty() && table.files.empty();
  });
  for (auto& table : tables_) insert_held(table);
  for (const auto& table : tables_) {
    if (table.node.empty()) continue;
    engine("node " + table.node,
           [&] { connection_.execute("CREATE SCHEMA IF NOT EXISTS " + quoted_name(table.node)); });
    define(quoted_name(table.node) + "." + quoted_name(table.stream), table);
  }
  for (const auto& [name, place] : short_names(origins()))
    define("main." + quoted_name(name), tables_[place]);
}

std::string DuckDb::damaged_file() {
  for (const auto& table : tables_) {
    for (const auto& file : table.files) {
      try {
        connection_.execute("ROLLBACK");
      } catch (const adbc::Failure&) {  // nothing has begun
      }
      try {
        connection_.execute("SELECT max(hash(COLUMNS(*))) FROM read_parquet(" +
                            quoted_text(file.path) + ")");
      } catch (const adbc::Failure&) {
        return file.key;
      }
    }
  }
  return "";
}

std::vector<TableOrigin> DuckDb::origins() const {
  std::vector<TableOrigin> origins;
  for (const auto& table : tables_) origins.push_back({table.node, table.stream});
  return origins;
}

Result DuckDb::describe(const SqlQuery& query) {
  try {
    OwnedSchema schema;
    connection_.schema_of(query.sql, &schema.c);
    std::vector<ResultColumn> columns;
    adbc::Rows rows = connection_.query("DESCRIBE\n" + query.sql);
    while (const auto array = rows.next()) {
      for (int64_t row = 0; row < array->get().length; ++row) {
        columns.push_back(
            {text_at(*array->get().children[0], row), text_at(*array->get().children[1], row)});
      }
    }
    return result_of(query.origin, query.sql, schema.c, columns);
  } catch (const adbc::Failure& failure) {
    try {
      throw_query_error(failure, query.origin, query.sql, failure.executing() ? 1 : 0);
    } catch (const UnknownTable& unknown) {
      throw UnknownTable(unknown.what() + known_tables(origins(), unknown.name()), unknown.name());
    }
  }
}

void DuckDb::begin() {
  engine("engine", [&] { connection_.execute("BEGIN TRANSACTION"); });
}

adbc::Rows DuckDb::run(const SqlQuery& query, const Result& result) {
  try {
    return connection_.query(result.sql);
  } catch (const adbc::Failure& failure) {
    throw_query_error(failure, query.origin, query.sql, result.lines_before);
  }
}

}  // namespace patchbay
