"""Load, copy and query jobs, through Google's client library."""

import gzip
import io
import json
from unittest import mock

from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.cloud.bigquery import CopyJobConfig, LoadJobConfig, QueryJobConfig, SchemaField, Table, TimePartitioning, client

from official_client import POLLING, QUICKLY, OfficialClientTest, main

SCHEMA = [SchemaField("id", "INT64", "REQUIRED"), SchemaField("name", "STRING")]
ROWS = [{"id": 1, "name": "a"}, {"id": 2, "name": None}]


def ndjson(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


class JobsTest(OfficialClientTest):
    def load(self, data, table="t", size=None, job_id=None, **config):
        config = LoadJobConfig(**{"source_format": "NEWLINE_DELIMITED_JSON", **config})
        job = self.client.load_table_from_file(io.BytesIO(data), f"demo.d.{table}", size=size, job_id=job_id, job_config=config)
        return job.result(retry=POLLING)

    def copy(self, source, target, job_id=None, **config):
        config = CopyJobConfig(**config)
        job = self.client.copy_table(source, f"demo.d.{target}", job_id=job_id, job_config=config, retry=QUICKLY)
        return job.result(retry=POLLING)

    def query(self, sql, **options):
        return [dict(row) for row in self.client.query(sql, **options).result()]

    def assert_failed(self, reason, action, *arguments, **options):
        """The job's own outcome, which the library makes an exception of."""
        return self.assert_refused(GoogleAPICallError, reason, action, *arguments, **options)


class LoadTest(JobsTest):
    def test_what_is_loaded_comes_back_however_it_is_sent(self):
        data = ndjson(ROWS)
        for way, size, upload, body in (("multipart", len(data), "multipart", data), ("resumable", None, "resumable", data),
                                        ("gzip", None, "resumable", gzip.compress(data))):
            with self.subTest(way):
                job = self.load(body, table=way, size=size, schema=SCHEMA)
                self.assertEqual((job.state, job.output_rows, job.error_result), ("DONE", 2, None))
                self.assertEqual(self.rows(way), ROWS)
                self.assertTrue(any(p.endswith(f"uploadType={upload}") for p in self.paths()))

    def test_a_large_file_goes_up_in_chunks(self):
        data = ndjson([{"id": i, "name": "x" * 1000} for i in range(700)])
        with mock.patch.object(client, "_DEFAULT_CHUNKSIZE", 256 * 1024):
            self.load(data, job_id="big", schema=SCHEMA)
        self.assertEqual(len(self.paths("PUT")), 3)
        self.assertEqual(self.client.get_job("big").output_rows, 700)
        self.assertEqual(self.ids(), list(range(700)))

    def test_rows_in_memory_are_loaded(self):
        job = self.client.load_table_from_json(ROWS, "demo.d.t", job_config=LoadJobConfig(schema=SCHEMA))
        self.assertEqual((job.result().output_rows, self.rows()), (2, ROWS))

    def test_csv_is_loaded_by_position(self):
        for what, data, options in (("plain", b"1,a\n2,\n", {}), ("header", b"id,name\n1,a\n2,\n", {"skip_leading_rows": 1}),
                                    ("delimiter", b"1|a\n2|\n", {"field_delimiter": "|"}), ("null", b"1,a\n2,-\n", {"null_marker": "-"}),
                                    ("quotes", b'"1","a"\n"2",""\n', {}), ("jagged", b"1,a\n2\n", {"allow_jagged_rows": True}),
                                    ("more", b"1,a,x\n2,,y\n", {"ignore_unknown_values": True})):
            with self.subTest(what):
                self.load(data, table=what, source_format="CSV", schema=SCHEMA, **options)
                self.assertEqual(self.rows(what), ROWS)

    def test_csv_that_does_not_fit_fails(self):
        for what, data in (("more", b"1,a,x\n"), ("fewer", b"1\n"), ("newline", b'1,"a\nb"\n'), ("type", b"x,a\n"), ("bytes", b"1,\xff\n")):
            with self.subTest(what):
                self.assert_failed("invalid", self.load, data, source_format="CSV", schema=SCHEMA)
        self.load(b'1,"a\nb"\n', source_format="CSV", schema=SCHEMA, allow_quoted_newlines=True)
        self.assertEqual(self.rows(), [{"id": 1, "name": "a\nb"}])

    def test_a_load_is_all_or_nothing(self):
        self.assert_failed("invalid", self.load, ndjson(ROWS) + b"\n{broken", schema=SCHEMA)
        self.assert_refused(NotFound, "notFound", self.client.get_table, "d.t")
        self.make()
        self.assert_failed("invalid", self.load, ndjson(ROWS + [{"id": None}]), write_disposition="WRITE_TRUNCATE")
        self.assertEqual(self.rows(), [])

    def test_what_is_wrong_with_a_load_is_in_its_errors(self):
        self.make()
        error = self.assert_failed("invalid", self.load, ndjson([{"id": 1}, {"id": "Ann"}]), job_id="once")
        self.assertIn("Please look into the errors[] collection", str(error))
        self.assertIn("(bad value): Ann", self.client.get_job("once").errors[1]["message"])

    def test_bad_records_up_to_a_number_are_left_out(self):
        data = ndjson(ROWS) + b'\n{broken\n{"id": 3, "other": 1}'
        self.assertEqual(self.load(data, schema=SCHEMA, max_bad_records=2).output_rows, 2)
        self.assert_failed("invalid", self.load, data, schema=SCHEMA, max_bad_records=1)

    def test_dispositions(self):
        self.assert_failed("notFound", self.load, ndjson(ROWS), schema=SCHEMA, create_disposition="CREATE_NEVER")
        self.assert_failed("invalid", self.load, ndjson(ROWS))  # no schema anywhere
        self.make()
        for disposition, expected in (("WRITE_APPEND", 2), (None, 4), ("WRITE_TRUNCATE", 2)):
            self.load(ndjson(ROWS), write_disposition=disposition)
            self.assertEqual(len(self.rows()), expected)
        self.assert_failed("duplicate", self.load, ndjson(ROWS), write_disposition="WRITE_EMPTY")

    def test_new_columns_need_the_option(self):
        self.make()
        wider = SCHEMA + [SchemaField("new", "INT64")]
        self.assert_failed("invalid", self.load, ndjson(ROWS), schema=wider)
        self.load(ndjson([{**ROWS[0], "new": 1}]), schema=wider, schema_update_options=["ALLOW_FIELD_ADDITION"])
        self.assertEqual(self.rows(), [{**ROWS[0], "new": 1}])
        self.assert_failed("invalid", self.load, ndjson(ROWS), schema=[SCHEMA[0], SchemaField("name", "INT64")])

    def test_a_dataset_that_is_missing_fails_the_job(self):
        config = LoadJobConfig(schema=SCHEMA)
        job = self.client.load_table_from_json(ROWS, "demo.none.t", job_config=config)
        self.assert_refused(NotFound, "notFound", job.result)


class CopyTest(JobsTest):
    def setUp(self):
        super().setUp()
        self.make("a")
        self.insert({"id": 1}, table="demo.d.a")

    def test_a_job_id_counts_once_and_finds_its_job(self):
        self.copy("demo.d.a", "t", job_id="once")
        self.assert_refused(Conflict, "duplicate", self.copy, "demo.d.a", "t", job_id="once", write_disposition="WRITE_APPEND")
        self.assertEqual(self.ids(), [1])
        found = self.client.get_job("once")
        self.assertEqual((found.job_type, found.state, found.error_result, found.destination.table_id), ("copy", "DONE", None, "t"))

    def test_a_job_id_that_failed_is_used_up_too(self):
        self.assert_failed("notFound", self.copy, "demo.d.none", "t", job_id="once")
        self.assert_refused(Conflict, "duplicate", self.copy, "demo.d.a", "t", job_id="once")
        self.assertEqual(self.client.get_job("once").error_result["reason"], "notFound")

    def test_dispositions(self):
        for disposition, expected in (("WRITE_APPEND", [1]), ("WRITE_APPEND", [1, 1]), ("WRITE_TRUNCATE", [1])):
            self.copy("demo.d.a", "t", write_disposition=disposition)
            self.assertEqual(self.ids(), expected)
        self.assert_failed("duplicate", self.copy, "demo.d.a", "t")
        self.assert_failed("notFound", self.copy, "demo.d.a", "new", create_disposition="CREATE_NEVER")

    def test_several_sources_follow_each_other(self):
        self.make("b")
        self.insert({"id": 2}, table="demo.d.b")
        self.copy(["demo.d.a", "demo.d.b"], "t")
        self.assertEqual(self.ids(), [1, 2])

    def test_other_columns_do_not_fit(self):
        self.make("t", [{"name": "id", "type": "STRING"}])
        self.assert_failed("invalid", self.copy, "demo.d.a", "t", write_disposition="WRITE_APPEND")

    def test_a_partitioned_table_takes_what_is_partitioned_alike(self):
        def make(name, partitioning):
            table = Table(f"demo.d.{name}", [SchemaField("id", "INT64"), SchemaField("day", "DATE")])
            table.time_partitioning = partitioning
            return self.client.create_table(table)
        make("plain", None)
        make("t", TimePartitioning(field="day"))
        make("alike", TimePartitioning(field="DAY"))
        make("monthly", TimePartitioning(type_="MONTH", field="day"))
        for source, fits in (("plain", False), ("monthly", False), ("alike", True)):
            with self.subTest(source):
                if fits:
                    self.copy(f"demo.d.{source}", "t", write_disposition="WRITE_APPEND")
                else:
                    error = self.assert_failed("invalid", self.copy, f"demo.d.{source}", "t", write_disposition="WRITE_APPEND")
                    self.assertIn("partition", str(error))

    def test_sources_of_one_job_have_one_schema(self):
        self.make("b", [{"name": "id", "type": "INT64"}])
        self.assert_failed("invalid", self.copy, ["demo.d.a", "demo.d.b"], "t")

    def test_an_unknown_job_is_not_found(self):
        self.assert_refused(NotFound, "notFound", self.client.get_job, "none")

    def test_a_job_is_found_in_its_location_only(self):
        self.copy("demo.d.a", "t", job_id="here")
        self.assertEqual(self.client.get_job("here", location="US").state, "DONE")
        self.assert_refused(NotFound, "notFound", self.client.get_job, "here", location="EU")

    def test_a_job_that_takes_its_time_is_waited_for(self):
        self.server.post("/_control/jobs", {"pending_polls": 3})
        job = self.client.copy_table("demo.d.a", "demo.d.t")
        self.assertEqual((job.state, job.done()), ("RUNNING", False))
        self.assertEqual(job.result(retry=POLLING).state, "DONE")

    def test_bad_job_ids_are_refused(self):
        self.assert_refused(BadRequest, "invalid", self.copy, "demo.d.a", "t", job_id="no spaces")


class QueryTest(JobsTest):
    def setUp(self):
        super().setUp()
        for name, rows in (("a", ROWS), ("b", [{"id": 2, "name": "new"}, {"id": 3, "name": "c"}])):
            self.make(name)
            self.insert(*rows, table=f"demo.d.{name}")

    def test_selects(self):
        for sql, expected in (("SELECT * FROM demo.d.a", ROWS), ("SELECT name FROM `demo.d.b` ORDER BY id LIMIT 1", [{"name": "new"}]),
                              ("SELECT COUNT(*) AS n FROM demo.d.a", [{"n": 2}]), ("SELECT MAX(id) FROM demo.d.b", [{"f0_": 3}])):
            with self.subTest(sql):
                self.assertEqual(self.query(sql), expected)
                self.assertEqual([dict(row) for row in self.client.query_and_wait(sql)], expected)

    def test_an_empty_table_has_no_greatest(self):
        self.make("empty")
        self.assertEqual(self.query("SELECT MAX(id) AS m FROM demo.d.empty"), [{"m": None}])
        self.assertEqual(self.query("SELECT id FROM demo.d.empty"), [])

    def test_results_come_in_pages(self):
        self.insert(*({"id": i} for i in range(3, 8)), table="demo.d.a")
        job = self.client.query("SELECT id FROM demo.d.a")
        self.assertEqual([[row["id"] for row in page] for page in job.result(page_size=3).pages], [[1, 2, 3], [4, 5, 6], [7]])
        self.assertEqual(job.result().total_rows, 7)

    def test_a_transaction_commits_as_one(self):
        sql = ("BEGIN TRANSACTION; DELETE FROM demo.d.a WHERE true; "
               "INSERT INTO demo.d.a (id, name) SELECT id, name FROM demo.d.b; COMMIT TRANSACTION;")
        job = self.client.query(sql, job_id="once", job_retry=None)
        self.assertEqual((list(job.result()), job.statement_type, self.ids("a")), ([], "SCRIPT", [2, 3]))
        self.assert_refused(Conflict, "duplicate", self.client.query, sql, job_id="once", job_retry=None)
        self.assertEqual(self.client.get_job("once").query, sql)

    def test_what_a_transaction_did_before_it_failed_is_undone(self):
        wrong = "DELETE FROM demo.d.a WHERE true; INSERT INTO demo.d.a (id) SELECT none FROM demo.d.b"
        for sql, left in ((f"BEGIN; {wrong}; COMMIT", [1, 2]), ("BEGIN; TRUNCATE TABLE demo.d.a; ROLLBACK", [1, 2]),
                          ("BEGIN; TRUNCATE TABLE demo.d.a", [1, 2]), (wrong, [])):
            with self.subTest(sql):
                error = self.client.query(sql).exception()
                self.assertEqual(error.errors[0]["reason"] if error else None, "invalidQuery" if "none" in sql else None)
                self.assertEqual(self.ids("a"), left)

    def test_merge_updates_what_matches_and_inserts_the_rest(self):
        merge = ("MERGE `demo.d.a` t USING `demo.d.b` s ON t.`id` = s.`id` WHEN MATCHED THEN UPDATE SET `name` = s.`name` "
                 "WHEN NOT MATCHED THEN INSERT (`id`, `name`) VALUES (s.`id`, s.`name`)")
        job = self.client.query(merge)
        self.assertEqual((list(job.result()), job.num_dml_affected_rows), ([], 2))
        self.assertEqual(self.rows("a"), [ROWS[0], {"id": 2, "name": "new"}, {"id": 3, "name": "c"}])
        self.insert({"id": 2}, table="demo.d.b")
        self.assert_refused(BadRequest, "invalidQuery", self.query, merge)

    def test_merge_may_only_insert_and_may_set_members_of_records(self):
        record = {"name": "r", "type": "RECORD", "fields": [{"name": "x", "type": "INT64"}, {"name": "y", "type": "INT64"}]}
        for name in ("c", "d"):
            self.make(name, [{"name": "id", "type": "INT64"}, record])
        self.insert({"id": 1, "r": {"x": 1, "y": 1}}, {"id": 2, "r": None}, table="demo.d.c")
        self.insert({"id": 1, "r": {"x": 7}}, {"id": 2, "r": {"x": 8}}, {"id": 3, "r": {"x": 9}}, table="demo.d.d")
        head, tail = "MERGE demo.d.c t USING demo.d.d s ON t.id = s.id", "WHEN NOT MATCHED THEN INSERT (`id`, `r`) VALUES (s.`id`, s.`r`)"
        self.query(f"{head} WHEN MATCHED THEN UPDATE SET `r`.`x` = s.`r`.`x` {tail}")
        expected = [{"id": 1, "r": {"x": 7, "y": 1}}, {"id": 2, "r": {"x": 8, "y": None}}, {"id": 3, "r": {"x": 9, "y": None}}]
        self.assertEqual(self.rows("c"), expected)
        self.query(f"{head} {tail}")
        self.assertEqual(self.rows("c"), expected)
        self.assert_refused(BadRequest, "invalidQuery", self.query, f"{head} WHEN MATCHED THEN UPDATE SET `r`.`z` = s.`r`.`x` {tail}")

    def test_rows_that_another_table_lacks_are_counted_judged_and_deleted(self):
        missing = "FROM `demo.d.a` t WHERE NOT EXISTS (SELECT 1 FROM `demo.d.b` s WHERE t.`id` = s.`id`)"
        self.assertEqual(self.query(f"SELECT COUNT(*) AS n {missing}"), [{"n": 1}])
        error = self.client.query(f"BEGIN TRANSACTION; ASSERT (SELECT COUNT(*) {missing}) <= 0 AS 'too many'; DELETE {missing}; "
                                  "COMMIT TRANSACTION;").exception()
        self.assertIn("Assertion failed: too many", str(error))
        self.assertEqual(self.ids("a"), [1, 2])
        self.query(f"BEGIN TRANSACTION; ASSERT (SELECT COUNT(*) {missing}) <= 1 AS 'too many'; DELETE {missing}; COMMIT TRANSACTION;")
        self.assertEqual(self.ids("a"), [2])

    def test_columns_that_an_insert_does_not_name_get_their_default(self):
        self.client.create_table(Table("demo.d.e", [SchemaField("id", "INT64"),
                                                    SchemaField("name", "STRING", default_value_expression="'new'")]))
        self.query("INSERT INTO demo.d.e (id) SELECT id FROM demo.d.b")
        self.assertEqual(self.rows("e"), [{"id": 2, "name": "new"}, {"id": 3, "name": "new"}])

    def test_a_table_that_requires_a_filter_takes_no_statement_without_one(self):
        table = Table("demo.d.f", [SchemaField("id", "INT64"), SchemaField("day", "DATE")])
        table.time_partitioning, table.require_partition_filter = TimePartitioning(field="day"), True
        self.client.create_table(table)
        self.assert_refused(BadRequest, "invalidQuery", self.query, "DELETE FROM demo.d.f WHERE true")

    def test_queries_that_cannot_run_say_why(self):
        for sql, kind, reason in (("SELEC 1", BadRequest, "invalidQuery"), ("SELECT none FROM demo.d.a", BadRequest, "invalidQuery"),
                                  ("SELECT id FROM demo.d.none", NotFound, "notFound"), ("COMMIT", BadRequest, "invalidQuery")):
            with self.subTest(sql):
                self.assert_refused(kind, reason, self.query, sql)
                self.assert_refused(kind, reason, self.client.query_and_wait, sql)
        legacy = QueryJobConfig(use_legacy_sql=True)
        self.assert_refused(BadRequest, "invalidQuery", self.client.query, "SELECT 1", job_config=legacy)

    def test_a_query_that_takes_its_time_is_waited_for(self):
        self.server.post("/_control/jobs", {"pending_polls": 2})
        self.assertEqual(self.query("SELECT id FROM demo.d.b"), [{"id": 2}, {"id": 3}])
        self.assertEqual([dict(row) for row in self.client.query_and_wait("SELECT id FROM demo.d.b")], [{"id": 2}, {"id": 3}])


if __name__ == "__main__":
    main()
