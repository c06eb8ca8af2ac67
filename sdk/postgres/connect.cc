#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <random>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "one_line.h"
#include "patchbay/postgres.h"

namespace patchbay::postgres {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kConnectTimeout = std::chrono::seconds(15);

constexpr const char* kVerifies =
    ". The server is on another machine, so that its certificate is verified "
    "(sslmode=verify-full): "
    "set sslrootcert in connection to the one of its authority, or another sslmode, or "
    "allow_plain: true to take any server that answers";

struct ConninfoFree {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, ConninfoFree>;

std::string value_of(const Options& options, const char* keyword) {
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (option->val && std::strcmp(option->keyword, keyword) == 0) return option->val;
  }
  return "";
}

// The server's words come as "FATAL:  28P01: password authentication failed"; nothing where it was
// libpq that failed.
std::string sqlstate_of(const std::string& message) {
  std::string found;
  for (size_t at = message.find(":  "); at != std::string::npos; at = message.find(":  ", at + 3)) {
    const std::string code = message.substr(at + 3, 5);
    const bool is_code =
        code.size() == 5 &&
        code.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos &&
        message.compare(at + 8, 2, ": ") == 0;
    if (is_code) found = code;
  }
  return found;
}

// Drops the lines that name places in the server's source.
std::string without_location(const std::string& message) {
  std::string out;
  for (size_t begin = 0; begin < message.size();) {
    const size_t end = std::min(message.find('\n', begin), message.size());
    const std::string line = message.substr(begin, end - begin);
    if (!line.starts_with("LOCATION:")) out += line + "\n";
    begin = end + 1;
  }
  return out;
}

Code class_of_connect(const std::string& message) {
  const auto has = [&](const char* words) { return message.find(words) != std::string::npos; };
  const std::string sqlstate = sqlstate_of(message);
  if (!sqlstate.empty()) return class_of_sqlstate(sqlstate);
  if (message.starts_with("invalid ") || has("definition of service") || has("service file"))
    return Code::kConfig;
  if (has("SSL SYSCALL") || has("unexpected eof")) return Code::kUnavailable;
  if (has("password") || has("authentication") || has("certificate") || has("SSL") ||
      has("channel binding") || has("SCRAM"))
    return Code::kAuth;
  return Code::kUnavailable;
}

std::string advice_for(Code code) {
  switch (code) {
    case Code::kAuth:
      return "; check user, password and privileges, and what sslmode and the server's pg_hba.conf "
             "ask for";
    case Code::kNotFound:
      return "; check the database name in the option connection";
    case Code::kConfig:
      return "; check the option connection";
    default:
      return "; check host and port in the option connection, and the server";
  }
}

// A connection that is being started. Looking a host's name up can't be interrupted: it happens in
// a thread of its own, which is left behind where the call is cancelled meanwhile.
struct Start {
  std::vector<std::string> keys, values;
  int ready = eventfd(0, EFD_CLOEXEC);
  pg_conn* connection = nullptr;

  Start() = default;
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;
  ~Start() {
    PQfinish(connection);
    close(ready);
  }
  void add(const char* key, std::string value) {
    keys.emplace_back(key);
    values.push_back(std::move(value));
  }
  void run() {
    std::vector<const char*> names, texts;
    for (const auto& key : keys) names.push_back(key.c_str());
    for (const auto& value : values) texts.push_back(value.c_str());
    names.push_back(nullptr);
    texts.push_back(nullptr);
    connection = PQconnectStartParams(names.data(), texts.data(), 1);
    eventfd_write(ready, 1);
  }
};

pg_conn* start(Call& call, const std::shared_ptr<Start>& starting) {
  std::thread([starting] { starting->run(); }).detach();
  pollfd fds[] = {{starting->ready, POLLIN, 0}, {call.cancel_fd(), POLLIN, 0}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
  if (fds[0].revents == 0) call.throw_if_cancelled();
  eventfd_t count;
  eventfd_read(starting->ready, &count);
  return std::exchange(starting->connection, nullptr);
}

// This machine: a socket in its file system, or its loopback. A name that only hostaddr sends here
// is another machine's.
bool is_local(const std::string& host) {
  return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" ||
         host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

// libpq's own default takes what a server offers, and no TLS is among it: whoever answers would be
// given the password. https://www.postgresql.org/docs/15/libpq-ssl.html
bool is_open_to_anyone(pg_conn* connection) {
  const Options options(PQconninfo(connection));
  if (value_of(options, "sslmode") != "prefer") return false;
  std::string hosts = value_of(options, "host");
  if (hosts.empty()) hosts = value_of(options, "hostaddr");
  std::istringstream in(hosts);
  for (std::string host; std::getline(in, host, ',');) {
    if (!is_local(host)) return true;
  }
  return false;
}

std::chrono::milliseconds timeout_of(pg_conn* connection) {
  const std::string text = value_of(Options(PQconninfo(connection)), "connect_timeout");
  int seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds > 0 ? std::chrono::seconds(seconds) : kConnectTimeout;
}

void wait_connected(Call& call, pg_conn* connection, bool verifies) {
  const auto timeout = timeout_of(connection);
  const auto deadline = Clock::now() + timeout;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (PQstatus(connection) != CONNECTION_BAD && status != PGRES_POLLING_FAILED &&
         status != PGRES_POLLING_OK) {
    pollfd fds[] = {{PQsocket(connection),
                     static_cast<short>(status == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0},
                    {call.cancel_fd(), POLLIN, 0}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = poll(fds, 2, static_cast<int>(std::max<int64_t>(left, 0)));
    call.throw_if_cancelled();
    if (ready == 0) {
      throw Error(Code::kUnavailable, std::string("postgres: ") + PQhost(connection) +
                                          " did not answer within " +
                                          std::to_string(timeout.count() / 1000) + " s" +
                                          advice_for(Code::kUnavailable));
    }
    status = PQconnectPoll(connection);
  }
  if (PQstatus(connection) == CONNECTION_OK) return;
  const std::string message = PQerrorMessage(connection);
  const Code code = class_of_connect(message);
  throw Error(code, "postgres: " + one_line(without_location(message)) + advice_for(code) +
                        (verifies && code == Code::kAuth ? kVerifies : ""));
}

}  // namespace

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::string out;
  for (const char c : text) {
    const bool space = c == '\n' || c == '\t';
    if (!space || !out.ends_with(' ')) out += space ? ' ' : c;
  }
  return out;
}

Place parse_place(const Config& config) {
  Place place{config.get<std::string>("connection"), config.find<Secret>("password"),
              config.get_or("allow_plain", false)};
  char* message = nullptr;
  const Options options(PQconninfoParse(place.connection.c_str(), &message));
  // libpq's message quotes the string, which may hold a password.
  if (message) PQfreemem(message);
  if (!options) {
    config_error("connection",
                 "is no PostgreSQL URI (postgresql://user@host:5432/database) and no list of "
                 "key=value pairs");
  }
  for (const char* secret : {"password", "sslpassword"}) {
    if (!value_of(options, secret).empty()) {
      config_error("connection",
                   "holds a password; take it out and write password: {secret: NAME}");
    }
  }
  return place;
}

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

// A number for each process, and two uses of it:
// https://www.postgresql.org/docs/15/view-pg-locks.html
const ProcessMarks& process_marks() {
  static const ProcessMarks marks = [] {
    std::random_device random;
    const uint64_t number = (uint64_t{random()} << 32 | random()) & ~uint64_t{1};
    return ProcessMarks{std::bit_cast<int64_t>(number), std::bit_cast<int64_t>(number | 1)};
  }();
  return marks;
}

void Connection::begin(Call& call, const std::string& mode, const std::string& first) {
  const std::pair<const char*, int> limits[] = {{"statement_timeout", 0},
                                                {"idle_in_transaction_session_timeout", 0},
                                                {"transaction_timeout", 170000}};
  std::string sql = "BEGIN " + mode + "; " + kOwnPath +
                    "; SET LOCAL datestyle = ISO; SET LOCAL intervalstyle = iso_8601;"
                    " SET LOCAL timezone = 'UTC'; SET LOCAL extra_float_digits = 1;"
                    " SET LOCAL bytea_output = hex; ";
  // A copy may take long, and a transaction may wait for its data.
  for (const auto& [setting, since] : limits) {
    if (server_version() >= since && !sets(setting))
      sql += std::string("SET LOCAL ") + setting + " = 0; ";
  }
  const bool reads = mode.find("READ ONLY") != std::string::npos;
  // What the server forgets after a crash would be lost: the state that follows it is kept.
  const std::string durable =
      reads ? ""
            : "SELECT pg_catalog.set_config('synchronous_commit', 'on', true) WHERE"
              " pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'; ";
  run(call, sql + first + durable + "SELECT pg_catalog.pg_advisory_xact_lock_shared(" +
                std::to_string(reads ? process_marks().reader : process_marks().writer) + ")");
}

bool Connection::sets(std::string_view setting) const {
  return value_of(Options(PQconninfo(connection_.get())), "options").find(setting) !=
         std::string::npos;
}

void Connection::connect(Call& call, const Place& place) {
  const auto starting = std::make_shared<Start>();
  // Later ones win: what stands before dbname is a default.
  starting->add("fallback_application_name", "patchbay");
  starting->add("keepalives_idle", "30");
  starting->add("keepalives_interval", "10");
  starting->add("keepalives_count", "3");
  starting->add("tcp_user_timeout", "60000");
  starting->add("dbname", place.connection);
  starting->add("client_encoding", "UTF8");
  if (place.password) starting->add("password", call.secret(*place.password));
  connection_.reset(start(call, starting));
  const bool verifies = connection_ && !place.allow_plain && is_open_to_anyone(connection_.get());
  if (verifies) {
    starting->add("sslmode", "verify-full");
    connection_.reset(start(call, starting));
  }
  if (!connection_) throw Error(Code::kInternal, "postgres: no memory for a connection");
  // A failed connection has no SQLSTATE of its own but in a verbose message.
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
  // Notices are for psql's users; libpq would print them.
  PQsetNoticeReceiver(connection_.get(), [](void*, const PGresult*) {}, nullptr);
  wait_connected(call, connection_.get(), verifies);
  PQsetErrorVerbosity(connection_.get(), PQERRORS_DEFAULT);
  PQsetnonblocking(connection_.get(), 1);
}

}  // namespace patchbay::postgres
