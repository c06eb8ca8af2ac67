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

// One connection, one thread at a time. Throws Error, each naming the file: kUnavailable where the
// disk is full, a limit of this process is reached or the file is busy, kConfig where the file is
// damaged, can't be opened, or SQL does not parse, kData for a constraint.
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
  const std::string& file() const { return file_; }
  [[noreturn]] void fail(int code) const;

 private:
  std::string file_;
  DatabaseAdvice advice_;
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
