#include "pg_replace.h"

#include <vector>

#include "pg_lock.h"

namespace patchbay {
namespace {

using postgres::Connection;

const char kMaySwap[] =
    "SELECT c.relkind = 'r' AND c.relpersistence = 'p' AND c.reloptions IS NULL"
    "   AND c.reltablespace = 0 AND c.relreplident = 'd' AND NOT c.relrowsecurity"
    "   AND c.reloftype = 0 AND NOT c.relispartition"
    "   AND c.relam = (SELECT oid FROM pg_am"
    "                  WHERE amname = current_setting('default_table_access_method'))"
    "   AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    "   AND has_schema_privilege(c.relnamespace, 'CREATE')"
    "   AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0"
    "                   AND (a.attacl IS NOT NULL OR a.attidentity <> '' OR a.attstattarget >= 0"
    "                        OR EXISTS (SELECT FROM unnest(a.attoptions) o"
    // Servers may keep notes of their own there, which every column has.
    "                                   WHERE o LIKE 'n\\_distinct%')))"
    "   AND NOT EXISTS (SELECT FROM pg_class t WHERE t.oid = c.reltoastrelid"
    "                   AND t.reloptions IS NOT NULL)"
    "   AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid"
    "                   WHERE i.indrelid = c.oid"
    "                   AND (i.indisclustered OR NOT i.indisvalid OR x.reltablespace <> 0))"
    "   AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid"
    "                   WHERE i.indrelid = c.oid AND a.attstattarget >= 0)"
    "   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND NOT convalidated)"
    "   AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)"
    "   AND NOT EXISTS (SELECT FROM pg_constraint"
    "                   WHERE contype = 'f' AND c.oid IN (conrelid, confrelid))"
    "   AND NOT EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))"
    "   AND NOT EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = c.oid)"
    "   AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)"
    "   AND NOT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = c.oid)"
    "   AND NOT EXISTS (SELECT FROM pg_seclabel WHERE classoid = 'pg_class'::regclass"
    "                   AND objoid = c.oid)"
    "   AND NOT EXISTS (SELECT FROM pg_publication WHERE puballtables)"
    "   AND NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D')"
    "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
    "                   AND d.objid = c.oid AND d.deptype = 'e')"
    // Whatever depends on the table, but for what LIKE gives the new one.
    "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass"
    "                   AND d.refobjid = c.oid AND NOT (CASE d.classid"
    "     WHEN 'pg_attrdef'::regclass THEN EXISTS (SELECT FROM pg_attrdef WHERE oid = d.objid"
    "                                              AND adrelid = c.oid)"
    "     WHEN 'pg_class'::regclass THEN d.objid IN (c.oid, c.reltoastrelid) OR EXISTS"
    "      (SELECT FROM pg_index WHERE indexrelid = d.objid AND indrelid = c.oid)"
    "     WHEN 'pg_constraint'::regclass THEN EXISTS (SELECT FROM pg_constraint WHERE"
    "      oid = d.objid AND conrelid = c.oid AND contype IN ('c', 'p', 'u', 'x', 'n'))"
    "     WHEN 'pg_type'::regclass THEN d.objid = c.reltype ELSE false END))"
    // Columns and functions whose type is the table's row.
    "   AND NOT EXISTS (SELECT FROM pg_type t JOIN pg_depend d ON d.refclassid ="
    "                   'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)"
    "                   WHERE t.oid = c.reltype AND NOT (d.classid = 'pg_type'::regclass"
    "                   AND d.objid = t.typarray))"
    " FROM pg_class c WHERE c.oid = $1::regclass";

// Since 15 a publication may be of a whole schema.
const char kSchemaIsPublished[] =
    "SELECT FROM pg_publication_namespace WHERE pnnspid = (SELECT relnamespace FROM pg_class"
    " WHERE oid = $1::regclass)";

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

}  // namespace

bool may_swap(Call& call, Connection& connection, const Relation& target) {
  const auto answer = connection.run(call, kMaySwap, {target.sql()});
  if (answer.rows() != 1 || answer.text(0, 0) != "t") return false;
  return connection.server_version() < 150000 ||
         connection.run(call, kSchemaIsPublished, {target.sql()}).rows() == 0;
}

BesideTable make_beside(Call& call, Connection& connection, const Relation& target,
                        const std::string& txn, const std::string& number) {
  // Names are cut at 63 bytes, and the end is what tells transactions apart.
  const std::string tail = txn.size() > 40 ? txn.substr(txn.size() - 40) : txn;
  BesideTable beside{target, {target.schema, "_patchbay_" + tail + "_" + number}};
  connection.run(
      call, "CREATE TABLE " + beside.relation.sql() + " (LIKE " + target.sql() + " INCLUDING ALL)");
  return beside;
}

void take_place(Call& call, Context& context, Connection& connection, const BesideTable& beside) {
  const std::string target = beside.target.sql(), fresh = beside.relation.sql();
  connection.run(call, "ANALYZE " + fresh);
  lock_table(call, context, connection, target, "ACCESS EXCLUSIVE");
  if (!may_swap(call, connection, beside.target)) {
    throw Error(Code::kNotFound, "table " + beside.target.table +
                                     ": something was tied to it while its new content was "
                                     "being loaded; the next attempt moves the rows instead");
  }
  const auto rights = connection.run(call, kCopyRights, {target, fresh});
  for (int i = 0; i < rights.rows(); ++i) connection.run(call, rights.text(i, 1));
  const auto old_names = index_names(call, connection, target);
  const auto new_names = index_names(call, connection, fresh);
  connection.run(call, "DROP TABLE " + target);
  connection.run(call, "ALTER TABLE " + fresh + " RENAME TO " +
                           postgres::quote_identifier(beside.target.table));
  for (size_t i = 0; i < old_names.size(); ++i) {
    connection.run(call, "ALTER INDEX " + Relation{beside.target.schema, new_names.at(i)}.sql() +
                             " RENAME TO " + postgres::quote_identifier(old_names[i]));
  }
}

}  // namespace patchbay
