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
};

struct PgColumn {
  std::string name;
  PgType type;
  std::string sql_type;    // as DDL spells it: numeric(8,3)
  bool generated = false;  // computed by the server; takes no values
};

// A type by what pg_type says of it. Domains must be given as their base types.
PgType make_pg_type(uint32_t oid, int32_t modifier, char typtype, const std::string& name,
                    uint32_t item_oid, char item_typtype, const std::string& item_name);

// What a column is read as. A numeric of any precision is decimal128(38, 9): values that do not fit
// exactly are refused row by row. Where only the text is understood: utf8.
Type arrow_type(const PgType& type);

// The column to create for a field; lists of scalars are arrays, other nested values jsonb.
std::string declared_type(const Type& type);

// The columns of a relation ("schema"."table", quoted) or query, in order. Throws kNotFound.
std::vector<PgColumn> columns_of_table(Call& call, postgres::Connection& connection,
                                       const std::string& relation);
std::vector<PgColumn> columns_of_query(Call& call, postgres::Connection& connection,
                                       const std::string& query);

}  // namespace patchbay
