// PostgreSQL over libpq: every wait ends at once when the call is cancelled, every error has its
// class. https://www.postgresql.org/docs/15/libpq.html
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/call.h"
#include "patchbay/config.h"
#include "patchbay/error.h"

struct pg_conn;
struct pg_result;

namespace patchbay::postgres {

// Where to connect: a URI or a conninfo string, the password apart. What the string leaves out
// comes from where libpq looks: PGHOST and the like, ~/.pgpass, ~/.pg_service.conf.
struct Place {
  std::string connection;
  std::optional<Secret> password;
  // Option allow_plain: a server that is not on this machine need not prove who it is.
  bool allow_plain = false;
};

// Throws kConfig where the option `connection` can't be read, or holds the password itself.
Place parse_place(const Config& config);

// What the server said of a statement. what() has its primary message behind the subject, without
// quoted values where a row is at fault.
class ServerError : public Error {
 public:
  struct Fields {
    std::string sqlstate;  // five characters
    std::string message, table, column, constraint, type;
    int64_t copy_line = 0;    // the row of a COPY, from 1; 0 = not said
    std::string source;       // the server's own function that said so
    std::string function;     // in the database, where it was at work: check_order()
    bool translated = false;  // the message is not in English
  };
  ServerError(const std::string& subject, Fields fields);
  const Fields& fields() const { return fields_; }
  // A value or a constraint is at fault, not the statement.
  bool is_about_a_row() const { return is_about_a_row(fields_); }
  // The message without values, which may be a row's; names of the schema stay. What functions of
  // the database say themselves is left out.
  std::string reason() const { return reason(fields_); }

 private:
  static bool is_about_a_row(const Fields& fields);
  static std::string reason(const Fields& fields);
  Fields fields_;
};

// What the host does about a SQLSTATE.
Code class_of_sqlstate(const std::string& sqlstate);

// A column of a result.
struct Field {
  std::string name;
  uint32_t type;     // oid; of a domain, its base
  int32_t modifier;  // atttypmod, -1 = none
};

// Rows as text.
class Result {
 public:
  explicit Result(pg_result* result);
  int rows() const;
  int columns() const;
  Field field(int column) const;
  bool is_null(int row, int column) const;
  std::string text(int row, int column) const;
  int64_t integer(int row, int column) const;
  std::string tag() const;   // COMMIT, INSERT 0 5
  int64_t affected() const;  // by INSERT, UPDATE, DELETE, COPY

 private:
  std::shared_ptr<pg_result> result_;
};

// One session; one thread at a time.
class Connection {
 public:
  // Tries as long as the pipeline's retry says while the server can't be reached.
  Connection(Call& call, const Place& place);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins a transaction, `mode` behind BEGIN, whose settings are ours: whatever the session, the
  // role or a pooler has set, own statements see the system's names alone and texts have one form.
  // They end with the transaction. `first` are statements that must come before any snapshot.
  void begin(Call& call, const std::string& mode, const std::string& first = "");

  // Several statements where there are no parameters. Throws ServerError, kUnavailable when the
  // connection broke, kCancelled.
  Result run(Call& call, const std::string& sql, const std::vector<std::string>& parameters = {});

  // What a query returns, without running it. Inside a transaction: a pooler may give the next
  // statement outside of one to another session.
  std::vector<Field> describe(Call& call, const std::string& query);

  // COPY .. FROM STDIN: begin, put any number of pieces, send the end, and finish: a refused row
  // shows there.
  void begin_copy_in(Call& call, const std::string& sql);
  void put(Call& call, std::string_view data);
  void send_copy_end(Call& call);
  int64_t finish_copy_in(Call& call);  // rows

  // COPY .. TO STDOUT: a view of the next row, valid until the next call; nothing at the end.
  void begin_copy_out(Call& call, const std::string& sql);
  std::optional<std::string_view> get(Call& call);

  int process() const;                        // the server's, for this session
  std::string place_name() const;             // host:port/database, as the server is known here
  int server_version() const;                 // 150004 = 15.4
  bool sets(std::string_view setting) const;  // the place itself says so, in its options
  bool working() const;                       // alive, and in a transaction that has not failed
  bool idle() const;  // alive, and no statement or transaction was left half-way
  // The database keeps text as any bytes: what it sends need not be UTF-8.
  bool any_bytes() const;

 private:
  struct Closer {
    void operator()(pg_conn* connection) const;
  };
  void connect(Call& call, const Place& place);
  void flush(Call& call);
  void wait(Call& call, short events);
  void cancel_statement();  // asks the server to stop; waits for half a second at most
  pg_result* next_result(Call& call);
  Result finish(Call& call);  // the last result of what was sent; throws the first error
  [[noreturn]] void fail_connection() const;

  std::unique_ptr<pg_conn, Closer> connection_;
  char* row_ = nullptr;  // of COPY out, libpq's
};

// The paths on which names are looked up: for statements of ours, and what the user's session has,
// for the user's own query and for what is tied to the user's tables.
inline constexpr const char* kOwnPath = "SET LOCAL search_path = pg_catalog, pg_temp";
inline constexpr const char* kUsersPath = "SET LOCAL search_path = DEFAULT";

// Every transaction of this process holds a shared advisory lock with one of these two numbers: by
// it a session that others wait for is known as our own.
struct ProcessMarks {
  int64_t reader, writer;
};
const ProcessMarks& process_marks();

std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);

}  // namespace patchbay::postgres
