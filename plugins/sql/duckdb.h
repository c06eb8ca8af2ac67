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
  int64_t threads = 0;  // 0 = one per core, at most 8
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
  void name_tables();  // once all streams are in

  // Throws kConfig where the query does not fit the tables; UnknownTable, with those that there
  // are.
  Result describe(const SqlQuery& query);
  adbc::Rows run(const SqlQuery& query, const Result& result);
  void begin();  // one transaction, and so one now(), for all queries

  adbc::Connection& connection() { return connection_; }
  const SpillFolder& spill() const { return spill_; }

 private:
  struct Table {
    std::string node, stream;
    std::vector<std::string> parts;  // one per schema that the stream had
    SchemaPtr schema;                // of the last part
    std::vector<Batch> held;         // rows that wait to be worth a statement
    int64_t held_rows, held_bytes;
    int64_t rows;  // of the last part, without those that wait
  };
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
