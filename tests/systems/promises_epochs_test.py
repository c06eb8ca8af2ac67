"""Work that is committed is not done again, whatever ends a run."""

import json
import sqlite3
import subprocess

from harness import main
from operations import OperationsTest, until
from promises_case import QUICK, PromisesTest


class CrashTest(PromisesTest):
    def test_a_files_rows_and_its_end_are_one_epoch(self):
        self.csv("in/a.csv", range(1000))
        pipeline = self.files(top="commit: {bytes: 1KiB, rows: 10}")
        for step in ("state.record.after", "sqlite.commit.after", "state.committed.after"):
            with self.subTest(step):
                (self.folder / "out.db").unlink(missing_ok=True)
                self.patchbay("state", "reset", pipeline)
                self.crash(pipeline, step)
                self.run_json(pipeline)
                self.run_json(pipeline)
                self.assertEqual(self.ids(), list(range(1000)))

    def test_what_was_prepared_is_settled_before_splits_are_read(self):
        for name, first in (("a", 0), ("b", 10)):
            self.csv(f"in/{name}.csv", range(first, first + 5))
        pipeline = self.files()
        splits = self.patchbay("plan", pipeline, "--output", "json").json["splits"]
        (self.folder / "one.json").write_text(json.dumps(splits[:1]))
        self.crash(pipeline, "sqlite.commit.after", "--split", "one.json")
        self.run_json(pipeline, "--split", "one.json")
        self.assertEqual(self.ids(), list(range(5)))
        self.run_json(pipeline)
        self.assertEqual(self.ids(), [*range(5), *range(10, 15)])

    def test_a_source_without_state_is_read_once_per_successful_run(self):
        self.shop(1, 2, 3)
        pipeline = self.follow(source="path: shop.db")
        limited = self.patchbay("plan", pipeline, "--output", "json").json
        self.assertEqual(limited["guarantee"], "at_least_once")
        self.assertIn("out: appends all of src in each run", limited["limited_by"][0])
        for copies, step in enumerate(("state.record.before", "state.record.after", "sqlite.commit.after"), 1):
            self.crash(pipeline, step)
            self.run_json(pipeline)
            self.assertEqual(self.ids("orders"), sorted([1, 2, 3] * copies), step)

    def test_a_table_that_is_replaced_is_read_again_after_recovery(self):
        self.shop(1, 2)
        pipeline = self.follow("path: out.db, write: replace", source="path: shop.db")
        self.crash(pipeline, "state.record.after")
        self.shop(3)
        self.run_json(pipeline)
        self.assertEqual(self.ids("orders"), [1, 2, 3])

    def test_recovered_rows_are_counted_where_they_are_committed(self):
        self.shop(*range(10))
        pipeline = self.follow()
        self.crash(pipeline, "state.record.after")
        self.shop(*range(10, 15))
        result = self.run_json(pipeline)
        counts = {key: result.stream.get(key) for key in ("rows_read", "rows_written", "rows_recovered")}
        self.assertEqual(counts, {"rows_read": 15, "rows_written": 15, "rows_recovered": 10})
        self.assertIn("recovered 10 rows", result.err)
        self.assertEqual(self.ids("orders"), list(range(15)))
        self.assertNotIn("rows_recovered", self.run_json(pipeline).stream)

    def test_rows_that_are_prepared_go_nowhere_else(self):
        self.shop(1, 2)
        pipeline = self.follow()
        self.crash(pipeline, "state.record.after")
        self.follow("path: out.db, tables: {orders: orders_v2}")
        self.refused(3, ["table of out orders", "which is now orders_v2", "state discard p"], "run", pipeline)
        self.assertEqual((self.ids("orders"), self.ids("orders_v2")), ([], []))
        self.patchbay("state", "discard", pipeline)
        self.run_json(pipeline)
        self.assertEqual((self.ids("orders"), self.ids("orders_v2")), ([], [1, 2]))

    def test_rows_that_are_prepared_wait_for_their_sink(self):
        self.shop(1, 2)
        pipeline = self.follow()
        self.crash(pipeline, "state.record.after")
        text = (self.folder / "p.yaml").read_text()
        self.pipeline(text.replace("id: out", "id: sink"), "p")
        self.refused(3, ["node out: an earlier run left rows prepared for this sink, which the pipeline no longer has", "state discard p"],
                     "run", pipeline)
        self.refused(2, "--without zz: no sink of this name has rows prepared; there is out", "state", "discard", "p", "--without", "zz")
        # Whether a sink that is gone shows the rows, nobody else can say.
        self.patchbay("state", "discard", "p")
        self.refused(3, ["which alone can say whether it shows them", "state discard p --without out"], "run", pipeline)
        self.assertEqual(self.ids("orders"), [])
        self.pipeline(text, "p")
        self.run_json(pipeline)
        self.assertEqual(self.ids("orders"), [1, 2])


class DiscardTest(PromisesTest):
    """One source into two sinks; the second may be unable to commit."""

    def two(self):
        return self.write("  - {use: sqlite, id: src, with: {path: shop.db, cursor: id}}\n"
                          "  - {use: sqlite, id: a, from: src, with: {path: a.db}}\n"
                          "  - {use: sqlite, id: b, from: src, with: {path: b.db}}\n")

    def both(self):
        return self.ids("orders", "a.db"), self.ids("orders", "b.db")

    def setUp(self):
        super().setUp()
        self.shop(1, 2, 3)
        self.crash(self.two(), "sqlite.commit.after")
        self.assertEqual(self.both(), ([1, 2, 3], []))

    def test_what_a_sink_shows_is_not_read_again_by_the_way(self):
        self.patchbay("state", "discard", "p")
        self.refused(7, ["a has the same rows", "state discard p --again", "state discard p --without b"], "run", self.two())
        self.assertEqual(self.both(), ([1, 2, 3], []))

    def test_the_epoch_goes_on_without_the_sink_that_cannot(self):
        self.patchbay("state", "discard", "p", "--without", "b")
        self.run_json(self.two())
        self.assertEqual(self.both(), ([1, 2, 3], []))
        self.shop(4)
        self.run_json(self.two())
        self.assertEqual(self.both(), ([1, 2, 3, 4], [4]))

    def test_all_is_read_again_once_the_rows_are_taken_out(self):
        self.database("a.db", "DELETE FROM orders")
        self.patchbay("state", "discard", "p", "--again")
        self.run_json(self.two())
        self.assertEqual(self.both(), ([1, 2, 3], [1, 2, 3]))

    def test_what_every_sink_shows_is_committed(self):
        self.run_json(self.two())
        self.shop(4)
        self.crash(self.two(), "sqlite.commit.after", number=2)
        self.patchbay("state", "discard", "p")
        self.assertEqual(self.run_json(self.two()).stream["rows_recovered"], 1)
        self.assertEqual(self.both(), ([1, 2, 3, 4], [1, 2, 3, 4]))


class DiskTest(OperationsTest, PromisesTest):
    def test_a_commit_that_succeeds_at_last_is_not_read_once_more(self):
        """The sink's disk is full until the run says that it tries again."""
        small = self.small_disk("small", "1700k")
        self.database("shop.db", "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)",
                      "INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
                      f"SELECT i, '{'x' * 200}' FROM n")
        pipeline = self.follow("path: small/out.db", "retry: {attempts: 4, delay: 300ms}", source="path: shop.db")
        run = self.start("run", pipeline)
        for line in run.process.stderr:
            if "trying again" in line:
                subprocess.run(["mount", "-o", "remount,size=100m", str(small)], check=True)
        self.assertEqual(run.process.wait(), 0)
        self.assertEqual(self.ids("orders", "small/out.db"), list(range(1, 4001)))

    def test_a_commit_that_failed_is_settled_before_splits_are_read(self):
        """The sink's disk is full at the commit of the first file, and the run ends by itself."""
        small = self.small_disk("small", "1700k")
        (self.folder / "in").mkdir()
        for number, name in enumerate("abc"):
            rows = range(4000 * number, 4000 * (number + 1))
            (self.folder / f"in/{name}.csv").write_text("id,item\n" + "".join(f"{i},{'x' * 200}\n" for i in rows))
        pipeline = self.files("path: small/out.db", top="retry: {attempts: 1}\nconcurrency: 1")
        self.assertEqual(self.run_json(pipeline, code=5).stream["rows_unsettled"], 4000)
        self.assertEqual(self.ids(database="small/out.db"), [])
        subprocess.run(["mount", "-o", "remount,size=100m", str(small)], check=True)
        plan = self.patchbay("plan", pipeline, "--output", "json")
        self.assertEqual(len(plan.json["splits"]), 3)
        (self.folder / "plan.json").write_text(plan.out)
        self.assertEqual(self.run_json(pipeline, "--split", "plan.json").stream["rows_recovered"], 4000)
        self.assertEqual(self.run_json(pipeline).stream["rows_read"], 0)
        self.assertEqual(self.ids(database="small/out.db"), list(range(12000)))

    def test_a_state_that_can_not_be_written_costs_no_row_and_doubles_none(self):
        """The state's disk is full at one step after the other; the reports add up."""
        state = self.small_disk("state", "300k")
        for name in "abc":
            self.csv(f"in/{name}.csv", [f"{ord(name)}{i}" for i in range(7)])
        pipeline = self.files(top="commit: {rows: 1}\nretry: {attempts: 1}\nconcurrency: 1")
        written, codes = 0, []
        for leave in (0, 4096, 8192, 20480, 40960, 65536, 90112, None):
            ballast = None if leave is None else self.fill(state, leave)
            result = self.patchbay("run", pipeline, "--output", "json")
            codes.append(result.code)
            if result.out.startswith("{") and "streams" in result.json:
                written += sum(stream["rows_written"] for stream in result.json["streams"])
            if ballast:
                ballast.unlink()
        self.assertEqual(codes[-1], 0, codes)
        self.assertEqual(len(self.ids()), 21, codes)
        self.assertEqual(written, 21, codes)

    def test_another_pipeline_goes_on_beside_one_that_stands_still(self):
        self.serve()
        self.fault({"action": "hang", "seconds": 3600})
        busy = self.start("run", self.reviews())
        until(lambda: self.requests() >= 1, "first request")
        # As a process that was stopped in the middle of a transaction.
        state = sqlite3.connect(self.folder / "state/pipelines/reviews.db")
        state.execute("BEGIN IMMEDIATE")
        self.addCleanup(state.close)
        self.shop(1)
        self.run_json(self.follow(top=QUICK))
        self.assertEqual({run["pipeline"] for run in self.patchbay("runs", "list", "--output", "json").json}, {"p", "reviews"})
        told = next(line for line in busy.process.stderr if "waiting for the plugin" in line)
        self.assertRegex(told, r"qreviews: waiting for the plugin: (next|plan|open) has taken \d+ s so far")
        busy.stop()

    def test_a_wait_for_a_server_that_is_dead_says_that_it_fails(self):
        self.shop(1)
        busy = self.start("run", self.write("  - {use: sqlite, id: src, with: {path: shop.db}}\n"
                                            "  - {use: postgres, id: out, with: {connection: 'postgresql://u@127.0.0.1:1/d', write: replace}}\n",
                                            top="retry: {attempts: 100, delay: 10s}"))
        told = next(line for line in busy.process.stderr if "waiting for the plugin" in line)
        self.assertRegex(told, r"out: waiting for the plugin: .* and has failed \d+ times; the reason follows if retry: gives up")
        busy.stop()


if __name__ == "__main__":
    main()
