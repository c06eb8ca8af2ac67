#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "patchbay/postgres.h"

namespace patchbay::postgres {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPiece = 256 << 10;  // of COPY data given to libpq at a time
constexpr auto kConnectTimeout = std::chrono::seconds(15);

struct ConninfoFree {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text ? text : "";
}

// "COPY orders, line 17, column id": the one place where the server says which row it was.
int64_t line_of(const std::string& context) {
  const size_t copy = context.find("COPY ");
  const size_t at = copy == std::string::npos ? copy : context.find(", line ", copy);
  int64_t line = 0;
  if (at != std::string::npos)
    std::from_chars(context.data() + at + 7, context.data() + context.size(), line);
  return line;
}

[[noreturn]] void throw_server_error(const PGresult* result) {
  ServerError::Fields fields{
      field(result, PG_DIAG_SQLSTATE),        field(result, PG_DIAG_MESSAGE_PRIMARY),
      field(result, PG_DIAG_TABLE_NAME),      field(result, PG_DIAG_COLUMN_NAME),
      field(result, PG_DIAG_CONSTRAINT_NAME), field(result, PG_DIAG_DATATYPE_NAME),
      line_of(field(result, PG_DIAG_CONTEXT))};
  throw ServerError("postgres", std::move(fields));
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text;
}

// libpq keeps no SQLSTATE of a failed connection: its words must do.
Code class_of_connect(const std::string& message) {
  const auto has = [&](const char* words) { return message.find(words) != std::string::npos; };
  if (has("password") || has("authentication") || has("pg_hba.conf") || has("role \"") ||
      has("certificate") || has("SSL"))
    return Code::kAuth;
  if (has("database \"")) return Code::kNotFound;
  return Code::kUnavailable;
}

std::string advice_for(Code code) {
  if (code == Code::kAuth)
    return "; check user and password, and what sslmode and the server's pg_hba.conf ask for";
  if (code == Code::kNotFound) return "; check the database name in the option connection";
  return "; check host and port in the option connection";
}

}  // namespace

Place parse_place(const Config& config) {
  Place place{config.get<std::string>("connection"), config.find<Secret>("password")};
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, ConninfoFree> options(
      PQconninfoParse(place.connection.c_str(), &message));
  // libpq's message quotes the string, which may hold a password.
  if (message) PQfreemem(message);
  if (!options) {
    config_error("connection",
                 "is no PostgreSQL URI (postgresql://user@host:5432/database) and no list of "
                 "key=value pairs");
  }
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option) {
    if (option->val && std::strcmp(option->keyword, "password") == 0) {
      config_error("connection",
                   "holds a password; take it out and write password: {secret: NAME}");
    }
  }
  return place;
}

Result::Result(pg_result* result) : result_(result, PQclear) {}
int Result::rows() const { return PQntuples(result_.get()); }
bool Result::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}
std::string Result::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}
int64_t Result::integer(int row, int column) const {
  const std::string value = text(row, column);
  int64_t out = 0;
  std::from_chars(value.data(), value.data() + value.size(), out);
  return out;
}
int Result::columns() const { return PQnfields(result_.get()); }
Field Result::field(int i) const {
  return {PQfname(result_.get(), i), PQftype(result_.get(), i), PQfmod(result_.get(), i)};
}
std::string Result::tag() const { return PQcmdStatus(result_.get()); }
int64_t Result::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

void Connection::Closer::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(Call& call, const Place& place) {
  for (uint32_t attempt = 1;; ++attempt) {
    try {
      connect(call, place);
      return;
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      const auto wait = call.backoff(attempt);
      if (!wait) throw;
      pollfd cancelled{call.cancel_fd(), POLLIN, 0};
      poll(&cancelled, 1,
           static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(*wait).count()));
      call.throw_if_cancelled();
    }
  }
}

Connection::~Connection() {
  if (row_) PQfreemem(row_);
}

void Connection::connect(Call& call, const Place& place) {
  const std::string password = place.password ? call.secret(*place.password) : "";
  // Later ones win: what stands before dbname is a default.
  const std::array<const char*, 10> keys{"fallback_application_name",
                                         "keepalives_idle",
                                         "keepalives_interval",
                                         "keepalives_count",
                                         "tcp_user_timeout",
                                         "dbname",
                                         "client_encoding",
                                         "options",
                                         password.empty() ? nullptr : "password",
                                         nullptr};
  const std::array<const char*, 10> values{
      "patchbay",       "30",   "10", "3", "60000", place.connection.c_str(), "UTF8", nullptr,
      password.c_str(), nullptr};
  connection_.reset(PQconnectStartParams(keys.data(), values.data(), 1));
  if (!connection_) throw Error(Code::kInternal, "postgres: no memory for a connection");
  // Notices are for psql's users; libpq would print them.
  PQsetNoticeReceiver(connection_.get(), [](void*, const PGresult*) {}, nullptr);
  wait_connected(call);
  PQsetnonblocking(connection_.get(), 1);
  run(call,
      "SET datestyle = ISO; SET intervalstyle = iso_8601; SET timezone = 'UTC'; "
      "SET extra_float_digits = 1; SET bytea_output = hex");
}

void Connection::wait_connected(Call& call) {
  const auto deadline = Clock::now() + kConnectTimeout;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD && status != PGRES_POLLING_FAILED &&
         status != PGRES_POLLING_OK) {
    pollfd fds[] = {{PQsocket(connection_.get()),
                     static_cast<short>(status == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0},
                    {call.cancel_fd(), POLLIN, 0}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = poll(fds, 2, static_cast<int>(std::max<int64_t>(left, 0)));
    call.throw_if_cancelled();
    if (ready == 0) {
      throw Error(Code::kUnavailable, std::string("postgres: ") + PQhost(connection_.get()) +
                                          " did not answer within " +
                                          std::to_string(kConnectTimeout.count()) + " s" +
                                          advice_for(Code::kUnavailable));
    }
    status = PQconnectPoll(connection_.get());
  }
  if (PQstatus(connection_.get()) == CONNECTION_OK) return;
  const std::string message = one_line(PQerrorMessage(connection_.get()));
  const Code code = class_of_connect(message);
  throw Error(code, "postgres: " + message + advice_for(code));
}

void Connection::fail_connection() const {
  throw Error(Code::kUnavailable,
              "postgres: the connection broke: " + one_line(PQerrorMessage(connection_.get())));
}

bool Connection::broken() const { return PQstatus(connection_.get()) != CONNECTION_OK; }
int Connection::process() const { return PQbackendPID(connection_.get()); }
int Connection::server_version() const { return PQserverVersion(connection_.get()); }

void Connection::wait(Call& call, short events) {
  pollfd fds[] = {{PQsocket(connection_.get()), events, 0}, {call.cancel_fd(), POLLIN, 0}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
  if (call.cancelled()) {
    cancel_statement();
    call.throw_if_cancelled();
  }
  if ((fds[0].revents & (POLLIN | POLLERR | POLLHUP)) != 0 &&
      PQconsumeInput(connection_.get()) == 0)
    fail_connection();
}

void Connection::cancel_statement() {
  PGcancel* cancel = PQgetCancel(connection_.get());
  if (!cancel) return;
  std::array<char, 256> message{};
  // The result does not matter: the session ends with this object anyway.
  if (PQcancel(cancel, message.data(), message.size()) == 0) message[0] = '\0';
  PQfreeCancel(cancel);
}

void Connection::flush(Call& call) {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left < 0) fail_connection();
    if (left == 0) return;
    wait(call, POLLIN | POLLOUT);
  }
}

pg_result* Connection::next_result(Call& call) {
  while (PQisBusy(connection_.get()) != 0) wait(call, POLLIN);
  return PQgetResult(connection_.get());
}

Result Connection::finish(Call& call) {
  std::optional<Result> last;
  std::exception_ptr failure;
  while (PGresult* raw = next_result(call)) {
    const ExecStatusType status = PQresultStatus(raw);
    Result result(raw);
    if (status == PGRES_FATAL_ERROR && !failure) {
      if (PQresultErrorField(raw, PG_DIAG_SQLSTATE) == nullptr) fail_connection();
      try {
        throw_server_error(raw);
      } catch (const ServerError&) {
        failure = std::current_exception();
      }
    }
    last = std::move(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) break;
  }
  if (failure) std::rethrow_exception(failure);
  if (!last) throw Error(Code::kInternal, "postgres: an empty statement");
  return *last;
}

Result Connection::run(Call& call, const std::string& sql,
                       const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  const int sent = values.empty() ? PQsendQuery(connection_.get(), sql.c_str())
                                  : PQsendQueryParams(connection_.get(), sql.c_str(),
                                                      static_cast<int>(values.size()), nullptr,
                                                      values.data(), nullptr, nullptr, 0);
  if (sent == 0) fail_connection();
  flush(call);
  return finish(call);
}

std::vector<Field> Connection::describe(Call& call, const std::string& query) {
  if (PQsendPrepare(connection_.get(), "", query.c_str(), 0, nullptr) == 0) fail_connection();
  flush(call);
  finish(call);
  if (PQsendDescribePrepared(connection_.get(), "") == 0) fail_connection();
  flush(call);
  const Result description = finish(call);
  std::vector<Field> fields;
  for (int i = 0; i < description.columns(); ++i) fields.push_back(description.field(i));
  return fields;
}

void Connection::begin_copy_in(Call& call, const std::string& sql) { run(call, sql); }
void Connection::begin_copy_out(Call& call, const std::string& sql) { run(call, sql); }

void Connection::put(Call& call, std::string_view data) {
  for (size_t at = 0; at < data.size(); at += kPiece) {
    const std::string_view piece = data.substr(at, kPiece);
    int sent;
    while ((sent = PQputCopyData(connection_.get(), piece.data(),
                                 static_cast<int>(piece.size()))) == 0)
      wait(call, POLLIN | POLLOUT);
    if (sent < 0) fail_connection();
    flush(call);
  }
}

int64_t Connection::end_copy_in(Call& call) {
  int sent;
  while ((sent = PQputCopyEnd(connection_.get(), nullptr)) == 0) wait(call, POLLIN | POLLOUT);
  if (sent < 0) fail_connection();
  flush(call);
  return finish(call).affected();
}

std::optional<std::string_view> Connection::get(Call& call) {
  if (row_) PQfreemem(std::exchange(row_, nullptr));
  for (;;) {
    const int size = PQgetCopyData(connection_.get(), &row_, 1);
    if (size > 0) return std::string_view(row_, static_cast<size_t>(size));
    if (size == -2) fail_connection();
    if (size == -1) {
      finish(call);
      return std::nullopt;
    }
    wait(call, POLLIN);
  }
}

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

// standard_conforming_strings may be off; E'' means the same either way.
std::string quote_literal(std::string_view text) {
  std::string out = "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

}  // namespace patchbay::postgres
