"""What depends on a table keeps it in its place, of whatever kind it is; and values that a column would change are refused."""

from harness import main
from postgres_case import PostgresCase


class DependentsTest(PostgresCase):
    def test_a_policy_of_another_table_that_looks_into_the_target(self):
        self.sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE docs (owner int); ALTER TABLE docs ENABLE ROW LEVEL SECURITY;"
                 "CREATE POLICY p ON docs USING (owner IN (SELECT id FROM t))")
        oid = self.column("SELECT 't'::regclass::oid")
        self.run_json(self.load("id\n2\n", ", write: replace"))
        self.assertEqual(self.sql("SELECT (SELECT id FROM t), (SELECT polname FROM pg_policy), 't'::regclass::oid"), [["2", "p"] + oid])

    def test_publications_of_a_whole_schema_or_of_all_tables(self):
        for kind in ("ALL TABLES", "TABLES IN SCHEMA public"):
            with self.subTest(kind):
                self.sql("DROP PUBLICATION IF EXISTS pub; DROP TABLE IF EXISTS t, _patchbay_epochs; DROP SCHEMA IF EXISTS other CASCADE; CREATE SCHEMA other;"
                         f"CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE PUBLICATION pub FOR {kind}")
                self.addCleanup(self.server.sql, "DROP PUBLICATION IF EXISTS pub")
                oid = self.column("SELECT 't'::regclass::oid")
                self.fails(self.load("id\n2\n"), 3, "publication pub: would send the sink's own table")
                schema = "" if kind == "ALL TABLES" else ", epochs_schema: other"
                if not schema:
                    self.sql("CREATE TABLE _patchbay_epochs (txn text PRIMARY KEY, scope text NOT NULL DEFAULT '', epoch bigint NOT NULL DEFAULT 0, fenced smallint NOT NULL DEFAULT 0)")
                self.run_json(self.load("id\n2\n", ", write: replace" + schema))
                self.assertEqual(self.sql("SELECT id, 't'::regclass::oid FROM t"), [["2"] + oid])
                self.assertEqual(self.column("SELECT to_regclass('other._patchbay_epochs') IS NOT NULL"), ["t" if schema else "f"])

    def test_an_event_trigger_that_refuses_new_tables(self):
        self.sql("""CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE _patchbay_epochs (txn text PRIMARY KEY, scope text NOT NULL DEFAULT '', epoch bigint NOT NULL DEFAULT 0, fenced smallint NOT NULL DEFAULT 0);
                    CREATE FUNCTION no_tables() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                      IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name = 'public') THEN RAISE 'no new tables'; END IF; END $$;
                    CREATE EVENT TRIGGER no_tables ON ddl_command_end EXECUTE FUNCTION no_tables()""")
        self.addCleanup(self.server.sql, "DROP EVENT TRIGGER IF EXISTS no_tables")
        self.run_json(self.load("id\n2\n", ", write: replace"))
        self.assertEqual(self.column("SELECT id FROM t"), ["2"])

    def test_columns_that_the_stream_lacks_go_only_where_the_option_says_so(self):
        self.role("reader")
        self.sql("CREATE TABLE t (id int, gone text, v text); INSERT INTO t VALUES (1, 'x', 'y'); GRANT SELECT ON t TO reader")
        self.fails(self.load("id,v,more\n2,z,m\n", ", write: replace", "on_schema_change: evolve"), 9, "recreate: true")
        self.run_json(self.load("id,v,more\n2,z,m\n", ", write: replace, recreate: true"))
        self.assertEqual(self.sql("SELECT id, v, more FROM t"), [["2", "z", "m"]])
        self.assertEqual(self.column("SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped"), ["id", "v", "more"])
        self.assertEqual(self.column("SELECT has_table_privilege('reader', 't', 'SELECT')"), ["t"])
        self.sql("CREATE VIEW w AS SELECT more FROM t")
        self.fails(self.load("id\n3\n", ", write: replace, recreate: true"), 7, "other objects depend on it")
        self.assertEqual(self.column("SELECT id FROM t"), ["2"])


class ExactTest(PostgresCase):
    def test_values_that_a_column_would_change_are_refused(self):
        for value, kind, why in (("9007199254740993::bigint", "double precision", "more digits than the column keeps"), ("16777217::bigint", "real", "more digits"),
                                 ("0.1234567890123::float8", "real", "more digits"), ("'2026-12-31 23:59:59.7'::timestamp", "timestamp(0)", "digits of a second"),
                                 ("'2026-12-31 23:59:59.7+00'::timestamptz", "timestamptz(0)", "digits of a second"), ("'23:59:59.9'::time", "time(0)", "digits of a second"),
                                 ("'23:59:59.9'::text", "time(0)", "digits of a second"), ("'1.239'::text", "numeric(10,2)", "after the point"), ("1.239::float8", "numeric(10,2)", "after the point"),
                                 ("'2026-01-02 23:00:00'::text", "date", "time of day"), ("'2026-01-02 23:00:00'::timestamp", "date", "time of day")):
            with self.subTest(f"{value} -> {kind}"):
                self.sql(f"DROP TABLE IF EXISTS other.t; CREATE TABLE other.t (id int, x {kind})")
                self.patchbay("rejects", "clear", "copy")
                self.run_json(self.copy(f', query: "SELECT 1 AS id, {value} AS x"', ", schema: other, tables: {query: t}", "rejects: {max: 1}"))
                self.assertEqual(self.column("SELECT count(*) FROM other.t"), ["0"])
                self.assertIn(why, self.reasons("copy")[-1])

    def test_values_that_a_column_keeps_are_taken(self):
        for value, kind, want in (("9007199254740992::bigint", "double precision", "9.007199254740992e+15"), ("0.1::numeric(5,2)", "double precision", "0.1"), ("0.5::float8", "real", "0.5"),
                                  ("1e300::float8", "numeric", "1" + "0" * 300), ("1.250::float8", "numeric(10,2)", "1.25"), ("'1.2300'::text", "numeric(10,2)", "1.23"), ("'NaN'::text", "double precision", "NaN"),
                                  ("'2026-01-02 00:00:00'::text", "date", "2026-01-02"), ("'2026-01-02T00:00:00Z'::text", "date", "2026-01-02"), ("'2026-12-31 23:59:59.500'::timestamp", "timestamp(1)", "2026-12-31 23:59:59.5"),
                                  ("'0.30000000000000004'::text", "double precision", "0.30000000000000004"), ("'12:00:00.100+02:00'::text", "timetz", "12:00:00.1+02")):
            with self.subTest(f"{value} -> {kind}"):
                self.sql(f"DROP TABLE IF EXISTS other.t; CREATE TABLE other.t (id int, x {kind})")
                self.run_json(self.copy(f', query: "SELECT 1 AS id, {value} AS x"', ", schema: other, tables: {query: t}"))
                self.assertEqual(self.column("SELECT x::text FROM other.t"), [want])

    def test_a_decimal_is_judged_alike_beside_columns_of_any_type(self):
        self.sql("CREATE TABLE other.t (id int, amount numeric(10,2), note interval)")
        self.run_json(self.copy(""", query: "SELECT 1 AS id, 1.2390::numeric(12,4) AS amount, interval '1 day' AS note\"""", ", schema: other, tables: {query: t}", "rejects: {max: 1}"))
        self.assertEqual(self.column("SELECT count(*) FROM other.t"), ["0"])

    def test_json_keeps_its_text(self):
        self.sql("""CREATE TABLE a (j json); INSERT INTO a VALUES ('{"a": 1, "a": 2,   "z": 1.0e2}')""")
        self.run_json(self.copy(", tables: {a: a}", ", schema: other"))
        self.assertEqual(self.column("SELECT j FROM other.a"), self.column("SELECT j FROM a"))


if __name__ == "__main__":
    main()
