"""Queries that BigQuery runs over tables that are there: `sql` with engine: bigquery between two nodes of `bq`."""

import decimal
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time

from harness import BUILD, SOURCE, Server, SystemTest, main

EXAMPLE = "examples/user_behavior/user_behavior_in_bigquery.yaml"
FILL = """
name: fill
nodes:
  - {{use: files, id: purchase_files, from: [], with: {{path: examples/user_behavior/data/user_purchase.csv}}}}
  - use: csv.decode
    id: purchase_rows
    with: {{types: {{Quantity: int32, UnitPrice: "decimal128(8, 3)", CustomerID: int32}}, guess: false}}
  - use: fields
    id: purchases
    with: {{keep: [CustomerID, Quantity, UnitPrice], rename: {{CustomerID: customer_id, Quantity: quantity, UnitPrice: unit_price}}}}
    streams: {{user_purchase: {{rename: purchases}}}}
  - {{use: files, id: review_files, from: [], with: {{path: examples/user_behavior/data/movie_review.csv}}}}
  - {{use: csv.decode, id: review_rows, with: {{types: {{cid: int32, review_str: utf8, id_review: int64}}}}}}
  - use: tokenize
    id: reviews
    with: {{field: review_str, stop_words: english, contains: {{positive_review: good}}}}
    streams: {{movie_review: {{rename: reviews}}}}
  - use: bq
    from: [purchases, reviews]
    with: {{endpoint: "{bq}", project: demo, dataset: bootcamp, credentials: {{secret: bq}}, tables: {{purchases: user_purchase}}, write: replace}}
rejects: {{max: "2%"}}
"""
# Two tables of one dataset, a query, a sink.
PIPELINE = """
name: pushdown
retry: {{attempts: 3, delay: 1ms}}
{top}
nodes:
  - use: bq
    id: tables
    with: {{method: reference, endpoint: "{bq}", project: demo, dataset: d, tables: {{orders: orders, people: people}}, credentials: {{secret: bq}}}}
  - use: sql
    with: {{engine: bigquery, credentials: {{secret: bq}}, {query}}}
  - use: bq
    id: out
    with: {{endpoint: "{bq}", project: demo, dataset: d, credentials: {{secret: bq}}{more}}}
"""
SPENT = 'stream: spent, query: "SELECT person, sum(amount) AS amount, count(*) AS n FROM orders GROUP BY person"'


class PushdownTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.bq = Server("bigquery/server.py", folder)
        cls.addClassCleanup(cls.bq.stop)

    def setUp(self):
        super().setUp()
        self.bq.post("/_control/reset", {})
        account = json.dumps(self.bq.get("/_control/credentials"))
        self.environment.update(PATCHBAY_SECRET_BQ=account, PATCHBAY_SECRET_BIGQUERY_CREDENTIALS=account)

    def write(self, query=SPENT, more="", top="", **changes):
        text = PIPELINE.format(top=top, bq=self.bq.url, query=query, more=more)
        for old, new in changes.items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return self.pipeline(text)

    def orders(self, text="person,amount\na,0.1\na,0.2\nb,5\n"):
        (self.folder / "orders.csv").write_text(text)
        (self.folder / "people.csv").write_text("person,age\na,30\n")
        self.run_json(self.pipeline(f"""
nodes:
  - {{use: files, id: o, from: [], with: {{path: orders.csv}}}}
  - {{use: csv.decode, id: orders, with: {{types: {{person: utf8, amount: "decimal128(10, 2)"}}}}}}
  - {{use: files, id: p, from: [], with: {{path: people.csv}}}}
  - {{use: csv.decode, id: people, with: {{types: {{person: utf8, age: int64}}}}}}
  - {{use: bq, from: [orders, people], with: {{endpoint: "{self.bq.url}", project: demo, dataset: d, credentials: {{secret: bq}}, write: replace}}}}
""", "fill"), "--full-refresh")

    def plan(self, *arguments, code=0):
        result = self.patchbay("plan", *arguments, "--output", "json")
        self.assertEqual(result.code, code, result)
        return result

    def table(self, name="spent", dataset="d"):
        return self.bq.get(f"/_control/tables/demo/{dataset}/{name}")

    def spent(self, name="spent"):
        return sorted((row["person"], decimal.Decimal(row["amount"]), row["n"]) for row in self.table(name))

    def staging(self):
        return [t["table"] for t in self.bq.get("/_control/tables") if "_patchbay" in t["table"]]

    def seen(self):
        return [(r["method"], r["path"].removeprefix("/bigquery/v2/projects/demo")) for r in self.bq.get("/_control/requests")]


class UserBehaviorTest(PushdownTest):
    def setUp(self):
        super().setUp()
        os.symlink(SOURCE / "examples", self.folder / "examples")

    def metric(self):
        rows = self.table("user_behavior_metric", "bootcamp")
        self.assertEqual(len({row["insert_date"] for row in rows}), 1)
        return {row["customer_id"]: (None if row["amount_spent"] is None else decimal.Decimal(row["amount_spent"]), row["review_score"],
                                     row["review_count"]) for row in rows}

    def test_the_same_file_gives_the_same_rows_on_both_engines_however_often(self):
        fill = self.run_json(self.pipeline(FILL.format(bq=self.bq.url), "fill"))
        self.assertEqual(sum(stream["rows_rejected"] for stream in fill.json["streams"]), 5)
        setting = ("--set", f"bigquery={self.bq.url}")
        text = (SOURCE / EXAMPLE).read_text().replace("method: reference", "method: rows").replace("engine: bigquery", "engine: duckdb")
        self.run_json(self.pipeline(text, "embedded"), *setting)
        embedded = self.metric()
        self.bq.post("/_control/faults", [{"match": r"GET .*/data\b", "action": "status", "status": 400, "times": 99}])
        plan = self.plan(EXAMPLE, *setting).json
        self.assertEqual((plan["guarantee"], plan["sinks"][0]["steps"]), ("exactly_once", []))
        before = len(self.seen())
        for _ in range(2):
            report = self.run_json(EXAMPLE, *setting)
            self.assertEqual(self.metric(), embedded)
            self.assertEqual([(s["stream"], s["rows_read"], s["rows_written"]) for s in report.json["streams"]],
                             [("purchases", 0, 0), ("reviews", 0, 0), ("user_behavior", 0, len(embedded))])
        self.assertFalse([path for _, path in self.seen()[before:] if re.search(r"/data\b|/upload|/insertAll", path)])
        self.assertEqual(self.staging(), [])


class ResultsTest(PushdownTest):
    def setUp(self):
        super().setUp()
        self.orders()

    def test_replace_append_and_upsert(self):
        expected = [("a", decimal.Decimal("0.3"), 2), ("b", decimal.Decimal(5), 1)]
        pipeline = self.write(more=", write: replace")
        steps = self.plan(pipeline).json["sinks"][0]["steps"]
        self.assertEqual([(step["action"], step["table"]) for step in steps], [("create_table", "spent")])
        for _ in range(2):
            self.assertEqual(self.run_json(pipeline).json["streams"][-1]["rows_written"], 2)
            self.assertEqual(self.spent(), expected)
        self.run_json(self.write())
        self.assertEqual(self.spent(), sorted(2 * expected))
        self.run_json(self.write(more=", write: replace"))
        self.orders("person,amount\nb,6\nb,7\nc,1\n")
        self.assertEqual(self.run_json(self.write(more=", write: upsert, keys: [person]")).json["streams"][-1]["rows_written"], 2)
        self.assertEqual(self.spent(), [expected[0], ("b", decimal.Decimal(13), 2), ("c", decimal.Decimal(1), 1)])
        self.assertEqual(self.staging(), [])

    def test_an_empty_result_is_a_result(self):
        query = 'stream: spent, query: "SELECT person, sum(amount) AS amount, count(*) AS n FROM orders WHERE FALSE GROUP BY person"'
        self.run_json(self.write(more=", write: replace"))
        refused = self.run_json(self.write(query, more=", write: replace"), code=7)
        self.assertIn("set empty: allow if that is right", refused.out)
        self.assertEqual(len(self.table()), 2)
        self.run_json(self.write(query, more=", write: replace, empty: allow"))
        self.assertEqual(self.table(), [])

    def test_several_queries_and_their_names(self):
        queries = ('queries: {spent: "SELECT person, sum(amount) AS amount, count(*) AS n FROM orders GROUP BY person", '
                   'grown: "SELECT name.person AS who FROM people AS name WHERE age >= 18"}')
        report = self.run_json(self.write(queries, more=", write: replace")).json
        self.assertEqual({s["stream"]: s["rows_written"] for s in report["streams"] if not s["source"]}, {"spent": 2, "grown": 1})
        self.assertEqual(len(self.spent()), 2)
        self.assertEqual(self.table("grown"), [{"who": "a"}])

    def test_a_node_of_one_table_bears_its_name_and_queries_follow_each_other(self):
        pipeline = self.pipeline(f"""
nodes:
  - {{use: bq, id: sold, with: {{method: reference, endpoint: "{self.bq.url}", project: demo, dataset: d, tables: {{o: orders}}, credentials: {{secret: bq}}}}}}
  - {{use: sql, id: sums, with: {{engine: bigquery, credentials: {{secret: bq}}, stream: s, query: "SELECT person, sum(amount) AS amount FROM sold GROUP BY person"}}}}
  - {{use: sql, id: top, with: {{engine: bigquery, credentials: {{secret: bq}}, stream: best, query: "WITH m AS (SELECT max(amount) AS most FROM sums)\n SELECT person FROM sums JOIN m ON amount = most"}}}}
  - {{use: bq, id: out, with: {{endpoint: "{self.bq.url}", project: demo, dataset: d, credentials: {{secret: bq}}}}}}
""")
        self.assertEqual([s["name"] for s in self.plan(pipeline).json["streams"]], ["o", "s", "best"])
        self.run_json(pipeline)
        self.assertEqual(self.table("best"), [{"person": "b"}])

    def test_a_table_is_copied_where_it_is(self):
        pipeline = self.pipeline(f"""
nodes:
  - {{use: bq, id: from, with: {{method: reference, endpoint: "{self.bq.url}", project: demo, dataset: d, tables: {{orders: orders}}, credentials: {{secret: bq}}}}}}
  - {{use: bq, id: to, with: {{endpoint: "{self.bq.url}", project: demo, dataset: kept, credentials: {{secret: bq}}}}}}
""")
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 3)
        self.assertEqual(self.table("orders", "kept"), self.table("orders"))

    def test_a_column_that_the_table_lacks_follows_the_policy(self):
        wider = SPENT.replace("count(*) AS n", "count(*) AS n, max(amount) AS most")
        self.run_json(self.write(more=", write: replace"))
        before = self.spent()
        self.run_json(self.write(wider, more=", write: replace"), code=9)
        self.assertEqual(self.spent(), before)
        self.run_json(self.write(wider, more=", write: replace", top="on_schema_change: ignore"))
        self.assertEqual(self.spent(), before)
        self.run_json(self.write(wider, more=", write: replace", top="on_schema_change: evolve"))
        self.assertEqual(sorted(row["most"] for row in self.table()), ["0.2", "5"])


class FaultsTest(PushdownTest):
    def setUp(self):
        super().setUp()
        self.orders()

    def refused(self, code, *parts, query=SPENT, verb="plan", **changes):
        result = self.patchbay(verb, self.write(query, **changes), "--output", "json")
        self.assertEqual(result.code, code, result)
        for part in parts:
            self.assertIn(part, result.out + result.err)
        return result

    def test_wrong_wiring_is_seen_without_running_anything(self):
        source = 'method: reference, endpoint'
        self.refused(3, "node sql (engine: bigquery) works on tables inside bigquery, and tables sends rows", verb="validate", **{source: "endpoint"})
        self.refused(3, "node sql (engine: duckdb) takes rows, and those of tables (method: reference) stay inside bigquery", verb="validate",
                     **{"engine: bigquery": "engine: duckdb"})
        self.refused(3, "node out (method: stream) takes rows, and those of sql (engine: bigquery) stay inside bigquery", verb="validate",
                     more=", method: stream")
        to_sqlite = "use: bq\n    id: out\n    with: {endpoint: \"" + self.bq.url + '", project: demo, dataset: d, credentials: {secret: bq}}'
        self.refused(3, "node out takes rows, and those of sql (engine: bigquery) stay inside bigquery", verb="validate",
                     **{to_sqlite: "use: sqlite\n    id: out\n    with: {path: x.db}"})
        self.refused(3, "tables: missing, needed with method: reference", verb="validate",
                     **{"tables: {orders: orders, people: people}": "query: SELECT 1"})
        self.assertEqual(self.staging(), [])

    def test_tables_of_another_server_or_location_are_refused(self):
        other = Server("bigquery/server.py", self.folder)
        self.addCleanup(other.stop)
        last = f'id: out\n    with: {{endpoint: "{self.bq.url}"'
        for verb in ("plan", "run"):
            self.refused(3, f"stream spent: is at endpoint {self.bq.url}, and not at {other.url}", verb=verb,
                         **{last: f'id: out\n    with: {{endpoint: "{other.url}"'})
            self.refused(3, "stream spent: is at location US, and not at EU", verb=verb, more=", location: EU")

    def test_a_wrong_query_is_shown_with_its_place_in_the_file(self):
        (self.folder / "q.sql").write_text("-- spent by person\nSELECT person,\n  sum(amuont) AS x\nFROM orders GROUP BY person;\n")
        for verb in ("plan", "run"):
            self.refused(3, "q.sql: line 3, column 7: Unrecognized name: amuont", query="query_file: q.sql", verb=verb)
        self.refused(3, 'query: Table \\"order\\" must be qualified with a dataset', "what comes in is orders, people, did you mean orders?",
                     query='query: "SELECT max(person) AS p FROM order_"'.replace("order_", "`order`"))
        self.refused(3, "query: column 2 has no name; give it one with AS", query='query: "SELECT person, count(*) FROM orders GROUP BY person"')

    def test_what_is_missing_or_forbidden(self):
        self.refused(7, "table nosuch: is not in dataset d", **{"orders: orders": "orders: nosuch"})
        self.refused(7, "query: Not found: Table demo:d.nosuch", query='query: "SELECT max(a) AS m FROM `demo.d.nosuch`"')
        denied = json.dumps({"error": {"code": 403, "message": "Access Denied: Table demo:d.orders", "errors": [{"reason": "accessDenied"}]}})
        self.bq.post("/_control/faults", [{"match": "POST .*/jobs$", "action": "status", "status": 403, "body": denied, "times": 9}])
        for verb in ("plan", "run"):
            self.refused(4, "Access Denied: Table demo:d.orders", verb=verb)

    def test_a_value_that_does_not_fit_stays_out_of_the_message_and_changes_nothing(self):
        self.run_json(self.write(more=", write: replace"))
        before = self.spent()
        query = 'stream: spent, query: "SELECT person, sum(amount) AS amount, sum(CAST(person AS INT64)) AS n FROM orders GROUP BY person"'
        self.orders("person,amount\nPHI-Anna,1\n")
        result = self.refused(7, "Bad int64 value; the job's page in the Google Cloud console", query=query, verb="run", more=", write: replace")
        self.assertNotIn("PHI", result.out + result.err)
        self.assertEqual((self.spent(), self.staging()), (before, []))
        self.run_json(self.write(more=", write: replace"))  # what failed was no epoch: nothing of it is tried again

    def test_types_that_do_not_go_into_the_table_are_told_before_it_runs(self):
        self.run_json(self.write(more=", write: replace"))
        before = self.spent()
        query = SPENT.replace("sum(amount) AS amount", "CAST(sum(amount) AS BIGNUMERIC) AS amount")
        self.refused(9, "stream spent: does not go into the table spent: Query column 2 has type BIGNUMERIC which cannot be inserted", query=query,
                     verb="run", more=", write: replace")
        self.assertEqual((self.spent(), self.staging()), (before, []))

    def test_a_query_that_runs_is_cancelled_with_the_run(self):
        self.run_json(self.write())
        before = self.spent()
        self.bq.post("/_control/jobs", {"pending_polls": 100000})
        run = subprocess.Popen([BUILD / "patchbay", "--state-dir", self.folder / "state", "run", self.write()], cwd=self.folder, env=self.environment,
                               stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(run.kill)
        deadline = time.monotonic() + 60
        while not any(re.search("/jobs/_patchbay.*_query", path) for _, path in self.seen()):
            self.assertLess(time.monotonic(), deadline)
            select.select([], [], [], 0.02)
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(20), 130)
        self.assertTrue([path for method, path in self.seen() if method == "POST" and re.search("_query/cancel", path)])
        self.bq.post("/_control/jobs", {})
        self.assertEqual((self.spent(), self.staging()), (before, []))

    def test_rows_that_do_not_pass_cannot_be_counted_off_or_shown(self):
        result = self.patchbay("run", self.write(), "--limit", "1")
        self.assertEqual((result.code, "--limit: the rows of tables stay inside bigquery" in result.err), (2, True), result)
        result = self.patchbay("preview", self.write())
        self.assertEqual((result.code, "its rows stay inside bigquery" in result.err), (2, True), result)

    def test_answers_that_are_lost_after_the_work_was_done(self):
        """Two dry runs, the query, the copy; tables are made and dropped again."""
        pipeline = self.write()
        self.run_json(pipeline)
        once = self.spent()
        for skip, match in ((0, "POST .*/jobs$"), (1, "POST .*/jobs$"), (2, "POST .*/jobs$"), (3, "POST .*/jobs$"), (0, "POST .*/tables$"), (0, "DELETE .*/tables")):
            with self.subTest(match, skip=skip):
                self.bq.post("/_control/faults", [{"match": match, "skip": skip, "action": "lost"}])
                before = self.spent()
                self.run_json(pipeline)
                self.assertEqual(self.spent(), sorted(before + once))
        self.assertEqual(self.staging(), [])

    def test_kill_at_every_durable_step(self):
        """Each run's rows are there once, whenever it was killed."""
        self.run_json(self.write())
        once, runs = self.spent(), 2
        listed = self.patchbay("run", self.write(), env={"PATCHBAY_FAULT": "list"})
        steps = [(int(number), name) for number, name in re.findall(r"durable step (\d+): (\S+)", listed.err)]
        committed = next(number for number, name in steps if name == "state.committed.after")
        self.assertTrue({"bq.query.before", "bq.query.after", "bq.commit.before", "bq.commit.after"} <= {name for _, name in steps}, steps)
        for number, name in steps:
            with self.subTest(name, step=number):
                killed = self.patchbay("run", self.write(), env={"PATCHBAY_FAULT": str(number)})
                self.assertEqual(killed.code, -signal.SIGKILL)
                self.run_json(self.write())
                # What a run left prepared is the next run's reading.
                runs += 2 if number >= committed else 1
                self.assertEqual(self.spent(), sorted(once * runs))
                self.assertEqual(self.staging(), [])


if __name__ == "__main__":
    main()
