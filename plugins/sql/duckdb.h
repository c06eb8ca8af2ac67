// DuckDB, embedded: what SQL runs on where it runs in this process. Tables come in, results go out;
// nothing else of the machine can be reached from a query.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "patchbay/adbc.h"
#include "query.h"
#include "result_type.h"
#include "spill_folder.h"
#include "table_names.h"

namespace patchbay {

struct DuckDbConfig {
  std::string memory_limit;
  std::string spill_directory;
  std::string spill_limit;
  int64_t threads = 0;         // 0 = one per core, at most 8
  bool parquet_files = false;  // streams of files are tables of their rows
};

// Throws kConfig where the library isn't there.
std::shared_ptr<const AdbcDriver> load_duckdb();

class DuckDb {
 public:
  explicit DuckDb(const DuckDbConfig& config);

  // Streams become tables: NODE.STREAM, and by their short names. Again with other fields: its rows
  // are the union, null where a part lacks the field.
  size_t add_stream(const std::string& node, const Schema& schema);  // the table's number
  void append(size_t table, Batch batch);
  // A stream of Parquet files, which the engine reads by itself, out of the spill folder.
  size_t add_file_stream(const std::string& node, const std::string& stream);
  // Throws kData, naming `key`, for what is no Parquet file.
  void add_file(size_t table, const std::string& path, const std::string& key);
  void name_tables();  // once all streams are in

  // The key of a file that can't be read to its end, after a query has failed; else empty.
  std::string damaged_file();

  // Throws kConfig where the query does not fit the tables; UnknownTable, with those that there
  // are.
  Result describe(const SqlQuery& query);
  adbc::Rows run(const SqlQuery& query, const Result& result);
  void begin();  // one transaction, and so one now(), for all queries

  adbc::Connection& connection() { return connection_; }
  const SpillFolder& spill() const { return spill_; }

 private:
  struct ParquetFile {
    std::string path, key;
  };
  struct Table {
    std::string node, stream;
    std::vector<std::string> parts;  // one per schema that the stream had
    std::vector<ParquetFile> files;
    SchemaPtr schema;         // of the last part
    std::vector<Batch> held;  // rows that wait to be worth a statement
    int64_t held_rows, held_bytes;
    int64_t rows;  // of the last part, without those that wait
  };
  size_t number_of(const std::string& node, const std::string& stream);
  void insert_held(Table& table);
  void add_part(Table& table, const Schema& schema);
  std::vector<TableOrigin> origins() const;
  void define(const std::string& name, const Table& table);

  const SpillFolder spill_;
  adbc::Database database_;
  adbc::Connection connection_;
  std::vector<Table> tables_;
  size_t parts_ = 0;
  int64_t held_bytes_ = 0;  // of all tables
};

}  // namespace patchbay
