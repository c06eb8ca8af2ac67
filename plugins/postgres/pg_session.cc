#include "pg_session.h"

namespace patchbay {

std::unique_ptr<postgres::Connection> open_session(Call& call, const postgres::Place& place) {
  auto connection = std::make_unique<postgres::Connection>(call, place);
  connection->run(call,
                  "SET statement_timeout = 0; SET lock_timeout = 0; "
                  "SET idle_in_transaction_session_timeout = 0");
  return connection;
}

std::string relation_of(const std::string& schema, const std::string& table) {
  const size_t dot = table.find('.');
  if (dot == std::string::npos)
    return postgres::quote_identifier(schema) + "." + postgres::quote_identifier(table);
  return postgres::quote_identifier(table.substr(0, dot)) + "." +
         postgres::quote_identifier(table.substr(dot + 1));
}

bool relation_exists(Call& call, postgres::Connection& connection, const std::string& relation) {
  return !connection.run(call, "SELECT to_regclass($1)", {relation}).is_null(0, 0);
}

}  // namespace patchbay
