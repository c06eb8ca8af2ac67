"""Rows streamed in and listed, through Google's client library."""

import datetime
import decimal

from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound
from google.cloud.bigquery import SchemaField

from official_client import OfficialClientTest, main

UTC = datetime.timezone.utc
# type, as it is sent, as the library reads it
VALUES = [
    ("INT64", "-9223372036854775808", -(2**63)), ("INT64", 9223372036854775807, 2**63 - 1), ("INT64", 5.0, 5),
    ("FLOAT64", 1.5, 1.5), ("FLOAT64", "-1e300", -1e300), ("FLOAT64", "Infinity", float("inf")), ("FLOAT64", 3, 3.0),
    ("NUMERIC", "12345678901234567890123456789.123456789", decimal.Decimal("12345678901234567890123456789.123456789")),
    ("NUMERIC", 0.5, decimal.Decimal("0.5")), ("NUMERIC", "1e3", decimal.Decimal(1000)),
    ("BIGNUMERIC", "1." + "1" * 38, decimal.Decimal("1." + "1" * 38)),
    ("BOOL", True, True), ("BOOL", "false", False),
    ("STRING", "Grüße 🌻\n", "Grüße 🌻\n"), ("STRING", "", ""), ("STRING", 7, "7"),
    ("BYTES", "AAH/", b"\x00\x01\xff"), ("BYTES", "", b""),
    ("DATE", "0001-01-01", datetime.date(1, 1, 1)), ("DATE", "2024-2-9", datetime.date(2024, 2, 9)),
    ("TIME", "23:59:59.999999", datetime.time(23, 59, 59, 999999)), ("TIME", "00:00:00", datetime.time(0)),
    ("DATETIME", "2024-02-29T12:30:00.5", datetime.datetime(2024, 2, 29, 12, 30, 0, 500000)),
    ("DATETIME", "2024-02-29 12:30:00", datetime.datetime(2024, 2, 29, 12, 30)),
    ("TIMESTAMP", "2024-02-29T12:30:00.000001+05:30", datetime.datetime(2024, 2, 29, 7, 0, 0, 1, UTC)),
    ("TIMESTAMP", "1969-12-31 23:59:59.999999 UTC", datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
    ("TIMESTAMP", 1700000000.25, datetime.datetime(2023, 11, 14, 22, 13, 20, 250000, UTC)),
    ("TIMESTAMP", "9999-12-31T23:59:59.999999Z", datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ("JSON", '{"a": [1, null, "ü"]}', {"a": [1, None, "ü"]}), ("JSON", "null", None),
    ("GEOGRAPHY", "POINT(1 2)", "POINT(1 2)"),
]
MISFITS = [
    ("INT64", "x"), ("INT64", 1.5), ("INT64", True), ("INT64", 2**63), ("INT64", "1_0"), ("FLOAT64", "x"), ("FLOAT64", True),
    ("NUMERIC", "0.0000000001"), ("NUMERIC", "1e29"), ("NUMERIC", "NaN"), ("BIGNUMERIC", "1e39"), ("BOOL", "yes"), ("BOOL", 1),
    ("STRING", {"a": 1}), ("STRING", ["a"]), ("BYTES", "%%"), ("BYTES", 5), ("DATE", "2023-02-29"), ("DATE", "20240101"),
    ("TIME", "24:00:00"), ("TIME", "12:00:00Z"), ("DATETIME", "2024-01-01T00:00:00Z"), ("DATETIME", "2024-01-01T00:00:00-05:00"),
    ("TIMESTAMP", "yesterday"), ("TIMESTAMP", 1e30), ("TIMESTAMP", True), ("JSON", "{"),
]


class ListTest(OfficialClientTest):
    def test_every_type_comes_back_as_it_went_in(self):
        fields = [{"name": f"c{i}", "type": kind} for i, (kind, _, _) in enumerate(VALUES)]
        self.make(fields=fields)
        self.assertEqual(self.insert({f"c{i}": sent for i, (_, sent, _) in enumerate(VALUES)}, {}), [])
        full, empty = self.rows()
        for i, (kind, sent, read) in enumerate(VALUES):
            with self.subTest(kind, sent=sent):
                self.assertEqual((full[f"c{i}"], type(full[f"c{i}"])), (read, type(read)))
                self.assertIsNone(empty[f"c{i}"])

    def test_values_of_no_type_are_refused(self):
        for kind, value in MISFITS:
            with self.subTest(kind, value=value):
                self.client.delete_table("d.t", not_found_ok=True)
                self.make(fields=[{"name": "c", "type": kind}])
                errors = self.insert({"c": value})
                self.assertEqual([(e["reason"], e["location"]) for e in errors[0]["errors"]], [("invalid", "c")])

    def test_records_and_repeated_columns_nest(self):
        leaf = [{"name": "s", "type": "STRING"}, {"name": "at", "type": "TIMESTAMP", "mode": "REPEATED"}]
        self.make(fields=[{"name": "many", "type": "RECORD", "mode": "REPEATED", "fields": leaf},
                          {"name": "one", "type": "STRUCT", "fields": [{"name": "in", "type": "STRUCT", "fields": leaf}]},
                          {"name": "numbers", "type": "FLOAT64", "mode": "REPEATED"}])
        moment = datetime.datetime(2024, 1, 1, tzinfo=UTC)
        row = {"many": [{"s": "a", "at": ["2024-01-01"]}, {}], "one": {"in": {"s": None}}, "numbers": [1, "NaN"]}
        self.assertEqual(self.insert(row, {}), [])
        full, empty = self.rows()
        self.assertEqual(full["many"], [{"s": "a", "at": [moment]}, {"s": None, "at": []}])
        self.assertEqual((full["one"], str(full["numbers"])), ({"in": {"s": None, "at": []}}, "[1.0, nan]"))
        self.assertEqual(empty, {"many": [], "one": None, "numbers": []})

    def test_pages_follow_each_other_to_the_end(self):
        self.make()
        self.insert(*({"id": i} for i in range(7)))
        iterator = self.client.list_rows("demo.d.t", [SchemaField("id", "INT64"), SchemaField("name", "STRING")], page_size=3)
        self.assertEqual([[row["id"] for row in page] for page in iterator.pages], [[0, 1, 2], [3, 4, 5], [6]])
        self.assertEqual(iterator.total_rows, 7)

    def test_rows_are_listed_from_a_start_up_to_a_number_and_by_columns(self):
        self.make()
        self.insert(*({"id": i, "name": str(i)} for i in range(7)))
        self.assertEqual([row["id"] for row in self.rows(start_index=2, max_results=4, page_size=3)], [2, 3, 4, 5])
        self.assertEqual(self.rows(selected_fields=[SchemaField("name", "STRING")], max_results=1), [{"name": "0"}])

    def test_an_empty_table_has_no_rows(self):
        self.make()
        self.assertEqual(self.rows(), [])


class InsertTest(OfficialClientTest):
    def setUp(self):
        super().setUp()
        self.make()

    def reasons(self, errors):
        return {e["index"]: [(one["reason"], one["location"]) for one in e["errors"]] for e in errors}

    def test_one_bad_row_refuses_the_whole_request(self):
        errors = self.insert({"id": 1}, {"id": "x"}, {"id": 3})
        self.assertEqual(self.reasons(errors), {0: [("stopped", "")], 1: [("invalid", "id")], 2: [("stopped", "")]})
        self.assertEqual(self.ids(), [])

    def test_with_skip_invalid_rows_the_good_ones_are_in(self):
        errors = self.insert({"id": 1}, {"id": None}, {"id": 3}, skip_invalid_rows=True)
        self.assertEqual(self.reasons(errors), {1: [("invalid", "id")]})
        self.assertEqual(self.ids(), [1, 3])

    def test_unknown_columns_are_refused_or_ignored(self):
        errors = self.insert({"id": 1, "other": 2})
        self.assertEqual(errors[0]["errors"][0]["message"], "no such field: other.")
        self.assertEqual(self.insert({"id": 1, "other": 2}, ignore_unknown_values=True), [])
        self.assertEqual(self.rows(), [{"id": 1, "name": None}])

    def test_an_insert_id_counts_once_within_its_window(self):
        for window, expected in ((0, [1]), (59, [1]), (61, [1, 1])):
            self.server.post("/_control/clock", {"seconds": window})
            self.assertEqual(self.insert({"id": 1}, row_ids=["a"]), [])
            self.assertEqual(self.ids(), expected)

    def test_without_insert_ids_every_row_counts(self):
        for _ in range(2):
            self.insert({"id": 1}, {"id": 1}, row_ids=[None, None])
        self.assertEqual(self.ids(), [1] * 4)

    def test_a_refused_row_does_not_use_up_its_insert_id(self):
        self.insert({"id": 1}, {"id": "x"}, row_ids=["a", "b"])
        self.assertEqual(self.insert({"id": 1}, row_ids=["a"]), [])
        self.assertEqual(self.ids(), [1])

    def test_typed_rows_are_encoded_as_the_server_wants_them(self):
        fields = [{"name": "at", "type": "TIMESTAMP"}, {"name": "b", "type": "BYTES"}, {"name": "n", "type": "NUMERIC"},
                  {"name": "dt", "type": "DATETIME"}, {"name": "t", "type": "TIME"}, {"name": "j", "type": "JSON"}]
        row = {"at": datetime.datetime(2024, 1, 1, 1, 2, 3, 4, UTC), "b": b"\xff", "n": decimal.Decimal("1.5"),
               "dt": datetime.datetime(2024, 1, 1, 1, 2, 3, 4), "t": datetime.time(1, 2, 3, 4), "j": {"a": [1]}}
        self.assertEqual(self.client.insert_rows(self.make("typed", fields), [row]), [])
        self.assertEqual(self.rows("typed"), [row])

    def test_requests_that_are_no_insert_are_http_errors(self):
        self.client.create_table("demo.d.bare")
        for table, rows, kind, code in (("none", [{"id": 1}], NotFound, 404), ("t", [], BadRequest, 400),
                                        ("bare", [{"id": 1}], BadRequest, 400), ("t", [{"id": 1}] * 50_001, BadRequest, 400),
                                        ("t", [{"id": 1, "name": "x" * 10_000_000}], GoogleAPICallError, 413)):
            with self.subTest(table, code=code):
                with self.assertRaises(kind) as caught:
                    self.insert(*rows, table=f"demo.d.{table}", row_ids=[None] * len(rows))
                self.assertEqual(caught.exception.code, code)


if __name__ == "__main__":
    main()
