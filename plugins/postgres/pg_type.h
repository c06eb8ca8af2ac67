// PostgreSQL's types beside Arrow's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "patchbay/postgres.h"
#include "patchbay/type.h"

namespace patchbay {

// How values look in binary COPY. kOther: only their text is understood.
enum class PgKind {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kText,  // text, varchar, char(n), name, enums, citext
  kBytea,
  kDate,
  kTime,
  kTimestamp,
  kTimestamptz,
  kUuid,
  kJson,
  kJsonb,
  kArray,
  kOther,
};

struct PgType {
  PgKind kind = PgKind::kOther;
  uint32_t oid = 0;
  int32_t precision = 0;  // numeric; 0 = any number of digits
  int32_t scale = 0;
  PgKind item = PgKind::kOther;  // kArray
  uint32_t item_oid = 0;
  // Of a time or timestamp: digits behind the point of a second.
  int32_t fraction = 6;
};

struct PgColumn {
  std::string name;
  PgType type;
  // As DDL spells it on any path: numeric(8,3), with its collation where that is not the type's.
  std::string sql_type{};
  std::string collation{};
  // Computed by the server: takes no values.
  bool generated = false;
  // GENERATED ALWAYS AS IDENTITY: can't be updated.
  bool identity_always = false;
  bool is_identity = false;
  // A default or an identity fills it.
  bool fills_itself = false;
  bool not_null = false;
  // Equality as the type's indexes have it.
  std::string equals = "OPERATOR(pg_catalog.=)";
};

// A type by what pg_type says of it. Domains must be given as their base types.
PgType make_pg_type(uint32_t oid, int32_t modifier, char typtype, const std::string& name,
                    uint32_t item_oid, char item_typtype, const std::string& item_name);

// What a column is read as. A numeric of any precision is decimal128(38, 9): values that do not fit
// exactly are refused row by row. Where only the text is understood: utf8.
Type arrow_type(const PgType& type);

// The column to create for a field; lists of scalars are arrays, other nested values jsonb.
std::string declared_type(const Type& type);

// The columns of a relation, by its oid, or of a query, in order. Within a transaction.
std::vector<PgColumn> columns_of_table(Call& call, postgres::Connection& connection,
                                       const std::string& oid);
// With `users` the query is the user's own, whose names are looked up on the user's path.
std::vector<PgColumn> columns_of_query(Call& call, postgres::Connection& connection,
                                       const std::string& query, bool users);

// Comparisons by a type's own index order, with their schema: on a path of one's own, or of
// somebody else's, a bare sign may mean another.
struct Comparisons {
  std::string equals = "OPERATOR(pg_catalog.=)", greater = "OPERATOR(pg_catalog.>)",
              at_most = "OPERATOR(pg_catalog.<=)";
};
Comparisons comparisons_of(Call& call, postgres::Connection& connection, uint32_t type);

}  // namespace patchbay
