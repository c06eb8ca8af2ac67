// SQL engines through their ADBC driver, a shared library:
// https://arrow.apache.org/adbc/current/format/specification.html, revision 1.1.
//
//   adbc::Database database(adbc::load_driver(path, "duckdb_adbc_init"), {{"threads", "2"}});
//   adbc::Connection connection(database);
//   connection.append("purchases", std::move(batches), true);
//   for (adbc::Rows rows = connection.query("SELECT .."); auto array = rows.next();) use(*array);
//
// Everything throws Failure with the driver's own words, which may quote values of records: it is
// for the caller to say what may be repeated. Nothing runs before it is called for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "patchbay/batch.h"
#include "patchbay/call.h"
#include "patchbay/error.h"

struct AdbcConnection;
struct AdbcDatabase;
struct AdbcDriver;
struct ArrowArrayStream;

namespace patchbay::adbc {

class Failure : public Error {
 public:
  // `executing`: the statement was understood and failed over its data.
  Failure(const std::string& text, bool executing)
      : Error(Code::kRemote, text), executing_(executing) {}
  bool executing() const { return executing_; }

 private:
  bool executing_;
};

// Loads once and for good: a driver is never unloaded. Throws kConfig where the file can't be
// loaded or has no such entry point. Any thread.
std::shared_ptr<const AdbcDriver> load_driver(const std::string& path, const std::string& entry);

class Database {
 public:
  using Options = std::vector<std::pair<std::string, std::string>>;
  Database(std::shared_ptr<const AdbcDriver> driver, const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

 private:
  friend class Connection;
  std::shared_ptr<const AdbcDriver> driver_;
  std::unique_ptr<AdbcDatabase> database_;
};

// A query's rows as they are made. The connection runs nothing else meanwhile.
class Rows {
 public:
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  const ArrowSchema& schema() const { return *schema_; }
  std::optional<Array> next();  // nothing at the end

 private:
  friend class Connection;
  Rows(std::shared_ptr<const AdbcDriver> driver, std::unique_ptr<ArrowArrayStream> stream);
  std::shared_ptr<const AdbcDriver> driver_;
  std::unique_ptr<ArrowArrayStream> stream_;
  std::unique_ptr<ArrowSchema> schema_;
};

class Connection {
 public:
  explicit Connection(Database& database);  // the database outlives it
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Bulk ingestion in one statement: makes the table of the batches' schema, or adds to it. There
  // is at least one.
  void append(const std::string& table, std::vector<Batch> batches, bool create);
  // Of the rows that the query would give; nothing runs. The caller releases it.
  void schema_of(const std::string& sql, ArrowSchema* out);
  Rows query(const std::string& sql);
  void execute(const std::string& sql);  // drops the rows
  // What runs fails soon after. Any thread, at any time.
  void cancel();

 private:
  std::shared_ptr<const AdbcDriver> driver_;
  std::unique_ptr<AdbcConnection> connection_;
};

// While it lives, a cancelled call cancels what runs on the connection.
class CancelWatch {
 public:
  CancelWatch(const Call& call, Connection& connection);  // which outlives it
  ~CancelWatch();
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;

 private:
  void watch();

  Connection& connection_;
  int cancel_fd_;
  int stop_fd_;
  std::thread thread_;
};

}  // namespace patchbay::adbc
