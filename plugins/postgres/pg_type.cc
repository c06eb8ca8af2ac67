#include "pg_type.h"

#include <map>

namespace patchbay {
namespace {

struct Builtin {
  uint32_t oid;
  PgKind kind;
};

// pg_type.dat: these never change.
constexpr Builtin kBuiltins[] = {
    {16, PgKind::kBool},          {17, PgKind::kBytea},     {19, PgKind::kText},
    {20, PgKind::kInt8},          {21, PgKind::kInt2},      {23, PgKind::kInt4},
    {25, PgKind::kText},          {114, PgKind::kJson},     {700, PgKind::kFloat4},
    {701, PgKind::kFloat8},       {1042, PgKind::kText},    {1043, PgKind::kText},
    {1082, PgKind::kDate},        {1083, PgKind::kTime},    {1114, PgKind::kTimestamp},
    {1184, PgKind::kTimestamptz}, {1700, PgKind::kNumeric}, {2950, PgKind::kUuid},
    {3802, PgKind::kJsonb},
};

PgKind kind_of(uint32_t oid, char typtype, const std::string& name) {
  for (const auto& builtin : kBuiltins) {
    if (builtin.oid == oid) return builtin.kind;
  }
  return typtype == 'e' || name == "citext" ? PgKind::kText : PgKind::kOther;
}

Type arrow_scalar(PgKind kind, int32_t precision, int32_t scale) {
  switch (kind) {
    case PgKind::kBool:
      return scalar(TypeId::kBool);
    case PgKind::kInt2:
      return scalar(TypeId::kInt16);
    case PgKind::kInt4:
      return scalar(TypeId::kInt32);
    case PgKind::kInt8:
      return scalar(TypeId::kInt64);
    case PgKind::kFloat4:
      return scalar(TypeId::kFloat32);
    case PgKind::kFloat8:
      return scalar(TypeId::kFloat64);
    case PgKind::kNumeric:
      return precision > 0 && precision <= 38 && scale >= 0 && scale <= precision
                 ? decimal(precision, scale)
                 : decimal(38, 9);
    case PgKind::kBytea:
      return scalar(TypeId::kBinary);
    case PgKind::kDate:
      return scalar(TypeId::kDate32);
    case PgKind::kTime:
      return scalar(TypeId::kTime64);
    case PgKind::kTimestamp:
      return timestamp("");
    case PgKind::kTimestamptz:
      return timestamp("UTC");
    case PgKind::kJson:
    case PgKind::kJsonb:
      return json_text();
    default:
      return scalar(TypeId::kUtf8);
  }
}

// One row per column; the type behind a domain, the item behind an array, and the equality of the
// type's own index order.
const char kColumns[] =
    "WITH RECURSIVE base AS ("
    "  SELECT a.attnum, a.attname, a.atttypid AS id, a.atttypmod AS modifier, a.attcollation,"
    "         format_type(a.atttypid, a.atttypmod) AS sql_type, a.attgenerated <> '' AS generated,"
    "         a.attidentity, a.attnotnull, a.attgenerated = '' AND (a.atthasdef OR"
    "         a.attidentity <> '' OR t.typdefault IS NOT NULL) AS fills,"
    "         CASE WHEN a.attcollation <> t.typcollation THEN (SELECT"
    "              format('%I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n"
    "              ON n.oid = l.collnamespace WHERE l.oid = a.attcollation)"
    "              ELSE '' END AS collation"
    "  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    "  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped"
    "  UNION ALL"
    "  SELECT b.attnum, b.attname, t.typbasetype, t.typtypmod, b.attcollation, b.sql_type,"
    "         b.generated, b.attidentity, b.attnotnull OR t.typnotnull, b.fills, b.collation"
    "  FROM base b JOIN pg_type t ON t.oid = b.id WHERE t.typtype = 'd')"
    "SELECT b.attname, b.sql_type, b.generated::int, t.oid, b.modifier, t.typtype, t.typname,"
    "       coalesce(i.oid, 0), coalesce(i.typtype, ' '), coalesce(i.typname, ''),"
    "       b.attidentity, b.fills::int, b.attnotnull::int, b.collation,"
    "       (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_opclass c"
    "        JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype"
    "         AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3"
    "        JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace"
    "        WHERE c.opcmethod = 403 AND c.opcdefault AND c.opcintype = t.oid)"
    "FROM base b JOIN pg_type t ON t.oid = b.id AND t.typtype <> 'd'"
    "  LEFT JOIN pg_type i ON i.oid = t.typelem AND t.typcategory = 'A'"
    "ORDER BY b.attnum";

const char kComparisons[] =
    "SELECT m.amopstrategy, format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_opclass c"
    " JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype"
    "  AND m.amoprighttype = c.opcintype"
    " JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace"
    " WHERE c.opcmethod = 403 AND c.opcdefault AND c.opcintype = $1::oid";

const char kTypes[] =
    "SELECT t.oid, t.typtype, t.typname, coalesce(i.oid, 0), coalesce(i.typtype, ' '),"
    "       coalesce(i.typname, '')"
    "FROM pg_type t LEFT JOIN pg_type i ON i.oid = t.typelem AND t.typcategory = 'A'"
    "WHERE t.oid = ANY ($1::oid[])";

}  // namespace

PgType make_pg_type(uint32_t oid, int32_t modifier, char typtype, const std::string& name,
                    uint32_t item_oid, char item_typtype, const std::string& item_name) {
  PgType type;
  type.oid = oid;
  type.kind = item_oid != 0 ? PgKind::kArray : kind_of(oid, typtype, name);
  type.item_oid = item_oid;
  if (item_oid != 0) type.item = kind_of(item_oid, item_typtype, item_name);
  if (item_oid != 0 && type.item == PgKind::kOther) type.kind = PgKind::kOther;
  const bool numeric = type.kind == PgKind::kNumeric || type.item == PgKind::kNumeric;
  if (numeric && modifier >= 4) {
    type.precision = ((modifier - 4) >> 16) & 0xffff;
    type.scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  }
  const PgKind part = type.kind == PgKind::kArray ? type.item : type.kind;
  const bool timed =
      part == PgKind::kTime || part == PgKind::kTimestamp || part == PgKind::kTimestamptz;
  if (timed && modifier >= 0) type.fraction = modifier;
  return type;
}

Type arrow_type(const PgType& type) {
  if (type.kind == PgKind::kArray)
    return list_of(arrow_scalar(type.item, type.precision, type.scale));
  return arrow_scalar(type.kind, type.precision, type.scale);
}

std::string declared_type(const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "boolean";
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kUint8:
      return "smallint";
    case TypeId::kInt32:
    case TypeId::kUint16:
      return "integer";
    case TypeId::kInt64:
    case TypeId::kUint32:
      return "bigint";
    case TypeId::kUint64:
      return "numeric(20,0)";
    case TypeId::kFloat32:
      return "real";
    case TypeId::kFloat64:
      return "double precision";
    case TypeId::kDecimal128:
      return "numeric(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    case TypeId::kUtf8:
      return type.json ? "json" : "text";
    case TypeId::kBinary:
      return "bytea";
    case TypeId::kDate32:
      return "date";
    case TypeId::kTime64:
      return "time";
    case TypeId::kTimestamp:
      return type.timezone.empty() ? "timestamp" : "timestamptz";
    case TypeId::kList: {
      const Type& item = type.fields[0].type;
      const bool flat = item.id != TypeId::kList && item.id != TypeId::kStruct && !item.json;
      return flat ? declared_type(item) + "[]" : "jsonb";
    }
    default:
      return "jsonb";
  }
}

std::vector<PgColumn> columns_of_table(Call& call, postgres::Connection& connection,
                                       const std::string& oid) {
  const auto rows = connection.run(call, kColumns, {oid});
  std::vector<PgColumn> columns;
  for (int i = 0; i < rows.rows(); ++i) {
    PgColumn column;
    column.name = rows.text(i, 0);
    column.sql_type = rows.text(i, 1);
    column.generated = rows.integer(i, 2) != 0;
    column.type = make_pg_type(static_cast<uint32_t>(rows.integer(i, 3)),
                               static_cast<int32_t>(rows.integer(i, 4)), rows.text(i, 5)[0],
                               rows.text(i, 6), static_cast<uint32_t>(rows.integer(i, 7)),
                               rows.text(i, 8)[0], rows.text(i, 9));
    column.is_identity = !rows.text(i, 10).empty();
    column.identity_always = rows.text(i, 10) == "a";
    column.fills_itself = rows.integer(i, 11) != 0;
    column.not_null = rows.integer(i, 12) != 0;
    column.collation = rows.text(i, 13);
    if (!rows.is_null(i, 14)) column.equals = rows.text(i, 14);
    columns.push_back(std::move(column));
  }
  return columns;
}

Comparisons comparisons_of(Call& call, postgres::Connection& connection, uint32_t type) {
  Comparisons out;
  const auto rows = connection.run(call, kComparisons, {std::to_string(type)});
  for (int i = 0; i < rows.rows(); ++i) {
    const int64_t strategy = rows.integer(i, 0);
    if (strategy == 2) out.at_most = rows.text(i, 1);
    if (strategy == 3) out.equals = rows.text(i, 1);
    if (strategy == 5) out.greater = rows.text(i, 1);
  }
  return out;
}

std::vector<PgColumn> columns_of_query(Call& call, postgres::Connection& connection,
                                       const std::string& query, bool users) {
  if (users) connection.run(call, postgres::kUsersPath);
  const auto fields = connection.describe(call, query);
  if (users) connection.run(call, postgres::kOwnPath);
  std::string oids;
  for (const auto& field : fields) oids += (oids.empty() ? "" : ",") + std::to_string(field.type);
  const auto rows = connection.run(call, kTypes, {"{" + oids + "}"});
  std::map<uint32_t, int> row_of;
  for (int i = 0; i < rows.rows(); ++i) row_of[static_cast<uint32_t>(rows.integer(i, 0))] = i;
  std::vector<PgColumn> columns;
  for (const auto& field : fields) {
    const int i = row_of.at(field.type);
    PgColumn column;
    column.name = field.name;
    column.type = make_pg_type(field.type, field.modifier, rows.text(i, 1)[0], rows.text(i, 2),
                               static_cast<uint32_t>(rows.integer(i, 3)), rows.text(i, 4)[0],
                               rows.text(i, 5));
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace patchbay
