"""write: replace into PostgreSQL keeps what belongs to the table, and readers see the old rows or the new ones."""

from harness import main
from postgres_case import PostgresCase

# Everything that describes the table t; oids apart.
DESCRIPTION = """
SELECT 'owner', relowner::regrole::text, relpersistence::text, relreplident::text, relrowsecurity::text, reloptions::text FROM pg_class WHERE oid = 't'::regclass
UNION ALL SELECT 'grant', grantee::regrole::text, privilege_type, is_grantable::text, '', '' FROM pg_class, aclexplode(relacl) WHERE oid = 't'::regclass
UNION ALL SELECT 'column', attname, format_type(atttypid, atttypmod), attnotnull::text || attidentity::text || attgenerated::text || attstattarget::text || (SELECT coalesce(string_agg(o, ' '), '') FROM unnest(attoptions) o WHERE o LIKE 'n~_distinct%' ESCAPE '~') || attstorage::text,
  coalesce(pg_get_expr(adbin, adrelid), ''), coalesce(col_description(attrelid, attnum), '')
  FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'index', c.relname, pg_get_indexdef(indexrelid), coalesce(obj_description(indexrelid), ''), indisreplident::text, indisclustered::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 't'::regclass
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid), coalesce(obj_description(oid), ''), '', '' FROM pg_constraint WHERE conrelid = 't'::regclass
UNION ALL SELECT 'comment', obj_description('t'::regclass), '', '', '', ''
UNION ALL SELECT 'policy', polname, pg_get_expr(polqual, polrelid), '', '', '' FROM pg_policy WHERE polrelid = 't'::regclass
UNION ALL SELECT 'trigger', tgname, '', '', '', '' FROM pg_trigger WHERE tgrelid = 't'::regclass AND NOT tgisinternal
UNION ALL SELECT 'statistics', stxname, '', '', '', '' FROM pg_statistic_ext WHERE stxrelid = 't'::regclass
UNION ALL SELECT 'publication', p.pubname, '', '', '', '' FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE prrelid = 't'::regclass
UNION ALL SELECT 'sequence', pg_get_serial_sequence('t', 'id'), '', '', '', ''
ORDER BY 1, 2, 3, 4
"""


class ReplaceTest(PostgresCase):
    def replace(self, text="id,v\n1,a\n2,b\n", top="", **more):
        return self.load(text, ", write: replace", top, **more)

    def oid(self):
        return self.column("SELECT 't'::regclass::oid")

    def test_a_swap_keeps_what_describes_the_table(self):
        self.role("reader")
        self.sql("""CREATE TABLE t (id bigint PRIMARY KEY, v text DEFAULT 'x' NOT NULL CHECK (v <> 'bad'), w int GENERATED ALWAYS AS (length(v)) STORED, z text DEFAULT md5(random()::text));
                    CREATE INDEX by_v ON t (v) INCLUDE (id) WHERE v <> 'q'; CREATE UNIQUE INDEX "odd Name" ON t (lower(v)); ALTER TABLE t ADD CONSTRAINT own UNIQUE (z) DEFERRABLE;
                    GRANT SELECT ON t TO reader WITH GRANT OPTION; GRANT INSERT ON t TO PUBLIC; COMMENT ON TABLE t IS 'ours''s'; COMMENT ON COLUMN t.v IS 'v''s';
                    COMMENT ON INDEX by_v IS 'fast'; ALTER TABLE t ALTER v SET STORAGE EXTERNAL; ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO reader;
                    INSERT INTO t VALUES (9, 'old')""")
        self.addCleanup(self.server.sql, "ALTER DEFAULT PRIVILEGES REVOKE DELETE ON TABLES FROM reader")
        before, oid = self.sql(DESCRIPTION), self.oid()
        for _ in range(3):  # rows may move instead, which keeps the same
            self.run_json(self.replace())
            self.assertEqual(self.sql(DESCRIPTION), before)
            if self.oid() != oid:
                break
        self.assertNotEqual(self.oid(), oid)
        self.assertEqual(self.sql("SELECT id, v, w FROM t ORDER BY id"), [["1", "a", "1"], ["2", "b", "1"]])
        self.assertEqual(self.column("SELECT relname FROM pg_class WHERE relname LIKE '\\_patchbay%' AND relname NOT LIKE '\\_patchbay\\_epochs%'"), [])
        self.assertEqual(self.column("SELECT reltuples FROM pg_class WHERE oid = 't'::regclass"), ["2"])

    def test_notes_of_the_servers_own_on_columns_hold_no_table(self):
        self.sql("CREATE TABLE t (id bigint PRIMARY KEY, v text); UPDATE pg_attribute SET attoptions = '{pg_attver=1}' WHERE attrelid = 't'::regclass AND attnum > 0")
        oid = self.oid()
        self.run_json(self.replace())
        self.assertNotEqual(self.oid(), oid)

    def test_rows_move_where_something_holds_the_table_in_its_place(self):
        make = "CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t VALUES (9, 'old')"
        held = {"a view": "CREATE VIEW w AS SELECT v FROM t",
                "a materialised view": "CREATE MATERIALIZED VIEW w AS SELECT v FROM t",
                "a rule": "CREATE RULE r AS ON UPDATE TO t DO NOTHING",
                "a trigger": "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
                "a policy": "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id > 0)",
                "a publication": "CREATE PUBLICATION pub FOR TABLE t",
                "extended statistics": "CREATE STATISTICS st ON id, v FROM t",
                "settings": "ALTER TABLE t SET (fillfactor = 50); ALTER TABLE t ALTER v SET STATISTICS 7; ALTER TABLE t ALTER v SET (n_distinct = 3)",
                "statistics of 0": "ALTER TABLE t ALTER v SET STATISTICS 0",
                "replica identity": "ALTER TABLE t REPLICA IDENTITY FULL",
                "a cluster order": "ALTER TABLE t CLUSTER ON t_pkey",
                "a column's grant": "GRANT SELECT (v) ON t TO PUBLIC",
                "an identity": "ALTER TABLE t ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
                "a sequence": "CREATE SEQUENCE s OWNED BY t.id; ALTER TABLE t ALTER id SET DEFAULT nextval('s')",
                "a foreign key": "CREATE TABLE p (v text PRIMARY KEY); INSERT INTO p VALUES ('old'), ('a'), ('b'); ALTER TABLE t ADD FOREIGN KEY (v) REFERENCES p",
                "a function": "CREATE FUNCTION g(t) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "another owner": "CREATE ROLE owner_of_t; GRANT CREATE ON SCHEMA public TO owner_of_t; ALTER TABLE t OWNER TO owner_of_t"}
        for what, statement in held.items():
            with self.subTest(what):
                self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP PUBLICATION IF EXISTS pub; DROP ROLE IF EXISTS owner_of_t; " + make + "; " + statement)
                before, oid = self.sql(DESCRIPTION), self.oid()
                self.run_json(self.replace())
                self.assertEqual(self.sql("SELECT id, v FROM t ORDER BY id"), [["1", "a"], ["2", "b"]])
                self.assertEqual((self.sql(DESCRIPTION), self.oid()), (before, oid))
        self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP ROLE owner_of_t")

    def test_rows_that_others_point_to_stay_and_take_nothing_with_them(self):
        self.sql("""CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old'), (2, 'old'), (3, 'gone');
                    CREATE TABLE c (t bigint REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (1), (2)""")
        self.run_json(self.replace("id,v\n1,a\n2,b\n4,d\n"))
        self.assertEqual(self.sql("SELECT * FROM t ORDER BY id"), [["1", "a"], ["2", "b"], ["4", "d"]])
        self.assertEqual(self.column("SELECT t FROM c ORDER BY t"), ["1", "2"])
        self.sql("DROP TABLE c; CREATE TABLE c (t bigint REFERENCES t); INSERT INTO c VALUES (1)")
        self.fails(self.replace("id,v\n2,x\n"), 7, 'violates foreign key constraint "c_t_fkey"')
        self.assertEqual(self.column("SELECT v FROM t ORDER BY id"), ["a", "b", "d"])
        self.fails(self.replace("v\nx\n"), 7, "other tables point to its column id")

    def test_bad_rows_are_refused_one_by_one_either_way(self):
        for view in ("", "CREATE VIEW w AS SELECT * FROM t"):
            with self.subTest(view):
                self.sql("DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (id int UNIQUE, v varchar(3) CHECK (v <> 'bad')); " + view)
                self.run_json(self.replace("id,v\n1,a\n1,b\n3,bad\n4,long!\n5,e\n", "rejects: {max: 3}"))
                self.assertEqual(self.sql("SELECT * FROM t ORDER BY id"), [["1", "a"], ["5", "e"]])

    def test_small_batches_share_a_copy_and_bad_rows_are_found_in_it(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n < 50))")
        for i in range(60):
            (self.folder / f"part{i:02}.csv").write_text(f"id,n\n{i},{i if i < 50 else 0}\n{100 + i},{i if i > 57 else 1}\n")
        (self.folder / "part30.csv").write_text("id,n\n7,1\n130,1\n")
        pipeline = self.pipeline("name: load\nrejects: {max: 3}\nnodes:\n  - use: files\n    with: {path: 'part*.csv', stream: t}\n  - use: csv.decode\n"
                                 + self.node(", write: replace", self.server.uri + "&options=-clog_statement%3Dall"))
        result = self.run_json(pipeline).stream
        self.assertEqual((result["rows_written"], result["rows_rejected"]), (117, 3))
        self.assertEqual(len(set(self.reasons())), 2)
        self.assertEqual(self.column("SELECT id FROM t WHERE id IN (7, 30, 107, 130, 157, 158, 159) ORDER BY 1"), ["7", "107", "130", "157"])
        log = (self.server.folder / "log").read_text(errors="replace").splitlines()
        self.assertLess(sum("LOG:  statement" in line and "FROM STDIN" in line for line in log), 30)

    def test_a_replace_that_fails_leaves_the_old_rows(self):
        self.sql("CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t VALUES (7)")
        self.run_json(self.replace("id\n1\n1\n"), code=6)
        self.assertEqual(self.column("SELECT id FROM t"), ["7"])

    def test_nothing_is_a_content_where_the_option_says_so(self):
        for view in ("", "CREATE VIEW w AS SELECT * FROM t"):
            with self.subTest(view):
                self.sql("DROP TABLE IF EXISTS a, t CASCADE; CREATE TABLE a (id int); CREATE TABLE t AS SELECT 1 AS id; " + view)
                self.fails(self.copy(", tables: {t: a}", ", write: replace"), 7, "set empty: allow if that is right")
                self.assertEqual(self.column("SELECT count(*) FROM t"), ["1"])
                self.run_json(self.copy(", tables: {t: a}", ", write: replace, empty: allow"))
                self.assertEqual(self.column("SELECT count(*) FROM t"), ["0"])

    def test_several_tables_change_together_or_not_at_all(self):
        self.sql("CREATE TABLE x AS SELECT 1 AS id; CREATE TABLE y AS SELECT 2 AS id; CREATE TABLE other.x (id int); CREATE TABLE other.y (id int CHECK (id < 5)); INSERT INTO other.x VALUES (0)")
        pipeline = self.copy("", ", schema: other, write: replace")
        self.run_json(pipeline)
        self.assertEqual(self.sql("SELECT (SELECT id FROM other.x), (SELECT id FROM other.y)"), [["1", "2"]])

    def test_partitioned_tables_and_roles_that_may_only_delete(self):
        self.sql("CREATE TABLE t (id bigint, v text) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (5); INSERT INTO t VALUES (3, 'old')")
        self.run_json(self.replace("id,v\n1,a\n7,b\n", "rejects: {max: 1}"))
        self.assertEqual(self.column("SELECT v FROM t"), ["a"])
        self.assertEqual(self.reasons(), ['no partition of relation "t" found for row'])
        uri = self.role("deleter", "GRANT USAGE, CREATE ON SCHEMA public TO deleter; GRANT SELECT, INSERT, DELETE ON t TO deleter; CREATE TABLE _x (); DROP TABLE _patchbay_epochs")
        self.run_json(self.replace("id,v\n2,z\n", uri=uri))
        self.assertEqual(self.column("SELECT v FROM t"), ["z"])


if __name__ == "__main__":
    main()
