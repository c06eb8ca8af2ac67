"""Purchases and reviews to one row per customer: the pipelines of examples/user_behavior, stage by stage and as one.

What the Spark jobs that they replace got wrong is tested by name: files that do not line up, float money, lost ids, doubled
re-runs, shifted columns, silent nulls, implicit casts, counts that nobody compared.
"""

import collections
import csv
import decimal
import json
import os
import struct
import subprocess
import sys

from harness import SOURCE, Server, SystemTest, main
from postgres_server import PASSWORD, Postgres

DATA = SOURCE / "examples/user_behavior/data"


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def expected():
    """The same by hand: {customer: (amount, score, count)}, exact. None is who bought without a customer id."""
    spent, score, count = {}, collections.Counter(), collections.Counter()
    with open(DATA / "user_purchase.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            customer = int(row["CustomerID"]) if row["CustomerID"] else None
            spent[customer] = spent.get(customer, 0) + int(row["Quantity"]) * decimal.Decimal(row["UnitPrice"])
    with open(DATA / "movie_review.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["cid"].isdigit():
                continue
            words = "".join(c if c.isascii() and (c.isalnum() or c == "_") else " " for c in row["review_str"].lower()).split()
            count[int(row["cid"])] += 1
            score[int(row["cid"])] += "good" in words
    return {key: (spent.get(key), score[key] if count[key] else None, count[key] or None) for key in {*spent, *count}}


class UserBehaviorTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()

    @classmethod
    def tearDownClass(cls):
        cls.postgres.remove()

    def setUp(self):
        super().setUp()
        os.symlink(SOURCE / "examples", self.folder / "examples")
        self.bq = Server("bigquery/server.py", self.folder)
        self.addCleanup(self.bq.stop)
        self.postgres.sql("DROP SCHEMA IF EXISTS bootcampdb CASCADE")
        self.environment.update(PATCHBAY_SECRET_POSTGRES_PASSWORD=PASSWORD,
                                PATCHBAY_SECRET_BIGQUERY_CREDENTIALS=json.dumps(self.bq.get("/_control/credentials")))
        self.settings = {"raw": "examples/user_behavior/data", "staging": str(self.folder / "staging"), "postgres": self.postgres.uri,
                         "bigquery": self.bq.url, "project": "demo"}

    def example(self, name, code=0, **settings):
        file = f"examples/user_behavior/{name}.yaml"
        text = (SOURCE / file).read_text()
        chosen = {key: value for key, value in {**self.settings, **settings}.items() if f"\n  {key}:" in text}
        return self.run_json(file, *[part for key, value in chosen.items() for part in ("--set", f"{key}={value}")], code=code)

    def stages(self):
        return [self.example(name) for name in ("1_csv_to_postgres", "2_postgres_to_bucket", "3_reviews", "4_user_behavior", "5_to_bigquery")]

    def metric(self):
        """{customer: (amount, score, count)} as BigQuery has it; every customer once."""
        rows = self.bq.get("/_control/tables/demo/bootcamp/user_behavior_metric")
        out = {row["customer_id"]: (None if row["amount_spent"] is None else decimal.Decimal(str(row["amount_spent"])), row["review_score"],
                                    row["review_count"]) for row in rows}
        self.assertEqual(len(out), len(rows))
        self.assertEqual(len({row["insert_date"] for row in rows}), 1)
        return out

    def test_the_stages_twice_with_the_same_result(self):
        for _ in range(2):
            reports = [run.json["streams"] for run in self.stages()]
            purchases, staged, reviews = reports[0][0], reports[1][0], reports[2][0]
            self.assertEqual(purchases["rows_written"], staged["rows_read"])
            self.assertEqual((purchases["rows_read"], staged["rows_written"]), (600, 600))
            self.assertEqual((reviews["rows_read"], reviews["rows_written"], reviews["rows_rejected"]), (300, 295, 5))
            read = {stream["stream"]: stream["rows_read"] for stream in reports[3] if stream["rows_read"]}
            self.assertEqual(read, {"user_purchase": 600, "reviews": 295})
            self.assertEqual(self.metric(), expected())
            self.assertEqual(reports[4][0]["rows_written"], len(expected()))
        (rows, total), = self.postgres.sql("SELECT count(*), sum(quantity * unit_price) FROM bootcampdb.user_purchase")
        self.assertEqual((rows, decimal.Decimal(total)), ("600", sum(amount for amount, _, _ in expected().values() if amount)))

    def test_the_whole_at_once_gives_the_same(self):
        for _ in range(2):
            result = self.example("user_behavior")
            self.assertEqual(self.metric(), expected())
            self.assertEqual(sum(stream["rows_rejected"] for stream in result.json["streams"]), 5)
            self.assertEqual(result.json["guarantee"], "exactly_once")

    def test_money_is_exact_and_adds_up(self):
        self.example("user_behavior")
        total = sum(amount for amount, _, _ in self.metric().values() if amount is not None)
        with open(DATA / "user_purchase.csv", encoding="utf-8", newline="") as file:
            self.assertEqual(total, sum(int(r["Quantity"]) * decimal.Decimal(r["UnitPrice"]) for r in csv.DictReader(file)))

    def test_reviewers_without_purchases_keep_their_id(self):
        self.example("user_behavior")
        only_reviewed = {key: row for key, row in self.metric().items() if row[0] is None}
        self.assertTrue(only_reviewed)
        self.assertNotIn(None, only_reviewed)
        never_reviewed = [row for key, row in self.metric().items() if key is not None and row[2] is None]
        self.assertTrue(never_reviewed)
        self.assertTrue(all(row[1] is None for row in never_reviewed))  # null, not 0

    def test_ids_that_are_no_numbers_are_refused_with_their_line(self):
        self.example("3_reviews")
        rejects = self.patchbay("rejects", "list", "reviews", "--output", "json").json
        self.assertEqual(len(rejects), 5)
        self.assertTrue(all("cid" in reject["reason"] and reject["position"]["line"] for reject in rejects), rejects)
        self.assertNotIn("16579", json.dumps([reject["reason"] for reject in rejects]))

    def test_float32_money_reproduces_the_old_numbers(self):
        (self.folder / "raw").mkdir()
        (self.folder / "raw/user_purchase.csv").write_text(
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
            "536365,85123A,HEART,1,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
            "536366,71053,LANTERN,6,2010-12-01 08:28:00,3.39,13047,United Kingdom\n")
        (self.folder / "raw/movie_review.csv").write_text("cid,review_str,id_review\n17850,not good,1\n")
        self.example("user_behavior", raw="raw", query="examples/user_behavior/user_behavior_float32.sql")
        rows = {row["customer_id"]: row["amount_spent"] for row in self.bq.get("/_control/tables/demo/bootcamp/user_behavior_metric")}
        self.assertEqual(rows, {17850: 2.549999952316284, 13047: float32(6 * float32(3.39))})

    def test_rows_that_shifted_in_spark_stay_in_their_columns(self):
        (self.folder / "raw").mkdir()
        (self.folder / "raw/user_purchase.csv").write_text(
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
            '536365,85123A,"RULER 12"" OAK, LONG",2,2010-12-01 08:26:00,1.25,17850,United Kingdom\n'
            '536366,1,"TWO\nLINES",3,2010-12-01 08:26:00,1.00,,France\n')
        (self.folder / "raw/movie_review.csv").write_text(
            'cid,review_str,id_review\n17850,"He said ""bad,\n\nbad"", then: Good!",1\n17850,goods,2\n17850,"not good",3\n17850,,4\n')
        self.example("user_behavior", raw="raw")
        self.assertEqual(self.metric(), {17850: (decimal.Decimal("2.5"), 2, 4), None: (decimal.Decimal(3), None, None)})

    def test_a_malformed_quantity_is_no_silent_null(self):
        (self.folder / "raw").mkdir()
        (self.folder / "raw/user_purchase.csv").write_text(
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
            "536365,85123A,HEART,six,2010-12-01 08:26:00,2.55,17850,United Kingdom\n")
        result = self.example("1_csv_to_postgres", code=6, raw="raw")
        self.assertEqual(result.json["outcome"], "rejects")
        self.assertNotIn("six", result.out + result.out)
        self.assertEqual(self.postgres.sql("SELECT count(*) FROM information_schema.tables WHERE table_name = 'user_purchase'"), [["0"]])

    def test_the_old_table_serves_until_the_new_one_is_whole(self):
        self.example("user_behavior")
        before = self.metric()
        self.bq.post("/_control/faults", [{"match": "POST .*/jobs$|POST /upload", "times": 99, "action": "status", "status": 403, "body": json.dumps(
            {"error": {"code": 403, "message": "no", "errors": [{"reason": "accessDenied"}]}})}])
        self.example("user_behavior", code=4)
        self.assertEqual(self.metric(), before)

    def test_a_missing_file_leaves_everything_as_it_was(self):
        self.stages()
        before = self.metric()
        (self.folder / "staging/reviews.parquet").unlink()
        result = self.example("4_user_behavior", code=7)
        self.assertIn("reviews.parquet", result.out)
        self.assertEqual(self.metric(), before)

    def test_the_data_is_what_its_script_makes(self):
        subprocess.run([sys.executable, DATA / "generate.py", self.folder], check=True, timeout=60)
        for name in ("user_purchase.csv", "movie_review.csv"):
            self.assertEqual((self.folder / name).read_bytes(), (DATA / name).read_bytes())


if __name__ == "__main__":
    main()
