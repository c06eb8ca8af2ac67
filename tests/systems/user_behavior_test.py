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
import tempfile

from harness import BUILD, SOURCE, SystemTest, main
from user_behavior_services import STAGES, Services

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


PURCHASES = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
REVIEWS = "cid,review_str,id_review\n"


class UserBehaviorTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.services = Services(folder.name)
        cls.addClassCleanup(cls.services.stop)
        cls.postgres, cls.gcs, cls.bq = cls.services.postgres, cls.services.gcs, cls.services.bq

    def setUp(self):
        super().setUp()
        os.symlink(SOURCE / "examples", self.folder / "examples")
        self.services.reset()
        self.environment.update(self.services.environment)
        self.put((DATA / "user_purchase.csv").read_text(encoding="utf-8"), (DATA / "movie_review.csv").read_text(encoding="utf-8"))

    def put(self, purchases=None, reviews=None):
        for name, text in (("user_purchase.csv", purchases), ("movie_review.csv", reviews)):
            if text is not None:
                self.services.put(name, text)

    def example(self, name, code=0, **settings):
        file = f"examples/user_behavior/{name}.yaml"
        return self.run_json(file, *self.services.arguments(SOURCE / file, **settings), code=code)

    def stages(self):
        return [self.example(name) for name in STAGES]

    def purchases(self, what="count(*)"):
        return self.postgres.sql(f"SELECT {what} FROM bootcampdb.user_purchase")

    def objects(self):
        return sorted(found["name"] for found in self.gcs.get("/_control/objects/staging"))

    def metric(self):
        """{customer: (amount, score, count)} as BigQuery has it; every customer once."""
        rows = self.services.metric()
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
            self.assertEqual(self.objects(), ["reviews.parquet", "user_behavior.parquet", "user_purchase.parquet"])
        (rows, total), = self.purchases("count(*), sum(quantity * unit_price)")
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
        self.put(PURCHASES + "536365,85123A,HEART,1,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
                 "536366,71053,LANTERN,6,2010-12-01 08:28:00,3.39,13047,United Kingdom\n", REVIEWS + "17850,not good,1\n")
        self.example("user_behavior", query="examples/user_behavior/user_behavior_float32.sql")
        rows = {row["customer_id"]: row["amount_spent"] for row in self.services.metric()}
        self.assertEqual(rows, {17850: 2.549999952316284, 13047: float32(6 * float32(3.39))})

    def test_rows_that_shifted_in_spark_stay_in_their_columns(self):
        self.put(
            PURCHASES + '536365,85123A,"RULER 12"" OAK, LONG",2,2010-12-01 08:26:00,1.25,17850,United Kingdom\n'
            '536366,1,"TWO\nLINES",3,2010-12-01 08:26:00,1.00,,France\n',
            REVIEWS + '17850,"He said ""bad,\n\nbad"", then: Good!",1\n17850,goods,2\n17850,"not good",3\n17850,,4\n')
        self.example("user_behavior")
        self.assertEqual(self.metric(), {17850: (decimal.Decimal("2.5"), 2, 4), None: (decimal.Decimal(3), None, None)})

    def test_a_malformed_quantity_is_no_silent_null(self):
        self.put(PURCHASES + "536365,85123A,HEART,six,2010-12-01 08:26:00,2.55,17850,United Kingdom\n")
        result = self.example("1_csv_to_postgres", code=6)
        self.assertEqual(result.json["outcome"], "rejects")
        self.assertIn("user_purchase.csv, line 2", result.out)
        self.assertNotIn("six", result.out + result.err)
        # The table may have been made before the row was met.
        made = self.postgres.sql("SELECT 1 FROM information_schema.tables WHERE table_name = 'user_purchase'")
        self.assertEqual(self.postgres.sql("SELECT count(*) FROM user_purchase") if made else [["0"]], [["0"]])

    def test_files_that_are_not_what_they_should_be_leave_what_was_there(self):
        purchases, reviews = ((DATA / name).read_text(encoding="utf-8") for name in ("user_purchase.csv", "movie_review.csv"))
        self.example("1_csv_to_postgres")
        self.example("user_behavior")
        before = self.metric()
        row = "1,2,{},1,2010-01-01 00:00:00,{},1,F\n"
        for name, text, code, message in [
                ("1_csv_to_postgres", reviews, 3, "types: user_purchase.csv has no column Country"),
                ("user_behavior", reviews, 3, "types: user_purchase.csv has no column CustomerID"),
                ("1_csv_to_postgres", purchases[:-20], 6, "user_purchase.csv, line 601: 7 fields where there are 8 columns"),
                ("1_csv_to_postgres", purchases + '1,2,"RULER', 7, "user_purchase.csv: line 602: a quote in the record that begins here is never closed"),
                ("1_csv_to_postgres", purchases + row.format("x" * (17 << 20), 1), 7, "user_purchase.csv: line 602: a record of more than 16777216 bytes"),
                ("1_csv_to_postgres", PURCHASES + row.format("x", "123456.5"), 6, "line 2: UnitPrice: expected decimal128(8, 3), found a number that it can't hold"),
                ("1_csv_to_postgres", PURCHASES + row.format("x", 1).replace("2010-01-01", "0000-00-00"), 6, "line 2: InvoiceDate: expected timestamp[us], found other text"),
                ("1_csv_to_postgres", "", 7, "neither rows nor columns, as from a file without a byte"),
                ("user_behavior", "", 3, "there is no table purchases; what comes in is reviews, movie_review")]:
            with self.subTest(name, message=message):
                self.put(text)
                self.assertIn(message, self.example(name, code=code).out)
                self.assertEqual((self.purchases(), self.metric()), ([["600"]], before))

    def test_the_shops_own_table_is_loaded_as_it_is(self):
        self.postgres.sql((SOURCE / "examples/user_behavior/table.sql").read_text())
        self.postgres.sql("CREATE INDEX by_customer ON bootcampdb.user_purchase (customer_id);"
                          "CREATE VIEW bootcampdb.returned AS SELECT * FROM bootcampdb.user_purchase WHERE quantity < 0")
        before = self.columns()
        for _ in range(2):
            self.stages()
            self.assertEqual(self.columns(), before)
            self.assertEqual(self.purchases(), [["600"]])
            self.assertEqual(self.metric(), expected())
        self.assertEqual(self.postgres.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'by_customer'"), [["1"]])
        self.assertEqual(self.postgres.sql("SELECT count(*) > 0 FROM bootcampdb.returned"), [["t"]])

    def columns(self):
        return self.postgres.sql("SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable "
                                 "FROM information_schema.columns WHERE table_name = 'user_purchase' ORDER BY ordinal_position")

    def test_a_table_that_is_not_there_is_made_with_types_that_hold_the_file(self):
        self.example("1_csv_to_postgres")
        self.assertEqual([row[:2] for row in self.columns()], [
            ["invoice_number", "text"], ["stock_code", "text"], ["detail", "text"], ["quantity", "integer"],
            ["invoice_date", "timestamp without time zone"], ["unit_price", "numeric"], ["customer_id", "integer"], ["country", "text"]])
        self.assertEqual([row[3:5] for row in self.columns()][5], ["8", "3"])

    def test_a_row_that_the_shops_table_refuses_keeps_the_old_content(self):
        self.postgres.sql((SOURCE / "examples/user_behavior/table.sql").read_text())
        self.example("1_csv_to_postgres")
        self.put(PURCHASES + "536365,85123A,HEART,1,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
                 "C1234567890,85123A,HEART,1,2010-12-01 08:26:00,2.55,17850,United Kingdom\n")
        result = self.example("1_csv_to_postgres", code=6)
        self.assertIn("invoice_number", result.out)
        self.assertIn("character varying(10)", result.out)
        self.assertNotIn("C1234567890", result.out + result.err)
        self.assertEqual(self.purchases(), [["600"]])

    def test_the_next_days_file_takes_the_place_of_the_last(self):
        self.stages()
        self.put(PURCHASES + "600000,85123A,HEART,4,2011-12-01 08:26:00,2.50,17850,United Kingdom\n", REVIEWS + "17850,Good!,1\n")
        self.stages()
        self.assertEqual(self.metric(), {17850: (decimal.Decimal(10), 1, 1)})

    def test_a_column_that_the_file_no_longer_has_is_named(self):
        self.example("1_csv_to_postgres")
        self.put(PURCHASES.replace("UnitPrice", "Price") + "536365,85123A,HEART,1,2010-12-01 08:26:00,2.55,17850,United Kingdom\n")
        result = self.example("1_csv_to_postgres", code=3)
        self.assertIn("types: user_purchase.csv has no column UnitPrice", result.out)
        self.assertEqual(self.purchases(), [["600"]])

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
        self.gcs.post("/_control/remove/staging/reviews.parquet", None)
        result = self.example("4_user_behavior", code=7)
        self.assertIn("gs://staging/reviews.parquet", result.out)
        self.assertEqual(self.metric(), before)
        self.assertEqual(self.objects(), ["user_behavior.parquet", "user_purchase.parquet"])

    def test_a_stage_that_fails_leaves_nothing_that_costs_money(self):
        self.stages()
        kept = self.gcs.get("/_control/objects/staging")
        tables = self.bq.get("/_control/tables")
        self.put(reviews=REVIEWS + "17850,Good!,1\n17851,Good!,2,cut\n" * 40)
        self.example("3_reviews", code=6)
        self.gcs.post("/_control/settings", {"denied": ["storage.objects.create"]})
        self.example("4_user_behavior", code=4)
        self.gcs.post("/_control/settings", {"denied": []})
        self.assertEqual(self.gcs.get("/_control/objects/staging"), kept)
        self.assertEqual(self.bq.get("/_control/tables"), tables)

    def test_killed_at_any_step_it_has_the_old_rows_or_the_new(self):
        self.put(PURCHASES + "600000,85123A,HEART,4,2011-12-01 08:26:00,2.50,17850,United Kingdom\n", REVIEWS + "17850,Good!,1\n")
        self.example("user_behavior")
        old = self.metric()
        self.put((DATA / "user_purchase.csv").read_text(encoding="utf-8"), (DATA / "movie_review.csv").read_text(encoding="utf-8"))
        file, steps = "examples/user_behavior/user_behavior.yaml", 0
        arguments = self.services.arguments(SOURCE / file)
        while self.patchbay("run", file, *arguments, env={"PATCHBAY_FAULT": str(steps + 1)}).code != 0:
            self.assertIn(self.metric(), (old, expected()))
            steps += 1
        self.assertGreater(steps, 3)
        self.assertEqual(self.metric(), expected())

    def test_it_can_be_tried_without_a_cloud(self):
        done = subprocess.run([sys.executable, SOURCE / "examples/user_behavior/local.py"], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "PATCHBAY_BUILD_DIR": str(BUILD)}, check=False)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(f"10 of {len(expected())} rows", done.stdout)

    def test_the_data_is_what_its_script_makes(self):
        subprocess.run([sys.executable, DATA / "generate.py", self.folder], check=True, timeout=60)
        for name in ("user_purchase.csv", "movie_review.csv"):
            self.assertEqual((self.folder / name).read_bytes(), (DATA / name).read_bytes())


if __name__ == "__main__":
    main()
