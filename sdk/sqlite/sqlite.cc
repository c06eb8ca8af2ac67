#include "patchbay/sqlite.h"

#include <cerrno>

#include "patchbay/posix_error.h"

namespace patchbay {

Statement::~Statement() {
  if (!statement_) return;
  if (owned_) {
    sqlite3_finalize(statement_);
  } else {
    reset();
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

// A parameter that could not be bound would be NULL.
Statement& Statement::bound(int code) {
  if (code == SQLITE_TOOBIG) {
    throw Error(Code::kData,
                database_->file() + ": a value is larger than a SQLite value can be (1 GB)");
  }
  if (code != SQLITE_OK) database_->fail(code);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  // Nothing at no address would be NULL.
  return bound(sqlite3_bind_text64(statement_, parameter, text.data() ? text.data() : "",
                                   text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

Statement& Statement::bind(int parameter, int64_t value) {
  return bound(sqlite3_bind_int64(statement_, parameter, value));
}

Statement& Statement::bind(int parameter, double value) {
  return bound(sqlite3_bind_double(statement_, parameter, value));
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  return bound(sqlite3_bind_blob64(statement_, parameter, bytes.data() ? bytes.data() : "",
                                   bytes.size(), SQLITE_TRANSIENT));
}

Statement& Statement::bind_null(int parameter) {
  return bound(sqlite3_bind_null(statement_, parameter));
}

Statement& Statement::bind_value(int parameter, const Statement& row, int column) {
  return bound(
      sqlite3_bind_value(statement_, parameter, sqlite3_column_value(row.statement_, column)));
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->fail(code);
  return false;
}

std::string Statement::text(int column) const { return std::string(bytes(column)); }

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return data
             ? std::string_view(data, static_cast<size_t>(sqlite3_column_bytes(statement_, column)))
             : std::string_view();
}

std::string Statement::declared_type(int column) const {
  const char* type = sqlite3_column_decltype(statement_, column);
  return type ? type : "";
}

Database::Database(std::string file, OpenMode mode, DatabaseAdvice advice)
    : file_(std::move(file)), advice_(std::move(advice)) {
  const int access = mode == OpenMode::kReadOnly   ? SQLITE_OPEN_READONLY
                     : mode == OpenMode::kExisting ? SQLITE_OPEN_READWRITE
                                                   : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(file_.c_str(), &handle_, access | SQLITE_OPEN_NOMUTEX, nullptr);
  try {
    if (code != SQLITE_OK) fail(code);
    attend(nullptr);
    sqlite3_extended_result_codes(handle_, 1);
    execute("PRAGMA synchronous=FULL");
  } catch (const Error&) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Database::~Database() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

void Database::attend(DatabaseWait* wait) {
  // A few milliseconds of work: https://www.sqlite.org/c3ref/progress_handler.html
  constexpr int kSteps = 20'000;
  wait_ = wait;
  if (!wait) {
    sqlite3_busy_timeout(handle_, 10'000);
    return sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
  }
  sqlite3_busy_handler(
      handle_,
      [](void* data, int tries) { return static_cast<DatabaseWait*>(data)->wait(tries) ? 1 : 0; },
      wait);
  sqlite3_progress_handler(
      handle_, kSteps,
      [](void* data) { return static_cast<DatabaseWait*>(data)->stopped() ? 1 : 0; }, wait);
}

void Database::fail(int code) const {
  if ((code & 0xff) == SQLITE_INTERRUPT ||
      ((code & 0xff) == SQLITE_BUSY && wait_ && wait_->stopped()))
    throw Error(Code::kCancelled, file_ + ": cancelled");
  const std::string what = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const int kind = code & 0xff;
  const bool of_system = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN;
  const int error = of_system && handle_ ? sqlite3_system_errno(handle_) : 0;
  if (kind == SQLITE_NOMEM) throw posix_error(file_, ENOMEM, "used");
  if (is_limit(error)) throw posix_error(file_, error, "used");
  // The index of the log is grown in a call that tells no more than that it failed.
  const bool full = code == SQLITE_IOERR_SHMSIZE || error == ENOSPC || error == EDQUOT;
  switch (full ? SQLITE_FULL : kind) {
    case SQLITE_FULL:
      throw Error(
          Code::kUnavailable,
          file_ +
              ": the disk is full; nothing of this step was kept or lost. Make room and run again");
    case SQLITE_IOERR:
      throw Error(Code::kUnavailable, file_ + ": " + what +
                                          "; nothing of this step was kept or lost. Check the disk "
                                          "and its free space, then run again");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(Code::kUnavailable, file_ + ": is locked by another program; run again");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw Error(Code::kConfig, file_ + ": is damaged (" + what + ")" + advice_.damaged);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      throw Error(Code::kConfig, file_ + ": cannot be opened (" + what + ")" + advice_.cannot_open);
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      throw Error(Code::kData, file_ + ": " + what);
    case SQLITE_ERROR:
      throw Error(Code::kConfig, file_ + ": " + what);
    default:
      throw Error(Code::kInternal, file_ + ": " + what);
  }
}

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

Statement Database::prepare(const char* literal) {
  sqlite3_stmt*& statement = statements_[literal];
  if (!statement) {
    const int code =
        sqlite3_prepare_v3(handle_, literal, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(code);
  }
  return Statement(*this, statement, false);
}

Statement Database::compile(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  if (!statement) throw Error(Code::kConfig, file_ + ": the SQL is empty");
  return Statement(*this, statement, true);
}

std::string Database::collation_of(const std::string& table, const std::string& column) {
  const char* collation = nullptr;
  const int code = sqlite3_table_column_metadata(handle_, nullptr, table.c_str(), column.c_str(),
                                                 nullptr, &collation, nullptr, nullptr, nullptr);
  return code == SQLITE_OK && collation ? collation : "BINARY";
}

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has rolled back by itself after some failures; the first one is the one to report.
    return;
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace patchbay
