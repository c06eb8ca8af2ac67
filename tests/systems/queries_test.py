"""The transform sql as users meet it: in pipelines, with their mistakes, under signals."""

import json
import time

from harness import BUILD, SystemTest, main
from operations import Run, until

JOIN = """
name: joined
nodes:
  - {{use: files, id: left_file, from: [], with: {{path: left.csv}}}}
  - {{use: csv.decode, id: sold}}
  - {{use: files, id: right_file, from: [], with: {{path: right.csv}}}}
  - {{use: csv.decode, id: prices}}
  - use: sql
    from: [sold, prices]
    with: {with_}
  - {{use: sqlite, with: {{path: out.db, write: replace}}}}
"""


class SqlTest(SystemTest):
    def setUp(self):
        super().setUp()
        (self.folder / "left.csv").write_text("item,pieces\napple,3\npear,2\nplum,\n")
        (self.folder / "right.csv").write_text("item,price\napple,0.10\npear,0.25\n")

    def join(self, **options):
        return self.pipeline(JOIN.format(with_=json.dumps(options)))

    def test_tables_bear_the_names_of_nodes_and_of_streams(self):
        for left, right in (("sold", "prices"), ("left", "right"), ("sold.left", "prices.right")):
            left, right = (".".join(f'\\"{part}\\"' for part in name.split(".")) for name in (left, right))
            query = f"SELECT item, pieces * price::decimal(8, 2) AS amount FROM {left} AS a JOIN {right} AS b USING (item) ORDER BY item"
            self.run_json(self.pipeline(JOIN.format(with_='{query: "' + query + '", stream: sales}')))
            self.assertEqual(self.rows("SELECT item, amount FROM sales"), [("apple", "0.30"), ("pear", "0.50")])

    def test_several_results(self):
        file = self.pipeline(JOIN.format(with_="{queries: {sums: 'SELECT sum(pieces) AS n FROM sold', items: 'SELECT item FROM sold ORDER BY 1'}}"))
        self.run_json(file)
        self.assertEqual(self.rows("SELECT n FROM sums"), [(5,)])
        self.assertEqual(self.rows("SELECT item FROM items"), [("apple",), ("pear",), ("plum",)])

    def parquet(self, name, text):
        (self.folder / f"{name}.csv").write_text(text)
        self.run_json(self.pipeline("nodes:\n"
                                    f"  - {{use: files, with: {{path: {name}.csv}}}}\n  - use: csv.decode\n  - use: parquet.encode\n"
                                    '  - {use: files, id: out, with: {path: "in/{key}"}}\n', "make"))

    def over_files(self, query, path="in/*.parquet"):
        return self.pipeline(f"""
name: over_files
nodes:
  - {{use: files, id: orders, from: [], with: {{path: "{path}", stream: orders}}}}
  - {{use: files, id: right_file, from: [], with: {{path: right.csv}}}}
  - {{use: csv.decode, id: prices}}
  - {{use: sql, from: [orders, prices], with: {{files: parquet, spill_directory: "day=1", stream: sums, query: "{query}"}}}}
  - {{use: sqlite, with: {{path: out.db, write: replace}}}}
""", "over_files")

    def test_parquet_files_are_read_by_the_engine(self):
        (self.folder / "day=1").mkdir()
        self.parquet("a", "item,pieces\napple,3\npear,2\n")
        self.parquet("b", "pieces,item,note\n4,apple,late\n")
        query = "SELECT item, sum(pieces * price::decimal(8, 2))::varchar AS amount, max(note) AS note FROM orders JOIN prices USING (item) GROUP BY item ORDER BY item"
        pipeline = self.over_files(query)
        self.assertEqual(self.patchbay("plan", pipeline).code, 0)
        self.run_json(pipeline)
        self.assertEqual(self.rows("SELECT * FROM sums"), [("apple", "0.70", "late"), ("pear", "0.50", None)])
        self.assertEqual(list((self.folder / "day=1").iterdir()), [])
        (self.folder / "out.db").unlink()
        self.run_json(self.over_files("SELECT * FROM orders ORDER BY ALL"))  # day is no column of theirs
        self.assertEqual(self.rows("SELECT * FROM sums"), [("apple", 3, None), ("apple", 4, "late"), ("pear", 2, None)])

    def test_files_that_are_no_parquet_or_damaged(self):
        (self.folder / "day=1").mkdir()
        self.parquet("a", "item,pieces\n" + "".join(f"some text {i * 7919 % 1000},{i}\n" for i in range(20000)))
        file = self.folder / "in/a.parquet"
        whole = file.read_bytes()
        middle = bytearray(whole)
        middle[1000:9000] = bytes(255 - byte for byte in middle[1000:9000])
        for damaged, message in ((whole[:-100], "can't be read as Parquet"), (b"item,pieces\n", "can't be read as Parquet"), (middle, "is damaged: its rows can't be read")):
            file.write_bytes(damaged)
            result = self.patchbay("run", self.over_files("SELECT item, sum(pieces) AS n FROM orders GROUP BY item"))
            self.assertEqual(result.code, 7, result)
            self.assertIn(f"in/a.parquet: {message}", result.out + result.err)

    def test_no_other_files_can_be_reached(self):
        (self.folder / "day=1").mkdir()
        self.parquet("a", "item,pieces\napple,3\n")
        for query in (f"SELECT * FROM '{self.folder}/in/a.parquet'", "SELECT * FROM read_text('day=1/../right.csv')"):
            result = self.patchbay("run", self.over_files(query))
            self.assertEqual(result.code, 3, result)
            self.assertIn("disabled by configuration", result.out + result.err)

    def test_one_node_that_feeds_two_inputs_does_not_stop(self):
        (self.folder / "left.csv").write_text("item,pieces\n" + "".join(f"{'x' * 200}{i},1\n" for i in range(60000)))
        for order in ("[one, two]", "[two, one]"):
            self.run_json(self.pipeline(f"""
name: diamond
nodes:
  - {{use: files, with: {{path: left.csv}}}}
  - {{use: csv.decode, id: rows}}
  - {{use: fields, id: one, from: rows, with: {{keep: [item]}}}}
  - {{use: fields, id: two, from: rows, with: {{keep: [item, pieces]}}}}
  - {{use: sql, from: {order}, with: {{query: "SELECT count(*) AS n FROM one JOIN two USING (item)", stream: counted}}}}
  - {{use: sqlite, with: {{path: out.db, write: replace}}}}
"""))
            self.assertEqual(self.rows("SELECT n FROM counted"), [(60000,)])

    def test_what_is_wrong_with_a_query_is_said_with_its_place(self):
        (self.folder / "q.sql").write_text("-- sales\nSELECT item,\n       amont\nFROM sold\n")
        cases = [
            ({"query_file": "q.sql"}, 3, "q.sql: line 3, column 8: Binder Error: Referenced column \"amont\" not found"),
            ({"query_file": "no.sql"}, 3, "query_file: no.sql: cannot be read: No such file or directory"),
            ({"query": "SELECT * FROM slod"}, 3, "there is no table slod; what comes in is sold, left, prices, right, did you mean sold?"),
            ({"query": "COPY sold TO 'x.csv'"}, 3, "must be one query that reads, such as a SELECT, and begins with COPY"),
            ({"query": "SELECT 1; DROP TABLE sold"}, 3, "more than one statement"),
            ({"query": "SELECT * FROM read_csv('left.csv')"}, 3, "disabled by configuration"),
            ({"query": "SELECT item::int AS n FROM sold"}, 7, "query: line 1, column 12: a value can't be converted"),
            ({"query": "SELECT 1", "query_file": "q.sql"}, 3, "pipeline.yaml:10:33: query_file: not together with query"),
            ({}, 3, "needs query or query_file or queries"),
            ({"query": "SELECT 1", "memory_limit": "much"}, 3, "memory_limit"),
            ({"query": "SELECT 1", "spill_directory": "no/folder"}, 3, "spill_directory: no/folder"),
        ]
        for options, code, message in cases:
            with self.subTest(options):
                result = self.patchbay("run", self.join(**options))
                self.assertEqual(result.code, code, result)
                self.assertIn(message, result.out + result.err)
                self.assertNotIn("apple", result.out + result.err)
                self.assertFalse((self.folder / "x.csv").exists())

    def test_two_results_of_one_name_are_a_fault_of_the_file(self):
        result = self.patchbay("validate", self.pipeline(JOIN.format(with_="{queries: {a: SELECT 1, a: SELECT 2}}")))
        self.assertEqual(result.code, 3, result)

    def test_plan_tells_the_result_without_data(self):
        self.run_json(self.pipeline("nodes:\n  - {use: files, with: {path: left.csv}}\n  - use: csv.decode\n"
                                    "  - {use: sqlite, with: {path: in.db, write: replace}}\n", "load"))
        file = self.pipeline("""
nodes:
  - {use: sqlite, id: shop, from: [], with: {path: in.db}}
  - {use: sql, with: {query: 'SELECT item, sum(pieces) AS pieces FROM shop GROUP BY item', stream: sums}}
  - {use: sqlite, id: out, with: {path: out.db, write: replace}}
""")
        plan = self.patchbay("plan", file, "--output", "json")
        self.assertEqual(plan.code, 0, plan)
        sums = next(stream for stream in plan.json["streams"] if stream["node"] == "sql")
        self.assertEqual([(f["name"], f["type"]) for f in sums["fields"]], [("item", "utf8"), ("pieces", "int64")])
        self.assertEqual(plan.json["sinks"][0]["steps"][0]["table"], "sums")

    def test_a_signal_ends_a_long_query(self):
        file = self.join(query="SELECT count(*) AS n FROM sold, range(1000000) a(x), range(1000000) b(y) WHERE hash(x + y) % 7 = 1")
        run = Run(self.command("run", file, "--progress", "none", "--log-level", "debug"), self.folder, self.environment)
        self.addCleanup(run.stop)
        until(lambda: any((self.folder / "state").rglob("*")), "the run began")
        began = time.monotonic()
        run.signal(15)
        result = run.finish()
        self.assertEqual(result.code, 143, result)
        self.assertLess(time.monotonic() - began, 10)

    def command(self, *arguments):
        return [str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), *arguments]


if __name__ == "__main__":
    main()
