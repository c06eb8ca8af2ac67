// SQLite with its errors as exceptions.
#pragma once

#include <sqlite3.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "patchbay/error.h"

namespace patchbay {

class Database;

// A statement while it runs. Parameters count from 1, columns from 0.
class Statement {
 public:
  // `owned` statements are finalized with this object, others only reset.
  Statement(Database& database, sqlite3_stmt* statement, bool owned)
      : database_(&database), statement_(statement), owned_(owned) {}
  Statement(Statement&& other) noexcept
      : database_(other.database_),
        statement_(std::exchange(other.statement_, nullptr)),
        owned_(other.owned_) {}
  ~Statement();
  Statement& operator=(Statement&&) = delete;

  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, int64_t value);
  Statement& bind(int parameter, double value);
  Statement& bind_blob(int parameter, std::string_view bytes);
  Statement& bind_null(int parameter);
  // A column of another statement's row, as it is stored.
  Statement& bind_value(int parameter, const Statement& row, int column);
  bool step();   // is there a row
  void reset();  // ready for the next parameters
  void run() { step(); }

  std::string text(int column) const;
  std::string_view bytes(int column) const;  // until the next step
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  int type(int column) const {
    return sqlite3_column_type(statement_, column);
  }  // SQLITE_INTEGER, ..
  bool is_null(int column) const { return type(column) == SQLITE_NULL; }
  int columns() const { return sqlite3_column_count(statement_); }
  std::string name(int column) const { return sqlite3_column_name(statement_, column); }
  std::string declared_type(int column) const;  // of a table's column; empty for an expression

 private:
  Statement& bound(int code);

  Database* database_;
  sqlite3_stmt* statement_;
  bool owned_;
};

// What to say besides what happened.
struct DatabaseAdvice {
  std::string damaged;
  std::string cannot_open;
};

enum class OpenMode { kCreate, kExisting, kReadOnly };

// What a connection does while it waits or works. See sqlite_wait.h for the one of plugins.
class DatabaseWait {
 public:
  virtual ~DatabaseWait() = default;
  // Another connection holds the lock. Called until the lock is free, `tries` from 0 for each wait;
  // pauses a little. False = give up.
  virtual bool wait(int tries) = 0;
  // Asked every few milliseconds of a statement's work. True = end it.
  virtual bool stopped() = 0;
};

// One connection, one thread at a time. Throws Error, each naming the file: kUnavailable where the
// disk is full, a limit of this process is reached or the file is busy, kConfig where the file is
// damaged, can't be opened, or SQL does not parse, kData for a constraint, kCancelled where its
// DatabaseWait has stopped it.
class Database {
 public:
  Database(std::string file, OpenMode mode, DatabaseAdvice advice = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql);
  void execute(const std::string& sql) { execute(sql.c_str()); }
  Statement prepare(const char* literal);  // a string literal: kept for its next use
  Statement compile(const std::string& sql);
  int64_t last_rowid() const { return sqlite3_last_insert_rowid(handle_); }
  int64_t changes() const { return sqlite3_changes64(handle_); }  // by the last statement
  // False also after SQLite has rolled back by itself.
  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  // By which a table's column compares text: BINARY, NOCASE. BINARY where there is no such column.
  std::string collation_of(const std::string& table, const std::string& column);
  // `wait` outlives the connection, or is taken back; null = waits of 10 s, as at first.
  void attend(DatabaseWait* wait);
  const std::string& file() const { return file_; }
  [[noreturn]] void fail(int code) const;

 private:
  std::string file_;
  DatabaseAdvice advice_;
  DatabaseWait* wait_ = nullptr;
  sqlite3* handle_ = nullptr;
  std::map<const char*, sqlite3_stmt*> statements_;  // by the literal's address
};

// BEGIN IMMEDIATE until commit(); rolls back otherwise.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
  }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

std::string quote_identifier(std::string_view name);

}  // namespace patchbay
