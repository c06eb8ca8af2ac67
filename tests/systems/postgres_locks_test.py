"""Locks: what a run reads is locked before its snapshot, is given back as soon as it is read, and a wait has a name."""

import subprocess
import threading
import time

from harness import BUILD, main
from postgres_behind_proxy import BehindProxy


class LocksTest(BehindProxy):
    def begun(self, pipeline):
        process = subprocess.Popen([str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", pipeline, "--progress", "none"],
                                   cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_a_table_that_is_replaced_while_others_are_read_is_read_as_it_was(self):
        for view in ("", "CREATE VIEW w AS SELECT * FROM b"):
            with self.subTest(view):
                self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA other CASCADE; CREATE SCHEMA other")
                self.sql("CREATE TABLE a_big AS SELECT g AS id, repeat('x', 600) AS pad FROM generate_series(1, 60000) g; CREATE TABLE b AS SELECT g AS id FROM generate_series(1, 1000) g;"
                         "CREATE TABLE other.b AS TABLE b; CREATE TABLE src AS TABLE b; " + view)
                self.proxy.rules({"do": "delay", "direction": "down", "seconds": 0.01})
                reads = self.begun(self.copy(", tables: {a_big: a_big, b: b}", ", schema: other, write: replace", "concurrency: 1", "reads", source_uri=self.through()))
                self.wait_until(lambda: self.sql("SELECT pid FROM pg_stat_activity WHERE query LIKE '%COPY (SELECT%a_big%' AND state = 'active'"))
                writes = self.begun(self.copy(", tables: {b: src}", ", write: replace", name="writes"))
                time.sleep(0.5)
                self.proxy.reset()
                for process in (reads, writes):
                    said = process.communicate(timeout=60)
                    self.assertEqual(process.returncode, 0, said)
                self.assertEqual(self.column("SELECT count(*) FROM other.b"), ["1000"])

    def test_readers_see_the_old_rows_until_the_new_ones_are_committed(self):
        self.sql("CREATE TABLE t AS SELECT g AS id, ''::text AS pad FROM generate_series(1, 7) g; CREATE VIEW w AS SELECT id FROM t")
        self.proxy.rules({"do": "stall", "direction": "up", "match": "search_path = DEFAULT; COMMIT\0"})
        process = self.begun(self.load("id,pad\n" + "".join(f"{i},x\n" for i in range(500)), ", write: replace", uri=self.through(), attempts=1))
        self.wait_until(lambda: any(c["fault"] for c in self.proxy.connections()))
        self.assertEqual(self.column("SET lock_timeout = '1s'; SELECT count(*) FROM w"), ["7"])
        process.terminate()
        process.communicate(timeout=20)
        self.proxy.end("reset")

    def test_a_run_that_waits_says_for_whom(self):
        self.sql("CREATE TABLE t (id bigint, pad text)")
        blocker = self.session("SET application_name = 'the DBA'; BEGIN; LOCK TABLE t")
        process = self.begun(self.load("id,pad\n1,x\n"))
        said = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
        reader.start()
        self.wait_until(lambda: any("waits for a lock on the table" in line for line in said))
        self.assertIn("(the DBA), idle in transaction", "".join(said))
        blocker.communicate("COMMIT;\n")
        self.assertEqual(process.wait(30), 0)
        reader.join()
        self.assertEqual(self.column("SELECT id FROM t"), ["1"])

    def test_a_run_that_would_wait_for_itself_is_refused(self):
        self.sql("CREATE TABLE t AS SELECT g AS id, repeat('v', 200) AS v FROM generate_series(1, 50000) g; ALTER TABLE t ADD PRIMARY KEY (id)")
        evolves = self.copy(', query: "SELECT id, v, 1 AS extra FROM t"', ", tables: {query: t}, write: upsert, keys: [id]", "on_schema_change: evolve")
        self.fails(evolves, 3, "this run reads it")

    def test_a_field_in_the_middle_of_an_epoch_changes_the_table_within_it(self):
        for write in ("append", "replace"):
            with self.subTest(write):
                self.sql("DROP TABLE IF EXISTS rows")
                lines = "".join('{"id": %d, "pad": "%s"}\n' % (i, "x" * 60) for i in range(20000))
                (self.folder / "rows.jsonl").write_text(lines + '{"id": 20000, "pad": "y", "extra": "new"}\n')
                self.run_json(self.pipeline(f"name: {write}\non_schema_change: evolve\nnodes:\n  - use: files\n    with: {{path: rows.jsonl}}\n  - use: json.decode\n"
                                            + self.node(f", write: {write}"), write))
                self.assertEqual(self.sql("SELECT count(*), count(extra) FROM rows"), [["20001", "1"]])

    def test_two_pipelines_that_upsert_the_same_keys_do_not_double_them(self):
        self.sql("CREATE TABLE x AS SELECT g AS id, 'one' AS v FROM generate_series(1, 20000) g; CREATE TABLE y AS SELECT g AS id, 'two' AS v FROM generate_series(1, 20000) g; CREATE TABLE other.t (id int, v text)")
        both = [self.begun(self.copy(f", tables: {{t: {name}}}", ", schema: other, write: upsert, keys: [id]", name=name)) for name in "xy"]
        for process in both:
            said = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, said)
        self.assertEqual(self.sql("SELECT count(*), count(DISTINCT id) FROM other.t"), [["20000", "20000"]])

    def test_a_column_that_somebody_renames_in_mid_run_is_an_error(self):
        self.sql("CREATE TABLE s AS SELECT g AS id, 'v' || g AS v, repeat('x', 200) AS pad FROM generate_series(1, 30000) g; CREATE TABLE other.s (id int, v text, pad text)")
        process = self.begun(self.copy(", tables: {s: s}, cursor: id", ", schema: other", "commit: {rows: 500}"))
        self.wait_until(lambda: int(self.column("SELECT count(*) FROM other.s")[0]) >= 1000)
        self.sql("SET lock_timeout = '20s'; ALTER TABLE other.s RENAME v TO v_old")
        said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 9, said)
        self.assertRegex("".join(said), 'has no such column any more|column "v" of relation "s" does not exist')
        self.assertEqual(self.column("SELECT count(*) FROM other.s WHERE v_old IS NULL"), ["0"])


if __name__ == "__main__":
    main()
