"""Shapes of pipelines: several sources into one sink, one source into several, both at once."""

import json
import sqlite3

from harness import SystemTest, main

TWO_SOURCES = """
name: shop
nodes:
  - {{use: files, id: customers_file, from: [], with: {{path: customers.csv}}}}
  - {{use: csv.decode, id: customers}}
  - {{use: files, id: orders_file, from: [], with: {{path: "orders*.csv", stream: orders}}}}
  - {{use: csv.decode, id: orders}}
  - {{use: sqlite, from: [customers, orders], with: {{path: out.db, {write}}}}}
{more}
"""
JOIN = """
  - use: sql
    id: join
    from: [customers, orders]
    with: {query: "SELECT o.id, c.name FROM orders o LEFT JOIN customers c ON o.customer = c.id", stream: named}
  - {use: sqlite, id: second, with: {path: second.db}}
"""


class GraphTest(SystemTest):
    def setUp(self):
        super().setUp()
        (self.folder / "customers.csv").write_text("id,name\n7,Ada\n8,Grace\n")
        (self.folder / "orders.csv").write_text("id,customer\n1,7\n2,8\n3,7\n")

    def shop(self, write, more=""):
        return self.pipeline(TWO_SOURCES.format(write=write, more=more))

    def counts(self, database="out.db"):
        return [self.rows(f"SELECT count(*) FROM {table}", database)[0][0] for table in ("customers", "orders")]

    def test_two_sources_into_one_sink(self):
        for write, twice in (("write: append", [4, 6]), ("write: replace", [2, 3]), ("write: upsert, keys: [id]", [2, 3])):
            with self.subTest(write):
                (self.folder / "out.db").unlink(missing_ok=True)
                pipeline = self.shop(write)
                report = self.run_json(pipeline).json
                self.assertEqual({s["stream"]: s["rows_written"] for s in report["streams"]}, {"customers": 2, "orders": 3})
                self.assertEqual(self.counts(), [2, 3])
                self.run_json(pipeline, "--full-refresh")
                self.assertEqual(self.counts(), twice)

    def test_many_parts_of_one_of_the_sources(self):
        for number in range(20):
            (self.folder / f"orders{number}.csv").write_text(f"id,customer\n{100 + number},7\n")
        self.run_json(self.shop("write: append"))
        self.assertEqual(self.counts(), [2, 23])

    def test_one_stream_or_one_split_of_it(self):
        pipeline = self.shop("write: append")
        self.run_json(pipeline, "--only", "orders")
        self.assertEqual(self.rows("SELECT name FROM sqlite_master WHERE name = 'customers'"), [])
        split = self.patchbay("plan", pipeline, "--output", "json").json["splits"][0]
        (self.folder / "split.json").write_text(json.dumps(split))
        self.run_json(pipeline, "--split", "split.json")
        self.assertEqual(self.counts(), [2, 3])

    def test_a_look_at_one_branch(self):
        pipeline = self.shop("write: append")
        for arguments in ((), ("--node", "customers"), ("--node", "orders")):
            with self.subTest(arguments):
                shown = self.patchbay("preview", pipeline, *arguments, timeout=30)
                self.assertEqual(shown.code, 0, shown)
        self.assertFalse((self.folder / "out.db").exists())

    def test_one_source_into_two_sinks_and_over_two_ways_into_one(self):
        pipeline = self.pipeline("""
nodes:
  - {use: files, with: {path: orders.csv}}
  - {use: csv.decode, id: orders}
  - {use: fields, id: narrow, with: {keep: [id]}, streams: {orders: {rename: ids}}}
  - {use: fields, id: wide, from: [orders], with: {set: {shop: 5}}}
  - {use: sqlite, from: [narrow, wide], with: {path: out.db}}
  - {use: sqlite, id: second, from: [orders], with: {path: second.db}}
""")
        report = self.run_json(pipeline).json
        self.assertEqual(report["outcome"], "ok")
        self.assertEqual(self.rows("SELECT id FROM ids ORDER BY id"), [(1,), (2,), (3,)])
        self.assertEqual(self.rows("SELECT id, shop FROM orders ORDER BY id"), [(1, 5), (2, 5), (3, 5)])
        self.assertEqual(self.rows("SELECT customer FROM orders ORDER BY id", "second.db"), [(7,), (8,), (7,)])

    def into_two(self, write):
        return self.pipeline(f"""
name: two
nodes:
  - {{use: files, with: {{path: orders.csv}}}}
  - {{use: csv.decode, id: orders}}
  - {{use: sqlite, with: {{path: out.db, {write}}}}}
  - {{use: json.encode, from: [orders]}}
  - {{use: files, id: out, with: {{path: "out/{{key}}"}}}}
""")

    def lose(self, pipeline):
        """Kills a run once the first sink has committed, and takes away what the second has prepared."""
        listed = self.patchbay("run", pipeline, env={"PATCHBAY_FAULT": "list"})
        steps = [line.split()[-1] for line in listed.err.splitlines() if "durable step" in line]
        number = len(steps) - steps[::-1].index("sqlite.commit.after")
        self.assertEqual(self.patchbay("run", pipeline, env={"PATCHBAY_FAULT": str(number)}).code, -9)
        prepared = [file for file in (self.folder / "out").iterdir() if "patchbay" in file.name]
        self.assertEqual(len(prepared), 1)
        prepared[0].unlink()

    def test_what_one_of_two_sinks_lost_is_not_doubled_in_the_other(self):
        pipeline = self.into_two("write: append")
        self.lose(pipeline)
        before = self.rows("SELECT count(*) FROM orders")
        for _ in range(2):
            result = self.run_json(pipeline, code=7)
            self.assertEqual(result.json["error"]["node"], "out")
            self.assertIn("but sqlite has the same rows", result.json["error"]["message"])
            self.assertEqual(self.rows("SELECT count(*) FROM orders"), before)
            # The sinks are asked; that one of them has the rows has not changed.
            self.assertEqual(self.patchbay("state", "discard", pipeline).code, 0)
        with sqlite3.connect(self.folder / "out.db") as database:
            database.execute("DELETE FROM orders")
        self.assertEqual(self.patchbay("state", "discard", pipeline, "--again").code, 0)
        self.run_json(pipeline)
        self.assertEqual(self.rows("SELECT count(*) FROM orders"), [(3,)])
        self.assertEqual(len((self.folder / "out/orders.json").read_text().splitlines()), 3)

    def test_an_epoch_can_do_without_the_sink_that_lost_it(self):
        pipeline = self.into_two("write: append")
        self.lose(pipeline)
        before = self.rows("SELECT count(*) FROM orders")
        self.assertEqual(self.patchbay("state", "discard", pipeline, "--without", "out").code, 0)
        report = self.run_json(pipeline)
        self.assertEqual(report.stream["rows_recovered"], 3)
        self.assertEqual(self.rows("SELECT count(*) FROM orders"), before)

    def test_what_one_of_two_sinks_lost_is_read_again_where_that_doubles_nothing(self):
        pipeline = self.into_two("write: upsert, keys: [id]")
        self.lose(pipeline)
        self.run_json(pipeline)
        self.assertEqual(self.rows("SELECT count(*) FROM orders"), [(3,)])
        self.assertEqual(len((self.folder / "out/orders.json").read_text().splitlines()), 3)


if __name__ == "__main__":
    main()
