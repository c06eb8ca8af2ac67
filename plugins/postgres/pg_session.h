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

// Waits as the pipeline's retry says before attempt + 1. False where there is none, or the error
// does not pass by itself.
bool may_try_again(Call& call, uint32_t attempt, const Error& error);

// Work that may be repeated as a whole, in a session of its own.
template <class Work>
auto with_session(Call& call, const postgres::Place& place, Work&& work) {
  for (uint32_t attempt = 1;; ++attempt) {
    auto connection = open_session(call, place);
    try {
      return work(connection);
    } catch (const Error& error) {
      if (!may_try_again(call, attempt, error)) throw;
    }
  }
}

bool relation_exists(Call& call, postgres::Connection& connection, const Relation& relation);

}  // namespace patchbay
