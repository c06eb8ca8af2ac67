"""Queries of any shape, dry runs and destinations, through Google's client library."""

import datetime
from decimal import Decimal

from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.cloud.bigquery import QueryJobConfig, Table
from google.cloud.bigquery import SchemaField as Field

from official_client import OfficialClientTest, main

SALES = [{"name": "customer", "type": "INTEGER"}, {"name": "quantity", "type": "INTEGER"}, {"name": "price", "type": "NUMERIC"},
         {"name": "note", "type": "STRING"}, {"name": "sold", "type": "TIMESTAMP"}, {"name": "tags", "type": "STRING", "mode": "REPEATED"}]
ROWS = [{"customer": 1, "quantity": 3, "price": "0.10", "sold": "2026-01-01T00:00:00Z", "tags": ["a", "b"], "note": "x"},
        {"customer": 1, "quantity": 1, "price": "0.2", "sold": "2026-01-02T00:00:00Z"},
        {"customer": None, "quantity": 2, "price": "12345678901234567890.123456789"}]
SPENT = """WITH spent AS (
  SELECT customer, sum(quantity * price) AS amount -- in "money"
  FROM `demo.d.sales`
  GROUP BY customer
)
SELECT * FROM spent ORDER BY amount"""


class QueriesTest(OfficialClientTest):
    def setUp(self):
        super().setUp()
        self.make("sales", SALES)
        self.insert(*ROWS, table="demo.d.sales")

    def query(self, sql, **config):
        job = self.client.query(sql, job_config=QueryJobConfig(**config), job_retry=None)
        return [dict(row) for row in job.result()]

    def run_as(self, job_id, sql, **config):
        job = self.client.query(sql, job_id=job_id, job_config=QueryJobConfig(**config), job_retry=None)
        job.result()
        return job

    def refusal(self, sql, **config):
        with self.assertRaises(GoogleAPICallError) as caught:
            self.query(sql, **config)
        return caught.exception


class SelectTest(QueriesTest):
    def test_sums_of_money_are_exact(self):
        self.assertEqual(self.query(SPENT), [{"customer": 1, "amount": Decimal("0.5")},
                                             {"customer": None, "amount": Decimal("24691357802469135780.246913578")}])

    def test_types_come_back_as_bigquery_has_them(self):
        sql = """SELECT 1 AS i, 1.5 AS f, CAST('2.5' AS NUMERIC) AS n, TRUE AS b, "it's" AS s, DATE '2026-01-31' AS d, sold AS ts, tags,
                   CAST(sold AS DATE) = d0 AS same, SAFE_CAST('x' AS INT64) AS nothing, count(*)
                 FROM demo.d.sales JOIN (SELECT DATE '2026-01-01' AS d0) ON TRUE WHERE quantity = 3 GROUP BY sold, tags, d0 # end"""
        utc = datetime.timezone.utc
        self.assertEqual(self.query(sql), [{
            "i": 1, "f": 1.5, "n": Decimal("2.5"), "b": True, "s": "it's", "d": datetime.date(2026, 1, 31),
            "ts": datetime.datetime(2026, 1, 1, tzinfo=utc), "tags": ["a", "b"], "same": True, "nothing": None, "f10_": 1}])

    def test_a_query_below_its_tables_may_have_a_with_of_its_own(self):
        self.assertEqual(self.query("WITH `t` AS (SELECT * FROM `demo.d.sales`) SELECT * FROM (\nWITH a AS (SELECT quantity FROM t) "
                                    "SELECT max(quantity) AS most FROM a -- end\n)"), [{"most": 3}])

    def test_errors_name_their_place(self):
        for sql, place in (("SELECT customer,\n  nosuch + 1 AS x FROM demo.d.sales", "Unrecognized name: nosuch at [2:3]"),
                           ("SELECT sum(quantity) AS x\nFROM `demo.d.sales` GROUP BY", "Syntax error: Unexpected"),
                           ("SELECT\n nosuch(quantity) AS x FROM `demo.d.sales`", "Function not found: nosuch at [2:2]"),
                           ("SELECT sum(quantity)\n FILTER (WHERE TRUE) FROM demo.d.sales", 'Unexpected "FILTER" at [2:2]'),
                           ("SELECT quantity::STRING, 1 AS one FROM demo.d.sales", 'Unexpected "::" at [1:16]')):
            with self.subTest(sql):
                for config in ({}, {"dry_run": True}):
                    error = self.refusal(sql, **config)
                    self.assertIsInstance(error, BadRequest)
                    self.assertIn(place, error.message)
                    self.assertEqual(error.errors[0]["reason"], "invalidQuery")

    def test_what_is_missing_is_named(self):
        for config in ({}, {"dry_run": True}):
            missing = self.refusal("SELECT sum(x) AS x FROM demo.d.none", **config)
            self.assertEqual((type(missing), missing.errors[0]["reason"]), (NotFound, "notFound"))
            self.assertIn("Not found: Table demo:d.none", missing.message)
            bare = self.refusal("SELECT sum(x) AS x FROM sales", **config)
            self.assertIn('Table "sales" must be qualified with a dataset', bare.message)

    def test_values_that_do_not_fit_fail_when_it_runs(self):
        sql = "SELECT CAST(note AS INT64) AS n FROM `demo.d.sales` WHERE quantity = 3"
        self.assertEqual(self.client.query(sql, job_config=QueryJobConfig(dry_run=True)).schema, [Field("n", "INTEGER")])
        self.assertIn("Bad int64 value: x", self.refusal(sql).message)


class DryRunTest(QueriesTest):
    def test_tells_the_columns_and_runs_nothing(self):
        job = self.client.query(SPENT, job_config=QueryJobConfig(dry_run=True))
        self.assertEqual(job.schema, [Field("customer", "INTEGER"), Field("amount", "NUMERIC")])
        self.assertEqual((job.state, job.total_bytes_processed, job.statement_type), ("DONE", 0, "SELECT"))
        insert = "INSERT INTO demo.d.sales (customer) SELECT max(customer) FROM demo.d.sales"
        self.client.query(insert, job_config=QueryJobConfig(dry_run=True))
        self.assertEqual(len(self.rows("sales")), 3)

    def test_leaves_its_id_free(self):
        self.client.query(SPENT, job_id="once", job_config=QueryJobConfig(dry_run=True), job_retry=None)
        self.run_as("once", SPENT)
        self.assert_refused(Conflict, "duplicate", self.run_as, "once", SPENT)


class CancelTest(QueriesTest):
    def test_a_job_that_runs_takes_the_wish(self):
        self.server.post("/_control/jobs", {"pending_polls": 2})
        job = self.client.query(SPENT, job_id="long", job_retry=None)
        self.assertTrue(job.cancel())
        self.assert_refused(NotFound, "notFound", self.client.cancel_job, "none")


class DestinationTest(QueriesTest):
    def amounts(self, table="out"):
        return [str(row["amount"]) for row in self.rows(table)]

    def test_dispositions(self):
        some = SPENT.replace("ORDER BY amount", "WHERE customer = 1")
        for disposition, expected in ((None, 1), ("WRITE_APPEND", 2), ("WRITE_TRUNCATE", 1)):
            config = {"write_disposition": disposition} if disposition else {}
            job = self.run_as(f"job_{disposition}", some, destination="demo.d.out", **config)
            self.assertEqual((job.destination.table_id, self.amounts()), ("out", ["0.5"] * expected))
        self.assertEqual(self.refusal(some, destination="demo.d.out").errors[0]["reason"], "duplicate")
        never = self.refusal(some, destination="demo.d.other", create_disposition="CREATE_NEVER")
        self.assertEqual(never.errors[0]["reason"], "notFound")

    def test_the_id_counts_once_and_finds_its_job(self):
        self.run_as("once", SPENT, destination="demo.d.out", write_disposition="WRITE_APPEND")
        self.assert_refused(Conflict, "duplicate", self.run_as, "once", SPENT, destination="demo.d.out", write_disposition="WRITE_APPEND")
        self.assertEqual(len(self.rows("out")), 2)
        found = self.client.get_job("once")
        self.assertEqual((found.state, found.error_result, found.destination.table_id), ("DONE", None, "out"))

    def test_other_columns_do_not_fit(self):
        self.make("out", [{"name": "customer", "type": "INTEGER"}, {"name": "amount", "type": "STRING"}])
        append = {"destination": "demo.d.out", "write_disposition": "WRITE_APPEND"}
        self.assertEqual(self.refusal(SPENT, **append).errors[0]["reason"], "invalid")
        self.run_as("over", SPENT, destination="demo.d.out", write_disposition="WRITE_TRUNCATE")
        self.assertEqual([field.field_type for field in self.client.get_table("demo.d.out").schema], ["INTEGER", "NUMERIC"])

    def test_a_query_that_fails_leaves_the_table_as_it_was(self):
        self.run_as("first", SPENT, destination="demo.d.out")
        self.refusal("SELECT CAST('x' AS NUMERIC) AS amount, 1 AS customer", destination="demo.d.out", write_disposition="WRITE_TRUNCATE")
        self.assertEqual(len(self.rows("out")), 2)


class InsertTest(QueriesTest):
    def setUp(self):
        super().setUp()
        self.client.create_table(Table("demo.d.out", [Field("amount", "NUMERIC"), Field("customer", "FLOAT"),
                                                      Field("id", "INTEGER"), Field("name", "STRING")]))

    def test_a_query_fills_the_columns_that_are_named(self):
        job = self.run_as("once", f"INSERT INTO `demo.d.out` (`customer`, `amount`, id)\nSELECT `customer`, `amount`, ROW_NUMBER() OVER ()\n"
                                  f"FROM (\n{SPENT}\n)")
        self.assertEqual((job.num_dml_affected_rows, job.statement_type), (2, "INSERT"))
        rows = sorted(self.rows("out"), key=lambda row: row["amount"])
        self.assertEqual([(row["customer"], row["name"]) for row in rows], [(1.0, None), (None, None)])
        self.assertEqual(sorted(row["id"] for row in rows), [1, 2])

    def test_types_that_are_not_wider_are_refused(self):
        error = self.refusal(f"INSERT INTO demo.d.out (name) SELECT amount FROM (\n{SPENT}\n)")
        self.assertIn("Query column 1 has type NUMERIC which cannot be inserted into column name, which has type STRING", error.message)
        error = self.refusal("INSERT INTO demo.d.out (name) SELECT max(nosuch) FROM demo.d.sales")
        self.assertIn("Unrecognized name: nosuch at [1:42]", error.message)
        self.assertEqual(self.rows("out"), [])


if __name__ == "__main__":
    main()
