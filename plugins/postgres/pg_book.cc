#include "pg_book.h"

namespace patchbay {
namespace {

using postgres::Connection;
using postgres::quote_identifier;
using postgres::quote_literal;
using postgres::ServerError;
using tables::EpochBook;

// $1 as the literal itself. Parameters of the book's are texts, and it has at most nine.
std::string inlined(const std::string& sql, const std::vector<std::string>& parameters) {
  std::string out;
  for (size_t i = 0; i < sql.size(); ++i) {
    const bool is_parameter = sql[i] == '$' && i + 1 < sql.size();
    out += is_parameter ? quote_literal(parameters.at(static_cast<size_t>(sql[i + 1] - '1')))
                        : std::string(1, sql[i]);
    if (is_parameter) ++i;
  }
  return out;
}

}  // namespace

EpochBook PgBook::on(Call& call, Connection& connection) const {
  return {table_.sql(), EpochBook::Parameters::kDollars,
          [&call, &connection](const std::string& sql, const std::vector<std::string>& parameters) {
            const auto rows = connection.run(call, sql, parameters);
            std::vector<std::string> out;
            for (int i = 0; i < rows.rows(); ++i) out.push_back(rows.text(i, 0));
            return out;
          }};
}

// Triggers that the server runs at COMMIT find the path of the user.
std::string PgBook::commit_sql(const Epoch& epoch, const std::string& txn, uint64_t number) const {
  std::string all = std::string(postgres::kOwnPath) + "; ";
  const EpochBook book(table_.sql(), EpochBook::Parameters::kDollars,
                       [&](const std::string& sql, const std::vector<std::string>& parameters) {
                         all += inlined(sql, parameters) + "; ";
                         return std::vector<std::string>{};
                       });
  book.note_commit(epoch, txn, number);
  return all + postgres::kUsersPath + "; COMMIT";
}

bool PgBook::exists(Call& call, Connection& connection) const {
  return relation_exists(call, connection, table_);
}

bool PgBook::is_current(Call& call, Connection& connection) const {
  return connection
             .run(call,
                  "SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND"
                  " attname = 'scope' AND NOT attisdropped",
                  {table_.sql()})
             .rows() > 0;
}

std::optional<std::string> publication_of(Call& call, Connection& connection,
                                          const std::string& schema) {
  std::string published = "puballtables";
  if (connection.server_version() >= 150000) {
    published +=
        " OR EXISTS (SELECT FROM pg_publication_namespace m JOIN pg_namespace s ON"
        " s.oid = m.pnnspid WHERE m.pnpubid = p.oid AND s.nspname = " +
        quote_literal(schema) + ")";
  }
  const auto found = connection.run(
      call, "SELECT pubname FROM pg_publication p WHERE " + published + " ORDER BY 1 LIMIT 1");
  if (found.rows() == 0) return std::nullopt;
  return found.text(0, 0);
}

void PgBook::refuse_published(Call& call, Connection& connection) const {
  const auto publication = publication_of(call, connection, table_.schema);
  if (!publication) return;
  throw Error(
      Code::kConfig,
      "publication " + *publication + ": would send the sink's own table " + table_.sql() +
          " to subscribers that lack it, and they would stop; set epochs_schema to a schema "
          "that it leaves out, or make the table at the subscribers and then here: " +
          on(call, connection).create_sql().at(0));
}

// Another lane may make it just now.
void PgBook::require(Call& call, Connection& connection) const {
  for (bool again : {true, false}) {
    try {
      in_transaction(call, connection, kReadCommitted, [&] {
        if (is_current(call, connection)) return;
        const EpochBook book = on(call, connection);
        const bool is_old = exists(call, connection);
        if (!is_old) {
          refuse_published(call, connection);
          require_schema(call, connection, table_.schema);
        }
        for (const auto& sql : is_old ? book.upgrade_sql() : book.create_sql())
          connection.run(call, sql);
      });
      return;
    } catch (const ServerError& error) {
      if (!again || !is_made_by_another(error)) throw;
    }
  }
}

void require_schema(Call& call, Connection& connection, const std::string& schema) {
  if (connection.run(call, "SELECT FROM pg_namespace WHERE nspname = $1", {schema}).rows() == 0)
    connection.run(call, "CREATE SCHEMA " + quote_identifier(schema));
}

}  // namespace patchbay
