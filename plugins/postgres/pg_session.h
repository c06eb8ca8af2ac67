// Sessions as this plugin wants them, and names of tables.
#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include "patchbay/postgres.h"
#include "patchbay/tables/names.h"

namespace patchbay {

// https://www.postgresql.org/docs/15/sql-syntax-lexical.html: a longer name would be cut.
inline const tables::NamePolicy kPgNames{"PostgreSQL", true, true, 63};

inline constexpr const char* kReadCommitted = "ISOLATION LEVEL READ COMMITTED";
inline constexpr const char* kReadOnly = "ISOLATION LEVEL READ COMMITTED READ ONLY";
inline constexpr const char* kSnapshot = "ISOLATION LEVEL REPEATABLE READ READ ONLY";

// A table or view, by its own names.
struct Relation {
  std::string schema, table;
  // "schema"."table"
  std::string sql() const;
  // As relation_of reads it, the shortest way: orders, sales.orders, "2024.q1".
  std::string spelled(const std::string& default_schema) const;
};

// `orders` in the given schema, `sales.orders`; what holds a dot itself stands in double quotes:
// `sales."2024.q1"`. Throws kConfig for names that the server would cut.
Relation relation_of(const std::string& schema, const std::string& name);
void require_name(const std::string& name);

// Connects. Throws kRemote for a server that is too old.
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

// Work in a transaction of its own, on a connection that is idle before and after.
template <class Work>
auto in_transaction(Call& call, postgres::Connection& connection, const char* mode, Work&& work) {
  connection.begin(call, mode);
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      connection.run(call, "COMMIT");
    } else {
      auto result = work();
      connection.run(call, "COMMIT");
      return result;
    }
  } catch (const postgres::ServerError&) {
    connection.run(call, "ROLLBACK");
    throw;
  }
}

// Another session makes the same schema, table, type or column just now: once more finds it there.
bool is_made_by_another(const postgres::ServerError& error);

bool relation_exists(Call& call, postgres::Connection& connection, const Relation& relation);

}  // namespace patchbay
