#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <future>
#include <thread>
#include <utility>

#include "one_line.h"
#include "patchbay/postgres.h"

namespace patchbay::postgres {
namespace {

constexpr size_t kPiece = 256 << 10;  // of COPY data given to libpq at a time
constexpr auto kCancelTimeout = std::chrono::milliseconds(500);

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text ? text : "";
}

// The one place where the server says which row and column it was: COPY orders, line 17, column id:
// "x".
struct CopyPlace {
  int64_t line = 0;
  std::string column;
};

CopyPlace copy_place_of(const std::string& context) {
  CopyPlace place;
  const size_t copy = context.find("COPY ");
  const size_t at = copy == std::string::npos ? copy : context.find(", line ", copy);
  if (at == std::string::npos) return place;
  const char* const end = context.data() + context.size();
  const char* after = std::from_chars(context.data() + at + 7, end, place.line).ptr;
  const std::string_view rest(after, static_cast<size_t>(end - after));
  constexpr std::string_view kColumn = ", column ";
  if (rest.starts_with(kColumn)) {
    const size_t name = std::min({rest.find(": \""), rest.find(": null input"), rest.find('\n')});
    place.column = rest.substr(kColumn.size(), std::min(name, rest.size()) - kColumn.size());
  }
  return place;
}

// "PL/pgSQL function check_order() line 3 at RAISE".
std::string function_of(const std::string& context) {
  constexpr std::string_view kBefore = "PL/pgSQL function ";
  if (!context.starts_with(kBefore)) return "";
  const size_t end = context.find(" line ");
  return end == std::string::npos ? "" : context.substr(kBefore.size(), end - kBefore.size());
}

[[noreturn]] void throw_server_error(const PGresult* result) {
  const std::string context = field(result, PG_DIAG_CONTEXT);
  const std::string severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const CopyPlace place = copy_place_of(context);
  const std::string column = field(result, PG_DIAG_COLUMN_NAME);
  throw ServerError("postgres",
                    {field(result, PG_DIAG_SQLSTATE), field(result, PG_DIAG_MESSAGE_PRIMARY),
                     field(result, PG_DIAG_TABLE_NAME), column.empty() ? place.column : column,
                     field(result, PG_DIAG_CONSTRAINT_NAME), field(result, PG_DIAG_DATATYPE_NAME),
                     place.line, field(result, PG_DIAG_SOURCE_FUNCTION), function_of(context),
                     !severity.empty() && severity != field(result, PG_DIAG_SEVERITY)});
}

}  // namespace

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

Connection::~Connection() {
  if (row_) PQfreemem(row_);
}

void Connection::fail_connection() const {
  throw Error(Code::kUnavailable,
              "postgres: the connection broke: " + one_line(PQerrorMessage(connection_.get())));
}

bool Connection::any_bytes() const {
  const char* encoding = PQparameterStatus(connection_.get(), "server_encoding");
  return encoding && std::strcmp(encoding, "SQL_ASCII") == 0;
}

bool Connection::working() const {
  const auto status = PQtransactionStatus(connection_.get());
  return PQstatus(connection_.get()) == CONNECTION_OK &&
         (status == PQTRANS_INTRANS || status == PQTRANS_ACTIVE);
}
bool Connection::idle() const {
  return PQstatus(connection_.get()) == CONNECTION_OK &&
         PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}
int Connection::process() const { return PQbackendPID(connection_.get()); }
std::string Connection::place_name() const {
  const auto text = [](const char* value) { return std::string(value ? value : ""); };
  return text(PQhost(connection_.get())) + ":" + text(PQport(connection_.get())) + "/" +
         text(PQdb(connection_.get()));
}
int Connection::server_version() const { return PQserverVersion(connection_.get()); }

void Connection::wait(Call& call, short events) {
  pollfd fds[] = {{PQsocket(connection_.get()), events, 0}, {call.cancel_fd(), POLLIN, 0}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
  if (fds[1].revents != 0) {
    cancel_statement();
    throw Error(Code::kCancelled, "cancelled");
  }
  if ((fds[0].revents & (POLLIN | POLLERR | POLLHUP)) != 0 &&
      PQconsumeInput(connection_.get()) == 0)
    fail_connection();
}

// PQcancel connects anew and waits for an answer that may never come.
void Connection::cancel_statement() {
  PGcancel* cancel = PQgetCancel(connection_.get());
  if (!cancel) return;
  std::promise<void> asked;
  auto done = asked.get_future();
  std::thread([cancel, asked = std::move(asked)]() mutable {
    std::array<char, 256> message{};
    // The result does not matter: the session ends with its object anyway.
    if (PQcancel(cancel, message.data(), message.size()) == 0) message[0] = '\0';
    PQfreeCancel(cancel);
    asked.set_value();
  }).detach();
  done.wait_for(kCancelTimeout);
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

void Connection::send_copy_end(Call& call) {
  int sent;
  while ((sent = PQputCopyEnd(connection_.get(), nullptr)) == 0) wait(call, POLLIN | POLLOUT);
  if (sent < 0) fail_connection();
  flush(call);
}

int64_t Connection::finish_copy_in(Call& call) { return finish(call).affected(); }

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
