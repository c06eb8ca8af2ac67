// SQLite with its errors as exceptions.
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "patchbay/error.h"

namespace patchbay::host {

class Database;

// A statement while it runs. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement(Database& database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, int64_t value);
  Statement& bind_blob(int parameter, std::string_view bytes);
  Statement& bind_null(int parameter);
  bool step();  // is there a row
  void run() { step(); }

  std::string text(int column) const;
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  Database& database_;
  sqlite3_stmt* statement_;
};

// One connection, one thread at a time. Throws Error: kUnavailable where the disk is full or the
// file busy, kConfig where the file is damaged or can't be opened; both name the file and say what
// to do.
class Database {
 public:
  explicit Database(std::string file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql);
  Statement prepare(const char* sql);  // kept for its next use
  int64_t last_rowid() const { return sqlite3_last_insert_rowid(handle_); }
  [[noreturn]] void fail(int code) const;

 private:
  std::string file_;
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

}  // namespace patchbay::host
