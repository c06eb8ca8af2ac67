// The table _patchbay_epochs of a database.
#pragma once

#include <optional>
#include <string>

#include "patchbay/tables/epoch_book.h"
#include "pg_session.h"

namespace patchbay {

// `table` is in the schema of the option epochs_schema.
class PgBook {
 public:
  explicit PgBook(Relation table) : table_(std::move(table)) {}
  const Relation& table() const { return table_; }

  // Each call within a transaction of `connection`, which outlives the book.
  tables::EpochBook on(Call& call, postgres::Connection& connection) const;
  // What notes a commit and makes it: one message, so that nothing comes between the two.
  std::string commit_sql(const Epoch& epoch, const std::string& txn, uint64_t number) const;

  bool exists(Call& call, postgres::Connection& connection) const;
  // It is there, and not an older version's.
  bool is_current(Call& call, postgres::Connection& connection) const;
  // Makes the table, or adds what an older version's lacks, in a transaction of its own. Throws
  // kConfig where a publication would send it to subscribers that have no such table.
  void require(Call& call, postgres::Connection& connection) const;

 private:
  void refuse_published(Call& call, postgres::Connection& connection) const;

  Relation table_;
};

// The publication that would send a new table of the schema to its subscribers, if there is one.
std::optional<std::string> publication_of(Call& call, postgres::Connection& connection,
                                          const std::string& schema);

// CREATE SCHEMA where there is none. Within a transaction.
void require_schema(Call& call, postgres::Connection& connection, const std::string& schema);

}  // namespace patchbay
