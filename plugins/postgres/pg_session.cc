#include "pg_session.h"

#include <poll.h>

#include <set>
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

std::string part(const std::string& name) {
  return name.find_first_of(".\"") == std::string::npos ? name : postgres::quote_identifier(name);
}

// A transaction's settings end with it; this one counts between them.
void settle_session(Call& call, postgres::Connection& connection) {
  const int version = connection.server_version();
  if (version < kOldestServer) {
    throw Error(Code::kRemote, "postgres: the server is version " +
                                   std::to_string(version / 10000) +
                                   "; versions from 12 on are supported");
  }
  if (version < 140000 || connection.sets("idle_session_timeout")) return;
  connection.run(call,
                 "SELECT pg_catalog.set_config('idle_session_timeout', '0', false) WHERE"
                 " pg_catalog.current_setting('idle_session_timeout') OPERATOR(pg_catalog.<>) '0'");
}

}  // namespace

std::string Relation::sql() const {
  return postgres::quote_identifier(schema) + "." + postgres::quote_identifier(table);
}

std::string Relation::spelled(const std::string& default_schema) const {
  return (schema == default_schema ? "" : part(schema) + ".") + part(table);
}

void require_name(const std::string& name) {
  if (name.size() <= kPgNames.most_bytes) return;
  throw Error(Code::kConfig, name + ": is longer than the " + std::to_string(kPgNames.most_bytes) +
                                 " bytes that PostgreSQL allows for a name; give the table another "
                                 "one with tables");
}

Relation relation_of(const std::string& schema, const std::string& name) {
  Relation out{schema, unquoted(name)};
  bool quoted = false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '"') quoted = !quoted;
    if (name[i] != '.' || quoted) continue;
    out = {unquoted(name.substr(0, i)), unquoted(name.substr(i + 1))};
    break;
  }
  require_name(out.schema);
  require_name(out.table);
  return out;
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

bool is_made_by_another(const postgres::ServerError& error) {
  // https://www.postgresql.org/docs/15/errcodes-appendix.html: a table of the name, a schema, a
  // column, a type; the same in a catalogue's index; and a deadlock between the two.
  static const std::set<std::string> kStates{"42P07", "42P06", "42701", "42710", "23505", "40P01"};
  return kStates.contains(error.fields().sqlstate);
}

bool relation_exists(Call& call, postgres::Connection& connection, const Relation& relation) {
  return !connection.run(call, "SELECT pg_catalog.to_regclass($1)", {relation.sql()}).is_null(0, 0);
}

}  // namespace patchbay
