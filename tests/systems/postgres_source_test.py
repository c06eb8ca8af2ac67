"""Reading from PostgreSQL: which tables, in how many parts, from one snapshot, and what is new since the last run."""

import subprocess

from harness import main
from postgres_case import PostgresCase
from postgres_server import PASSWORD


class TablesTest(PostgresCase):
    def streams(self, options):
        found = self.patchbay("discover", self.copy(options, ", schema: elsewhere"), "--output", "json")
        self.assertEqual(found.code, 0, found)
        return sorted(stream["name"] for stream in found.json)

    def test_which_tables(self):
        self.sql("""CREATE TABLE log_a (id int); CREATE TABLE log_b (id int); CREATE TABLE "log%c" (id int); CREATE VIEW v AS SELECT 1 AS id; CREATE TABLE other.log_d (id int);
                    CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (5); CREATE TABLE _patchbay_epochs (x int)""")
        self.assertEqual(self.streams(""), ["log%c", "log_a", "log_b", "p"])
        self.assertEqual(self.streams(", tables: {all: 'log_*', view: v}"), ["log_a", "log_b", "view"])
        self.assertEqual(self.streams(", tables: {x: 'log_?', y: 'other.*'}"), ["log_a", "log_b", "log_d"])
        self.sql("CREATE TABLE other.log_a (id int)")
        self.fails(self.copy(", tables: {x: 'log_*', y: 'other.log_*'}", ", schema: elsewhere"), 3, "would be the stream log_a")
        self.fails(self.copy(", tables: {x: 'nosuch*'}", ", schema: elsewhere"), 7, "nothing in schema public is called nosuch*")
        refused = self.patchbay("validate", self.copy(", tables: {x: log_a}, query: SELECT 1", ", schema: elsewhere"))
        self.assertEqual(refused.code, 3, refused)
        self.assertIn("query: not together with tables", refused.out)

    def test_a_query_is_a_stream(self):
        self.sql("CREATE TABLE a AS SELECT g AS id FROM generate_series(1, 10) g")
        self.run_json(self.copy(', query: "SELECT id, id * 1.5 AS half FROM a WHERE id > 7 -- big ones"', ", tables: {query: big}"))
        self.assertEqual(self.column("SELECT half FROM big ORDER BY 1"), ["12.000000000", "13.500000000", "15.000000000"])
        self.fails(self.copy(", query: SELEC 1", ""), 3, "syntax error")
        self.fails(self.copy(", query: SELECT 1/0 AS x", ""), 7, "division by zero")
        self.fails(self.copy(", query: SELECT nosuch FROM a", ""), 9, 'column "nosuch" does not exist')

    def test_a_query_cannot_write(self):
        self.sql("CREATE TABLE a (id int); CREATE FUNCTION w() RETURNS int LANGUAGE sql AS 'INSERT INTO a VALUES (1) RETURNING id'")
        self.fails(self.copy(", query: SELECT w() AS x", ""), 5, "read-only transaction")
        self.assertEqual(self.column("SELECT count(*) FROM a"), ["0"])

    def test_everything_that_can_be_read_in_parts_or_not(self):
        rows = "SELECT g AS id, repeat('x', 100) AS pad FROM generate_series(1, 5000) g"
        self.sql(f"""CREATE TABLE plain AS {rows}; ALTER TABLE plain ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED;
                    CREATE TABLE parent (id int, pad text); CREATE TABLE child () INHERITS (parent); INSERT INTO parent {rows} LIMIT 100; INSERT INTO child SELECT g + 100, repeat('x', 100) FROM generate_series(1, 4900) g;
                    CREATE TABLE parts (id int, pad text) PARTITION BY RANGE (id); CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
                    CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (1000) TO (10000) PARTITION BY RANGE (id); CREATE TABLE part21 PARTITION OF part2 DEFAULT; INSERT INTO parts {rows};
                    CREATE VIEW viewed AS SELECT * FROM plain; CREATE MATERIALIZED VIEW kept AS SELECT * FROM plain; CREATE TABLE empty (id int)""")
        pipeline = self.copy(", partitions: 4, tables: {plain: plain, parent: parent, parts: parts, viewed: viewed, kept: kept, empty: empty}", ", schema: other", "concurrency: 3")
        lanes = {}
        for split in self.patchbay("plan", pipeline, "--output", "json").json["splits"]:
            lanes[split["stream"]] = lanes.get(split["stream"], 0) + 1
        self.assertEqual(lanes, {"plain": 4, "parent": 4, "parts": 4, "viewed": 1, "kept": 1, "empty": 1})
        self.run_json(pipeline)
        for table in ("plain", "parent", "parts", "viewed", "kept"):
            self.assertEqual(self.sql(f"SELECT count(*), count(DISTINCT id), sum(id) FROM other.{table}"), [["5000", "5000", "12502500"]], table)
        for option in ("cursor: id", "query: SELECT 1"):
            refused = self.patchbay("validate", self.copy(f", partitions: 2, {option}", ""))
            self.assertEqual(refused.code, 3, refused)
            self.assertIn(f"partitions: not together with {option.split(':')[0]}, which comes in one part", refused.out)

    def test_all_tables_are_read_as_they_were_at_one_moment(self):
        self.sql("CREATE TABLE x AS SELECT g AS id, repeat('x', 300) AS pad FROM generate_series(1, 3000) g; CREATE TABLE y AS TABLE x; CREATE TABLE gate (id int)")
        with self.writer("SELECT id FROM gate FOR UPDATE") as writer:
            pipeline = self.copy(", tables: {x: x, y: y}, partitions: 2", ", schema: other", "concurrency: 1")
            runs = 0
            process = subprocess.Popen([str(self.program), "--state-dir", str(self.folder / "state"), "run", pipeline, "--progress", "none"],
                                       cwd=self.folder, env=self.environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            while process.poll() is None:
                runs += 1
                self.sql("BEGIN; INSERT INTO x VALUES (0, 'new'); INSERT INTO y VALUES (0, 'new'); COMMIT")
            writer.done()
        self.assertEqual(process.returncode, 0)
        self.assertGreater(runs, 0)
        self.assertEqual(self.column("SELECT count(*) FROM other.x"), self.column("SELECT count(*) FROM other.y"))

    @property
    def program(self):
        from harness import BUILD
        return BUILD / "patchbay"

    def writer(self, text):
        return Writer(self.server, text)


class Writer:
    """A session with an open transaction."""

    def __init__(self, server, text=""):
        self.psql = subprocess.Popen([str(server.bin / "psql"), "-Xq", server.uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                     env={"PGPASSWORD": PASSWORD, "PATH": "/usr/bin"})
        self.do("BEGIN")
        if text:
            self.do(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.done("ROLLBACK")

    def do(self, text):
        self.psql.stdin.write(text + ";\n\\echo ready\n")
        self.psql.stdin.flush()
        while (line := self.psql.stdout.readline()) != "ready\n":
            if not line:
                raise RuntimeError("psql ended")

    def done(self, how="COMMIT"):
        if self.psql.poll() is None:
            self.psql.communicate(how + ";\n")


class CursorTest(PostgresCase):
    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE a (id int, v text)")
        self.incremental = self.copy(", tables: {a: a}, cursor: id", ", schema: other")

    def arrived(self, expected, column="v"):
        """What the next run brings."""
        before = int(self.column("SELECT count(*) FROM other.a")[0]) if self.column("SELECT to_regclass('other.a')")[0] else 0
        self.run_json(self.incremental)
        self.assertEqual(self.column(f"SELECT {column} FROM other.a ORDER BY ctid OFFSET {before}"), expected)

    def state(self):
        return self.patchbay("state", "show", "copy", "--output", "json").json["streams"]["a"]

    def writer(self, text):
        writer = Writer(self.server, text)
        self.addCleanup(writer.done)
        return writer

    def test_only_what_is_new(self):
        self.sql("INSERT INTO a VALUES (2, 'two'), (1, 'one')")
        self.arrived(["one", "two"])
        self.arrived([])
        self.assertEqual((self.state()["cursor"], self.state()["rows"]), ("2", 1))
        self.sql("INSERT INTO a VALUES (3, 'three'), (0, 'below')")
        self.arrived(["three"])

    def test_rows_of_transactions_that_may_be_overtaken_wait(self):
        self.sql("INSERT INTO a VALUES (1, 'one')")
        self.arrived(["one"])
        slow = self.writer("INSERT INTO a VALUES (2, 'late')")
        self.sql("INSERT INTO a VALUES (3, 'early')")
        self.arrived([])
        slow.done()
        self.arrived(["late", "early"])
        self.arrived([])

    def test_a_late_row_below_what_was_read_is_found(self):
        first = self.writer("CREATE TABLE other.gate (id int)")
        second = self.writer("SAVEPOINT s; INSERT INTO a VALUES (1, 'late')")
        first.do("INSERT INTO a VALUES (2, 'two')")
        first.done()
        self.arrived(["two"])
        self.assertIn("since", self.state())
        self.sql("INSERT INTO a VALUES (3, 'three')")
        self.arrived([])
        second.done()
        self.arrived(["late", "three"])
        self.arrived([])
        self.assertEqual(self.state()["cursor"], "3")
        self.assertNotIn("since", self.state())

    def test_equal_values_stay_in_one_epoch(self):
        self.sql("INSERT INTO a SELECT g / 10, 'x' FROM generate_series(0, 999) g")
        self.incremental = self.copy(", tables: {a: a}, cursor: id", ", schema: other", "commit: {rows: 7}")
        self.assertGreater(self.run_json(self.incremental).stream["epochs"], 50)
        self.assertEqual(self.sql("SELECT count(*), sum(id) FROM other.a"), self.sql("SELECT count(*), sum(id) FROM a"))

    def test_a_limit_moves_the_state_past_its_rows(self):
        self.sql("INSERT INTO a SELECT g, 'x' FROM generate_series(1, 1000) g")
        self.assertEqual(self.run_json(self.incremental, "--limit", "15").stream["state_after"]["cursor"], "15")
        self.run_json(self.incremental)
        self.assertEqual(self.sql("SELECT count(*), sum(id) FROM other.a"), self.sql("SELECT count(*), sum(id) FROM a"))

    def test_a_limit_amid_equal_values_is_refused_and_moves_nothing(self):
        self.sql("INSERT INTO a SELECT g / 10, 'x' FROM generate_series(0, 999) g")
        refused = self.run_json(self.incremental, "--limit", "15", code=3)
        self.assertIn("--limit: stream a has no place to stop after 15 rows", refused.stream["error"]["message"])
        self.assertEqual(self.run_json(self.incremental, "--limit", "20").stream["rows_written"], 20)
        self.run_json(self.incremental)
        self.assertEqual(self.sql("SELECT count(*), sum(id) FROM other.a"), self.sql("SELECT count(*), sum(id) FROM a"))

    def test_a_limit_on_what_has_no_cursor_is_exact(self):
        self.sql("INSERT INTO a SELECT g, 'x' FROM generate_series(1, 1000) g")
        self.assertEqual(self.run_json(self.copy(", tables: {a: a}", ", schema: other"), "--limit", "15").stream["rows_written"], 15)

    def test_rows_without_an_end_or_a_value_are_refused_each_time(self):
        self.sql("ALTER TABLE a ALTER id TYPE timestamp USING NULL; INSERT INTO a VALUES ('2024-01-01', 'ok'), (NULL, 'null'), ('infinity', 'end')")
        self.incremental = self.copy(", tables: {a: a}, cursor: id", ", schema: other", "rejects: {max: 2}")
        self.arrived(["ok"])
        self.sql("INSERT INTO a VALUES ('2024-01-02', 'more')")
        self.arrived(["more"])
        self.assertEqual(sorted(set(self.reasons("copy"))), ["id: has no end, and the cursor would never pass it", "id: is null, and the cursor finds no such row again"])

    def test_cursors_of_every_type(self):
        for kind, values in {"bigint": (1, 2), "numeric(10,3)": (1.5, 1.501), "real": (0.1, 0.2), "date": ("2024-01-01", "2024-01-02"), "timestamptz": ("2024-01-01 00:00:00.000001+00", "2024-01-01 00:00:00.000002+00"),
                             "text": ("A'\\\\a", "A'\\\\b"), "uuid": ("00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff0"[:-2] + "f"), "interval": ("1 day", "25 hours"), "inet": ("10.0.0.1", "10.0.0.2")}.items():
            with self.subTest(kind):
                self.sql(f"DROP TABLE a; DROP TABLE IF EXISTS other.a, other._patchbay_epochs; CREATE TABLE a (id {kind}, v text)")
                self.patchbay("state", "reset", "copy")
                first, second = (str(v).replace("'", "''") for v in values)
                self.sql(f"INSERT INTO a VALUES ('{first}', 'one')")
                self.arrived(["one"])
                self.arrived([])
                if first != second:
                    self.sql(f"INSERT INTO a VALUES ('{second}', 'two')")
                    self.arrived(["two"])

    def test_cursors_that_can_be_none(self):
        self.fails(self.copy(", tables: {a: a}, cursor: nosuch", ", schema: other"), 3, "cursor: a has no column nosuch")
        self.sql("ALTER TABLE a ADD j json; INSERT INTO a VALUES (1, 'x', '{}')")
        self.fails(self.copy(", tables: {a: a}, cursor: j", ", schema: other"), 7, "operator does not exist: json")

    def test_a_column_that_changed_between_runs(self):
        self.sql("INSERT INTO a VALUES (1, 'one')")
        self.arrived(["one"])
        self.sql("ALTER TABLE a DROP COLUMN v; INSERT INTO a VALUES (2)")
        self.arrived([None])
        self.sql("ALTER TABLE a ADD v int; INSERT INTO a VALUES (3, 7)")
        self.run_json(self.incremental)
        self.assertEqual(self.column("SELECT v FROM other.a WHERE id = 3"), ["7"])
        self.sql("ALTER TABLE a DROP COLUMN id")
        self.fails(self.incremental, 3, "cursor: a has no column id")


if __name__ == "__main__":
    main()
