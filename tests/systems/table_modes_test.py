"""Write modes of a sink with tables, as an operator sees them: SQLite, by the built program."""

import signal
import sqlite3
import subprocess
import sys

from harness import BUILD, PATIENCE, SystemTest, main


class TablesTest(SystemTest):
    def database(self, name, script):
        with sqlite3.connect(self.folder / name) as database:
            database.executescript(script)

    def load(self, source, sink, top="", name="load"):
        return self.pipeline(f"""
name: {name}
{top}
nodes:
  - {{use: sqlite, id: from, with: {{{source}}}}}
  - {{use: sqlite, id: to, with: {{{sink}}}}}
""", name)

    def test_a_mirror_follows_its_source_within_the_limit(self):
        self.database("s.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); "
                              "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e')")
        pipeline = self.load("path: s.db", "path: out.db, write: mirror, keys: [id]")
        self.run_json(pipeline)
        self.database("s.db", "DELETE FROM t WHERE id = 2; UPDATE t SET v = 'A' WHERE id = 1")
        self.run_json(pipeline)
        self.assertEqual(self.rows("SELECT * FROM t ORDER BY id"), [(1, "A"), (3, "c"), (4, "d"), (5, "e")])
        self.database("s.db", "DELETE FROM t WHERE id > 3")
        error = self.run_json(pipeline, code=7).stream["error"]["message"]
        self.assertIn("table t: has 4 rows, and 2 of them are not in the stream any more", error)
        self.database("s.db", "DELETE FROM t")
        self.assertIn("empty: allow", self.run_json(pipeline, code=7).stream["error"]["message"])
        self.assertEqual(len(self.rows("SELECT * FROM t")), 4)

    def test_a_replaced_table_is_made_anew_where_the_option_says_so(self):
        self.database("s.db", "CREATE TABLE t (a INTEGER, c TEXT); INSERT INTO t VALUES (1, 'x')")
        self.database("out.db", "CREATE TABLE t (a INTEGER, b TEXT); CREATE INDEX ta ON t (a); INSERT INTO t VALUES (9, 'old')")
        refused = self.run_json(self.load("path: s.db", "path: out.db, write: replace"), code=9)
        self.assertIn("recreate: true", refused.stream["error"]["message"])
        anew = self.load("path: s.db", "path: out.db, write: replace, recreate: true")
        self.assertEqual(self.patchbay("plan", anew, "--output", "json").json["sinks"][0]["steps"][0]["action"], "recreate_table")
        self.run_json(anew)
        self.assertEqual(self.rows("SELECT a, c FROM t"), [(1, "x")])
        self.assertEqual(self.rows("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 't'"), [("ta",)])

    def test_a_source_and_a_sink_may_use_one_file(self):
        for number, (mode, limit) in enumerate((("delete", 50000), ("wal", 50000), ("delete", 7))):
            with self.subTest(mode, limit=limit):
                name = f"one{number}"
                self.database(f"{name}.db", f"PRAGMA journal_mode = {mode}; CREATE TABLE t (id INTEGER, v TEXT); WITH RECURSIVE n(i) AS (SELECT 1 "
                                            "UNION ALL SELECT i + 1 FROM n LIMIT 50000) INSERT INTO t SELECT i, 'some text ' || i FROM n")
                pipeline = self.load(f"path: {name}.db, tables: {{t: t}}, cursor: id", f"path: ./{name}.db, tables: {{t: copy}}",
                                     "retry: {attempts: 1}\ncommit: {rows: 5000}", name)
                self.assertEqual(self.run_json(pipeline, "--limit", str(limit)).stream["rows_written"], limit)
                with sqlite3.connect(self.folder / f"{name}.db") as database:
                    self.assertEqual(database.execute("SELECT count(DISTINCT id) FROM copy").fetchone(), (limit,))

    def test_rows_that_come_later_with_the_last_value_of_the_cursor_are_read(self):
        self.database("s.db", "CREATE TABLE t (day DATE, v TEXT); INSERT INTO t VALUES ('2026-03-01', 'one'), ('2026-03-02', 'two')")
        pipeline = self.load("path: s.db, cursor: day", "path: out.db")
        for value in ("later", "later still"):
            self.run_json(pipeline)
            self.database("s.db", f"INSERT INTO t VALUES ('2026-03-02', '{value}')")
        self.run_json(pipeline)
        self.run_json(pipeline)
        self.assertEqual(self.rows("SELECT v FROM t"), [("one",), ("two",), ("later",), ("later still",)])

    def test_a_wait_for_a_lock_is_named_and_ends_with_the_run(self):
        self.database("s.db", "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1)")
        self.database("out.db", "CREATE TABLE t (id INTEGER)")
        holder = subprocess.Popen([sys.executable, "-c", "import sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None); "
                                   "d.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()", self.folder / "out.db"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.communicate)
        self.assertEqual(holder.stdout.readline(), b"held\n")
        run = subprocess.Popen([str(BUILD / "patchbay"), "--state-dir", "state", "run", self.load("path: s.db", "path: out.db")],
                               cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.stderr.close)
        self.assertTrue(any("out.db: waits for a lock that " in line for line in run.stderr))
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(2 * PATIENCE), 130)


if __name__ == "__main__":
    main()
