// Prepared rows in tables of their own, which outlive the session that has them in its transaction:
// for an epoch of several sinks that append, where one may have shown its rows already.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "patchbay/plugin.h"
#include "patchbay/tables/tokens.h"
#include "pg_book.h"
#include "pg_session.h"

namespace patchbay {

// The tables of one sink, in the schema of its book: _patchbay_kept_TRANSACTION_NUMBER.
class PgKept {
 public:
  PgKept(const postgres::Place& place, const PgBook& book) : place_(place), book_(book) {}

  // Throws kConfig where the tables would be sent to subscribers that lack them.
  void check(Call& call, postgres::Connection& connection) const;

  // Copies `stage`, a table with `columns` that only `from` sees, in a transaction of its own.
  // Returns the name of the copy, as SQL. Throws kNotFound where the transaction was aborted.
  std::string keep(Call& call, postgres::Connection& from, const std::string& stage,
                   const std::string& columns, const std::string& txn, int number) const;

  // The others are within a transaction of `connection`, on the own path.

  // Waits until nobody keeps rows of it any more.
  static void lock(Call& call, postgres::Connection& connection, const std::string& txn);
  // Are they all there? False without any, or where a token has none.
  static bool are_there(Call& call, postgres::Connection& connection,
                        std::span<const tables::TableToken> tokens);
  // Adds the token's rows to the table. Throws kSchema if the table is gone or has changed the type
  // of a column since the rows were checked, kNotFound if not all of them are still there.
  static void move(Call& call, Context& context, postgres::Connection& connection,
                   const tables::TableToken& token, const Relation& relation);
  static void drop(Call& call, postgres::Connection& connection,
                   std::span<const tables::TableToken> tokens);
  void drop_all(Call& call, postgres::Connection& connection, const std::string& txn) const;

 private:
  Relation first_part(const std::string& txn) const;

  const postgres::Place place_;
  const PgBook book_;
};

}  // namespace patchbay
