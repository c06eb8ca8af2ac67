#include "pg_kept.h"

#include "copy_writer.h"
#include "pg_lock.h"
#include "pg_table.h"
#include "stage_moves.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::ServerError;

constexpr const char* kMayNot = "42501";

// What default privileges gave others is not theirs.
void keep_private(Call& call, Connection& connection, const std::string& table) {
  const auto revokes =
      connection.run(call,
                     "SELECT DISTINCT format('REVOKE ALL ON %s FROM %s', c.oid::regclass,"
                     " CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END)"
                     " FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON"
                     " r.oid = a.grantee WHERE c.oid = $1::regclass AND a.grantee <> c.relowner",
                     {table});
  for (int i = 0; i < revokes.rows(); ++i) connection.run(call, revokes.text(i, 0));
}

// As text, which every type has.
void copy(Call& call, Connection& from, const std::string& stage, Connection& to,
          const std::string& table) {
  to.begin_copy_in(call, "COPY " + table + " FROM STDIN");
  from.begin_copy_out(call, "COPY " + stage + " TO STDOUT");
  while (const auto row = from.get(call)) to.put(call, *row);
  to.send_copy_end(call);
  to.finish_copy_in(call);
}

void require_types(Call& call, Connection& connection, const tables::TableToken& token,
                   const std::string& table) {
  const auto differs = connection.run(
      call,
      "SELECT k.attname, format_type(k.atttypid, k.atttypmod),"
      " coalesce(format_type(t.atttypid, t.atttypmod), 'gone') FROM pg_attribute k LEFT JOIN"
      " pg_attribute t ON t.attrelid = $2::regclass AND t.attname = k.attname AND NOT"
      " t.attisdropped WHERE k.attrelid = $1::regclass AND k.attnum > 0 AND NOT k.attisdropped AND"
      " (t.atttypid, t.atttypmod) IS DISTINCT FROM (k.atttypid, k.atttypmod) ORDER BY k.attnum"
      " LIMIT 1",
      {token.stage, table});
  if (differs.rows() == 0) return;
  throw Error(Code::kSchema, "table " + token.table + ": its column " + differs.text(0, 0) +
                                 " was " + differs.text(0, 1) +
                                 " when rows were prepared for it, and is " + differs.text(0, 2) +
                                 "; they wait in " + token.stage +
                                 ": give the column its type back for one run");
}

}  // namespace

void PgKept::check(Call& call, Connection& connection) const {
  const auto publication = publication_of(call, connection, book_.table().schema);
  if (!publication) return;
  throw Error(Code::kConfig,
              "publication " + *publication + ": would send tables of the sink's own in schema " +
                  book_.table().schema +
                  " to subscribers that lack them. They are needed, since another sink appends the "
                  "same rows: set epochs_schema to a schema that it leaves out, let one of the "
                  "sinks write: upsert, or give each a pipeline of its own");
}

// Names are cut at 63 bytes, and the end is what tells transactions apart.
Relation PgKept::first_part(const std::string& txn) const {
  const std::string tail = txn.size() > 40 ? txn.substr(txn.size() - 40) : txn;
  return {book_.table().schema, "_patchbay_kept_" + tail + "_"};
}

std::string PgKept::keep(Call& call, Connection& from, const std::string& stage,
                         const std::string& columns, const std::string& txn, int number) const {
  Relation relation = first_part(txn);
  relation.table += std::to_string(number);
  const std::string table = relation.sql();
  const auto own = open_session(call, place_);
  try {
    in_transaction(call, *own, kReadCommitted, [&] {
      lock(call, *own, txn);
      book_.on(call, *own).is_committed(txn);  // throws for one that was aborted
      own->run(call, "CREATE TABLE " + table + " (" + columns + ")");
      keep_private(call, *own, table);
      copy(call, from, stage, *own, table);
    });
  } catch (const ServerError& error) {
    if (error.fields().sqlstate != kMayNot) throw;
    throw Error(Code::kAuth,
                "schema " + relation.schema +
                    ": the user may create nothing in it, and another sink appends the same rows, "
                    "so that they have to be kept in a table until both are committed; grant "
                    "CREATE on it, or set epochs_schema to a schema where it is granted");
  }
  return table;
}

void PgKept::lock(Call& call, Connection& connection, const std::string& txn) {
  connection.run(call, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", {txn});
}

bool PgKept::are_there(Call& call, Connection& connection,
                       std::span<const tables::TableToken> tokens) {
  for (const auto& token : tokens) {
    if (token.stage.empty()) return false;
    if (connection.run(call, "SELECT to_regclass($1)", {token.stage}).is_null(0, 0)) return false;
  }
  return !tokens.empty();
}

void PgKept::move(Call& call, Context& context, Connection& connection,
                  const tables::TableToken& token, const Relation& relation) {
  const auto table = find_table(call, connection, relation, token.table);
  if (!table) {
    throw Error(Code::kSchema, "table " + token.table + ": is gone, and the rows for it wait in " +
                                   token.stage + "; make it again, with the same columns");
  }
  lock_table(call, context, connection, relation.sql(), "ROW EXCLUSIVE");
  require_types(call, connection, token, relation.sql());
  const int64_t kept = connection.run(call, "SELECT count(*) FROM " + token.stage).integer(0, 0);
  if (kept != token.rows) {
    throw Error(Code::kNotFound, "table " + token.stage + ": holds " + std::to_string(kept) +
                                     " of the " + std::to_string(token.rows) +
                                     " rows that were kept in it");
  }
  StageMoves moves{token.stage, relation.sql(), table->only(), token.columns, {}};
  for (const auto& column : token.columns) {
    const PgColumn* found = table->find(column);
    moves.has_identity = moves.has_identity || (found && found->is_identity);
  }
  // What is tied to the table finds there what an application's statement finds.
  connection.run(call, postgres::kUsersPath);
  const int64_t moved = connection.run(call, moves.sql("true")).affected();
  connection.run(call, postgres::kOwnPath);
  warn_of_left_out(context, token.stream, kept, kept - moved);
}

void PgKept::drop(Call& call, Connection& connection, std::span<const tables::TableToken> tokens) {
  for (const auto& token : tokens)
    if (!token.stage.empty()) connection.run(call, "DROP TABLE IF EXISTS " + token.stage);
}

void PgKept::drop_all(Call& call, Connection& connection, const std::string& txn) const {
  const Relation first = first_part(txn);
  const auto found = connection.run(
      call,
      "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE"
      " n.nspname = $1 AND c.relkind = 'r' AND starts_with(c.relname, $2)",
      {first.schema, first.table});
  for (int i = 0; i < found.rows(); ++i)
    connection.run(call, "DROP TABLE " + Relation{first.schema, found.text(i, 0)}.sql());
}

}  // namespace patchbay
