// Sessions as this plugin wants them, and names of tables.
#pragma once

#include <memory>
#include <string>

#include "patchbay/postgres.h"

namespace patchbay {

// A table or view, by its own names.
struct Relation {
  std::string schema, table;
  std::string sql() const;  // "schema"."table"
};

// `orders` in the given schema, `sales.orders`; what holds a dot itself stands in double quotes:
// `sales."2024.q1"`.
Relation relation_of(const std::string& schema, const std::string& name);

// Connects, without the server's time limits that `connection` does not set itself: a copy may take
// long, and a transaction may wait for its data. Throws kRemote for a server that is too old.
std::unique_ptr<postgres::Connection> open_session(Call& call, const postgres::Place& place);

bool relation_exists(Call& call, postgres::Connection& connection, const Relation& relation);

}  // namespace patchbay
