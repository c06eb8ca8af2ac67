// Sessions as this plugin wants them, and names of tables.
#pragma once

#include <memory>
#include <string>

#include "patchbay/postgres.h"

namespace patchbay {

// Connects, without the server's time limits: a copy may take long, and a transaction may wait for
// its data.
std::unique_ptr<postgres::Connection> open_session(Call& call, const postgres::Place& place);

// "schema"."table"; a table that names its schema itself ("sales.orders") keeps it.
std::string relation_of(const std::string& schema, const std::string& table);

bool relation_exists(Call& call, postgres::Connection& connection, const std::string& relation);

}  // namespace patchbay
