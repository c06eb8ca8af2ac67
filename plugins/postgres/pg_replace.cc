#include "pg_replace.h"

#include <vector>

namespace patchbay {
namespace {

using postgres::Connection;

// True where the table may be dropped and another take its name without anybody noticing.
const char kMaySwap[] =
    "SELECT c.relkind = 'r' AND c.relpersistence = 'p' AND c.reloptions IS NULL"
    "   AND c.reltablespace = 0 AND c.relreplident = 'd' AND NOT c.relrowsecurity"
    "   AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    "   AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0"
    "                   AND (attacl IS NOT NULL OR attidentity <> '' OR attstattarget > 0))"
    "   AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid)"
    "   AND NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND c.oid IN (conrelid, "
    "confrelid))"
    "   AND NOT EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))"
    "   AND NOT EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = c.oid)"
    "   AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)"
    "   AND NOT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = c.oid)"
    // Views and functions that name the table, sequences that it owns.
    "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass"
    "                   AND d.refobjid = c.oid AND d.classid IN ('pg_rewrite'::regclass, "
    "'pg_proc'::regclass))"
    "   AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = "
    "'S'"
    "                   WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)"
    "   AND NOT EXISTS (SELECT FROM pg_type t JOIN pg_attribute a ON a.atttypid IN (t.oid, "
    "t.typarray)"
    "                   WHERE t.oid = c.reltype AND a.attrelid <> c.oid)"
    " FROM pg_class c WHERE c.oid = $1::regclass";

// Statements that give the new table what the old one has, each a row.
const char kCopyRights[] =
    "WITH old AS (SELECT * FROM pg_class WHERE oid = $1::regclass),"
    "     new AS (SELECT * FROM pg_class WHERE oid = $2::regclass)"
    " SELECT DISTINCT 1 AS step, format('REVOKE ALL ON %s FROM %s', $2::regclass, grantee)"
    "   FROM (SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END AS grantee"
    "           FROM new, aclexplode(new.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee) g"
    " UNION ALL"
    " SELECT 2, format('GRANT %s ON %s TO %s%s', a.privilege_type, $2::regclass,"
    "                  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END,"
    "                  CASE WHEN a.is_grantable AND a.grantee <> old.relowner THEN ' WITH GRANT "
    "OPTION' ELSE '' END)"
    "   FROM old, aclexplode(old.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
    " UNION ALL"
    " SELECT 3, format('COMMENT ON TABLE %s IS %L', $2::regclass, obj_description(old.oid))"
    "   FROM old WHERE obj_description(old.oid) IS NOT NULL"
    " ORDER BY 1";

// LIKE makes the indexes in the order of the old ones.
std::vector<std::string> index_names(Call& call, Connection& connection,
                                     const std::string& relation) {
  const auto rows = connection.run(call,
                                   "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = "
                                   "i.indexrelid WHERE i.indrelid = $1::regclass ORDER BY c.oid",
                                   {relation});
  std::vector<std::string> names;
  for (int i = 0; i < rows.rows(); ++i) names.push_back(rows.text(i, 0));
  return names;
}

void swap(Call& call, Connection& connection, const BesideTable& beside) {
  const std::string schema = beside.target.substr(0, beside.target.find("\".\"") + 1);
  const std::string name = beside.target.substr(schema.size() + 1);
  const auto rights = connection.run(call, kCopyRights, {beside.target, beside.relation});
  for (int i = 0; i < rights.rows(); ++i) connection.run(call, rights.text(i, 1));
  const auto old_names = index_names(call, connection, beside.target);
  const auto new_names = index_names(call, connection, beside.relation);
  connection.run(call, "DROP TABLE " + beside.target);
  connection.run(call, "ALTER TABLE " + beside.relation + " RENAME TO " + name);
  for (size_t i = 0; i < old_names.size(); ++i) {
    connection.run(call, "ALTER INDEX " + schema + "." + postgres::quote_identifier(new_names[i]) +
                             " RENAME TO " + postgres::quote_identifier(old_names[i]));
  }
}

}  // namespace

BesideTable make_beside(Call& call, Connection& connection, const std::string& target,
                        const std::string& txn, const std::string& number) {
  BesideTable beside{target, "", false};
  beside.swap = connection.run(call, kMaySwap, {target}).text(0, 0) == "t";
  const std::string schema = target.substr(0, target.find("\".\"") + 1);
  // Names are cut at 63 bytes, and the end is what tells transactions apart.
  const std::string tail = txn.size() > 40 ? txn.substr(txn.size() - 40) : txn;
  beside.relation = schema + "." + postgres::quote_identifier("_patchbay_" + tail + "_" + number);
  // What only checks moves with it, so that a row is refused here, alone.
  connection.run(call, "CREATE TABLE " + beside.relation + " (LIKE " + target +
                           (beside.swap ? " INCLUDING ALL)"
                                        : " INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING "
                                          "GENERATED INCLUDING IDENTITY INCLUDING INDEXES)"));
  return beside;
}

void take_place(Call& call, Connection& connection, const BesideTable& beside) {
  connection.run(call, "ANALYZE " + beside.relation);
  connection.run(call, "LOCK TABLE " + beside.target + " IN ACCESS EXCLUSIVE MODE");
  if (beside.swap) return swap(call, connection, beside);
  const auto columns = connection.run(
      call,
      "SELECT coalesce(string_agg(quote_ident(attname), ', ' ORDER BY attnum), '') FROM "
      "pg_attribute"
      " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
      {beside.relation});
  // The rows that foreign keys point to can't be truncated.
  const bool referenced =
      connection
          .run(
              call,
              "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = $1::regclass",
              {beside.target})
          .integer(0, 0) > 0;
  connection.run(call, (referenced ? "DELETE FROM " : "TRUNCATE ") + beside.target);
  connection.run(call, "INSERT INTO " + beside.target + " (" + columns.text(0, 0) +
                           ") OVERRIDING SYSTEM VALUE SELECT " + columns.text(0, 0) + " FROM " +
                           beside.relation);
  connection.run(call, "DROP TABLE " + beside.relation);
}

}  // namespace patchbay
