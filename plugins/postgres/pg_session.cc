#include "pg_session.h"

#include <poll.h>

#include <utility>

namespace patchbay {
namespace {

constexpr int kOldestServer = 120000;  // generated columns in the catalogue

std::string unquoted(const std::string& name) {
  if (name.size() < 2 || !name.starts_with('"') || !name.ends_with('"')) return name;
  std::string out;
  for (size_t i = 1; i + 1 < name.size(); ++i) {
    out += name[i];
    if (name[i] == '"' && name[i + 1] == '"') ++i;
  }
  return out;
}

void settle_session(Call& call, postgres::Connection& connection) {
  const int version = connection.server_version();
  if (version < kOldestServer) {
    throw Error(Code::kRemote, "postgres: the server is version " +
                                   std::to_string(version / 10000) +
                                   "; versions from 12 on are supported");
  }
  const std::pair<const char*, int> limits[] = {{"statement_timeout", 0},
                                                {"idle_in_transaction_session_timeout", 0},
                                                {"idle_session_timeout", 140000},
                                                {"transaction_timeout", 170000}};
  std::string unlimited;
  for (const auto& [setting, since] : limits) {
    if (version >= since && !connection.sets(setting))
      unlimited += std::string("SET ") + setting + " = 0;";
  }
  if (!unlimited.empty()) connection.run(call, unlimited);
}

}  // namespace

std::string Relation::sql() const {
  return postgres::quote_identifier(schema) + "." + postgres::quote_identifier(table);
}

Relation relation_of(const std::string& schema, const std::string& name) {
  bool quoted = false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '"') quoted = !quoted;
    if (name[i] == '.' && !quoted)
      return {unquoted(name.substr(0, i)), unquoted(name.substr(i + 1))};
  }
  return {schema, unquoted(name)};
}

bool may_try_again(Call& call, uint32_t attempt, const Error& error) {
  if (error.code() != Code::kUnavailable) return false;
  const auto wait = call.backoff(attempt);
  if (!wait) return false;
  pollfd cancelled{call.cancel_fd(), POLLIN, 0};
  poll(&cancelled, 1,
       static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(*wait).count()));
  call.throw_if_cancelled();
  return true;
}

std::unique_ptr<postgres::Connection> open_session(Call& call, const postgres::Place& place) {
  for (uint32_t attempt = 1;; ++attempt) {
    auto connection = std::make_unique<postgres::Connection>(call, place);
    try {
      settle_session(call, *connection);
      return connection;
    } catch (const Error& error) {
      if (!may_try_again(call, attempt, error)) throw;
    }
  }
}

bool relation_exists(Call& call, postgres::Connection& connection, const Relation& relation) {
  return !connection.run(call, "SELECT to_regclass($1)", {relation.sql()}).is_null(0, 0);
}

}  // namespace patchbay
