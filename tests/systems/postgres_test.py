"""PostgreSQL, both ways, against a real server over TLS."""

import subprocess

from harness import BUILD, SystemTest, main
from postgres_server import PASSWORD, Postgres

ALL_TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN euros AS numeric(8,3) CHECK (value >= 0);
CREATE TABLE a (
  i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, b boolean, t text, v varchar(5), c char(3),
  n numeric(38,10), m euros, d date, tm time, ts timestamp, tz timestamptz, u uuid, j json, jb jsonb, y bytea,
  e mood, ai int[], at text[], an numeric(5,2)[], "we ird""name" text, ip inet, iv interval);
INSERT INTO a VALUES
  (-32768, 2147483647, -9223372036854775808, 1.5, 0.1, true, E'tab\\there\\nline "q" \\\\ ü', 'abcde', 'x',
   1234567890123456789012345678.0123456789, 0.001, '2024-02-29', '23:59:59.999999', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999+00',
   '00112233-4455-6677-8899-aabbccddeeff', '{"a": [1, 2.50]}', '{"b": null}', E'\\\\x00ff10', 'ok',
   '{1,NULL,3}', '{"a b",NULL,""}', '{1.25,-3.00}', 'w', '10.1.2.3/8', '1 day 02:00:00'),
  (0, 0, 0, 'NaN', '-Infinity', false, '', '', '', -0.0000000001, 10000, '1999-12-31', '00:00', '2000-01-01', '1970-01-01 00:00:00.000001+00',
   'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', '[]', '', 'sad', '{}', '{}', '{}', '', '::1', '-1 mon'),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL);
"""


class PostgresTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgres()
        cls.addClassCleanup(cls.server.remove)

    def setUp(self):
        super().setUp()
        self.server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS other CASCADE")
        self.environment["PATCHBAY_SECRET_PG"] = PASSWORD

    def sql(self, text):
        return self.server.sql(text)

    def column(self, text):
        return [row[0] for row in self.sql(text)]

    def node(self, options="", uri=None):
        return f"""  - use: postgres
    with: {{connection: "{uri or self.server.uri}", password: {{secret: pg}}{options}}}
"""

    def copy(self, source, sink, top="", name="copy"):
        return self.pipeline(f"name: {name}\n{top}\nretry: {{attempts: 4, delay: 10ms}}\nnodes:\n"
                             + self.node(source).replace("- use", "- id: from\n    use") + self.node(sink), name)

    def load(self, text, options="", top="", types=""):
        (self.folder / "t.csv").write_text(text)
        return self.pipeline(f"name: load\n{top}\nretry: {{attempts: 4, delay: 10ms}}\nnodes:\n"
                             f"  - use: files\n    with: {{path: t.csv}}\n  - use: csv.decode\n{types}" + self.node(options))

    def test_every_type_arrives_as_it_left(self):
        self.sql(ALL_TYPES + "CREATE SCHEMA other; CREATE TABLE other.a (LIKE a)")
        pipeline = self.copy(", tables: {a: a}", ", schema: other")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 3)
        same = "SELECT md5(string_agg(x::text, '|' ORDER BY x::text)) FROM (SELECT * FROM {}) x"
        self.assertEqual(self.sql(same.format("a")), self.sql(same.format("other.a")))

    def test_a_table_that_is_made_holds_every_value(self):
        self.sql(ALL_TYPES + "ALTER TABLE a DROP COLUMN j")
        self.run_json(self.copy(", tables: {a: a}", ", tables: {a: made}"))
        self.assertEqual(self.sql("SELECT i8, n::text, m, d, ts, tz, u, jb, y, ai, at, \"we ird\"\"name\" FROM a ORDER BY i8"),
                         self.sql("SELECT i8, n::text, m, d, ts, tz, u, jb, y, ai, at, \"we ird\"\"name\" FROM made ORDER BY i8"))
        kinds = dict(self.sql("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'made'"))
        self.assertEqual([kinds[c] for c in ("i4", "n", "tz", "ts", "jb", "ai", "y")],
                         ["integer", "numeric", "timestamp with time zone", "timestamp without time zone", "jsonb", "ARRAY", "bytea"])

    def test_bad_rows_are_refused_with_the_servers_words_and_the_rest_stays(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY, name varchar(4), amount numeric(5,2) CHECK (amount > 0), day date)")
        rows = [f"{i},n{i % 10},1.5,2024-01-01" for i in range(5000)]
        rows[17] = "17,toolong,1.5,2024-01-01"
        rows[1000] = "99999999999,n,1.5,2024-01-01"
        rows[2000] = "1999,n,1.5,2024-01-01"
        rows[3000] = "3000,n,-1,2024-01-01"
        rows[4999] = "4999,n,1.555,2024-01-01"
        pipeline = self.load("id,name,amount,day\n" + "\n".join(rows), top="rejects: {max: 5}",
                             types="    with: {types: {amount: 'decimal128(9, 3)', day: date32}}\n")
        result = self.run_json(pipeline).stream
        self.assertEqual((result["rows_written"], result["rows_rejected"]), (4995, 5))
        self.assertEqual(self.column("SELECT count(*) FROM t"), ["4995"])
        rejects = self.patchbay("rejects", "list", "load", "--output", "json").json
        self.assertEqual(sorted(r["reason"] for r in rejects), [
            "amount: has more digits after the point than the column",
            "duplicate key value violates unique constraint \"t_pkey\"",
            "id: is beyond the column's type",
            "new row for relation \"t\" violates check constraint \"t_amount_check\"",
            "value too long for type character varying(4)"])
        self.assertNotIn("toolong", str(rejects))
        exported = self.patchbay("rejects", "export", "load").out
        self.assertIn("toolong", exported)

    def test_upsert_updates_by_key_and_the_last_row_counts(self):
        self.run_json(self.load("id,v\n1,a\n2,b\n", ", write: upsert, keys: [id]"))
        self.run_json(self.load("id,v\n2,c\n3,d\n3,e\n", ", write: upsert, keys: [id]"))
        self.assertEqual(self.sql("SELECT id, v FROM t ORDER BY id"), [["1", "a"], ["2", "c"], ["3", "e"]])
        self.assertEqual(self.column("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisprimary"), ["1"])

    def test_upsert_without_a_unique_index(self):
        self.sql("CREATE TABLE t (id bigint, v text CHECK (v <> 'bad')); INSERT INTO t VALUES (1, 'x'), (1, 'y'), (2, 'z')")
        result = self.run_json(self.load("id,v\n1,a\n5,bad\n4,c\n", ", write: upsert, keys: [id]", "rejects: {max: 1}")).stream
        self.assertEqual((result["rows_written"], result["rows_rejected"]), (2, 1))
        self.assertEqual(self.sql("SELECT id, v FROM t ORDER BY id"), [["1", "a"], ["2", "z"], ["4", "c"]])

    def test_replace_swaps_and_keeps_what_belongs_to_the_table(self):
        self.sql("""DROP ROLE IF EXISTS reader; CREATE ROLE reader; CREATE TABLE t (id bigint PRIMARY KEY, v text);
                    CREATE INDEX by_v ON t (v); GRANT SELECT ON t TO reader; COMMENT ON TABLE t IS 'ours'; INSERT INTO t VALUES (9, 'old')""")
        before = self.column("SELECT 't'::regclass::oid")
        self.run_json(self.load("id,v\n1,a\n2,b\n", ", write: replace"))
        self.assertEqual(self.sql("SELECT * FROM t ORDER BY id"), [["1", "a"], ["2", "b"]])
        self.assertNotEqual(self.column("SELECT 't'::regclass::oid"), before)
        self.assertEqual(self.column("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 't'::regclass ORDER BY 1"), ["t_pkey", "by_v"])
        self.assertEqual(self.column("SELECT obj_description('t'::regclass)"), ["ours"])
        self.assertEqual(self.column("SELECT has_table_privilege('reader', 't', 'SELECT')"), ["t"])
        self.assertEqual(self.column("SELECT count(*) FROM pg_class WHERE relname LIKE '\\_patchbay\\_copy%' OR relname LIKE '\\_patchbay\\_load%'"), ["0"])

    def test_replace_moves_rows_where_a_view_forbids_the_swap(self):
        self.sql("CREATE TABLE t (id serial PRIMARY KEY, v text); CREATE VIEW w AS SELECT v FROM t; INSERT INTO t (v) VALUES ('old')")
        before = self.column("SELECT 't'::regclass::oid")
        self.run_json(self.load("id,v\n1,a\n2,b\n", ", write: replace"))
        self.assertEqual(self.column("SELECT v FROM w ORDER BY v"), ["a", "b"])
        self.assertEqual(self.column("SELECT 't'::regclass::oid"), before)

    def test_replace_that_fails_leaves_the_old_rows(self):
        self.sql("CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t VALUES (7)")
        self.run_json(self.load("id\n1\n1\n", ", write: replace"), code=6)
        self.assertEqual(self.column("SELECT id FROM t"), ["7"])

    def test_partitions_read_one_snapshot_and_every_row_once(self):
        self.sql("CREATE TABLE a AS SELECT g AS id, repeat('x', 100) AS pad FROM generate_series(1, 20000) g; CREATE SCHEMA other")
        pipeline = self.copy(", tables: {a: a}, partitions: 4", ", schema: other")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 20000)
        self.assertEqual(self.sql("SELECT count(*), count(DISTINCT id) FROM other.a"), [["20000", "20000"]])

    def test_a_cursor_never_passes_a_row_that_commits_late(self):
        self.sql("CREATE TABLE a (id serial, v text); INSERT INTO a (v) VALUES ('one'), ('two'); CREATE SCHEMA other")
        pipeline = self.copy(", tables: {a: a}, cursor: id", ", schema: other")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 2)
        slow = subprocess.Popen([str(self.server.bin / "psql"), "-Xq", self.server.uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True, env={"PGPASSWORD": PASSWORD, "PATH": "/usr/bin"})
        slow.stdin.write("BEGIN; INSERT INTO a (v) VALUES ('late');\n\\echo ready\n")
        slow.stdin.flush()
        self.assertEqual(slow.stdout.readline(), "ready\n")
        self.sql("INSERT INTO a (v) VALUES ('early')")
        self.assertEqual(self.run_json(pipeline).json["streams"][0]["rows_written"], 0)
        slow.communicate("COMMIT;\n")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 2)
        self.assertEqual(self.column("SELECT v FROM other.a ORDER BY id"), ["one", "two", "late", "early"])

    def test_a_row_without_a_cursor_is_refused_not_forgotten(self):
        self.sql("CREATE TABLE a (id int); INSERT INTO a VALUES (1), (NULL)")
        result = self.run_json(self.copy(", tables: {a: a}, cursor: id", ", tables: {a: b}"), code=6)
        self.assertIn("1 rows rejected", result.stream["error"]["message"])

    def test_new_columns_are_added_when_the_pipeline_says_evolve(self):
        self.sql("CREATE TABLE t (id bigint)")
        text = "id,extra\n1,x\n"
        self.assertIn("extra", self.run_json(self.load(text), code=9).stream["error"]["message"])
        self.run_json(self.load(text, top="on_schema_change: evolve"))
        self.assertEqual(self.sql("SELECT id, extra FROM t"), [["1", "x"]])

    def test_a_query_is_a_stream(self):
        self.sql("CREATE TABLE a AS SELECT g AS id FROM generate_series(1, 10) g")
        self.run_json(self.copy(', query: "SELECT id, id * 1.5 AS half FROM a WHERE id > 7 -- big ones"', ", tables: {query: big}"))
        self.assertEqual(self.column("SELECT half FROM big ORDER BY 1"), ["12.000000000", "13.500000000", "15.000000000"])

    def test_mistakes_are_named(self):
        self.sql("CREATE TABLE a (id int)")
        nowhere = f"postgresql://pb@127.0.0.1:{self.server.port}/nowhere"
        cases = [
            (self.node(uri="postgresql://pb:open@127.0.0.1/x"), 3, "connection: holds a password"),
            (self.node(uri="what is this"), 3, "connection: is no PostgreSQL URI"),
            (self.node(uri=nowhere), 7, 'database "nowhere" does not exist'),
            (self.node(uri="postgresql://pb@127.0.0.1:1/x"), 5, "Connection refused"),
            (self.node(uri=self.server.uri.replace("pb@", "other@")), 4, "authentication failed"),
            (self.node(", tables: {a: nosuch}"), 7, 'relation "public.nosuch" does not exist'),
            (self.node(", query: SELEC 1"), 3, "syntax error"),
            (self.node(", tables: {a: a}, cursor: nosuch"), 3, "cursor: a has no column nosuch"),
        ]
        for node, code, message in cases:
            with self.subTest(message):
                pipeline = self.pipeline("name: wrong\nretry: {attempts: 1}\nnodes:\n" + node + "  - use: sqlite\n    with: {path: out.db}\n")
                result = self.run_json(pipeline, code=code)
                self.assertIn(message, result.out.replace('\\"', '"'))
                self.assertNotIn("open", result.out + result.err)

    def test_a_wrong_password_is_a_matter_of_credentials(self):
        self.sql("CREATE TABLE a (id int)")
        result = self.patchbay("run", self.copy(", tables: {a: a}", ", tables: {a: b}"), env={"PATCHBAY_SECRET_PG": "not-it-at-all"})
        self.assertEqual(result.code, 4, result)
        self.assertNotIn("not-it-at-all", result.out + result.err)

    def test_a_session_that_is_ended_in_the_middle_costs_and_doubles_nothing(self):
        self.sql("CREATE TABLE a AS SELECT g AS id, repeat('x', 200) AS pad FROM generate_series(1, 60000) g; CREATE SCHEMA other")
        pipeline = self.copy(", tables: {a: a}", ", schema: other", "commit: {rows: 5000}")
        process = subprocess.Popen([str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", pipeline, "--progress", "none"],
                                   cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        kills = 0
        while process.poll() is None and kills < 3:
            kills += len(self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'patchbay' AND query LIKE '%COPY%other%' LIMIT 1"))
        self.assertEqual(process.wait(), 0)
        self.assertGreater(kills, 0)
        self.assertEqual(self.sql("SELECT count(*) >= 60000, count(*) % 60000 FROM other.a"), [["t", "0"]])


if __name__ == "__main__":
    main()
