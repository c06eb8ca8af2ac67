"""Q-Reviews into BigQuery, as operators run it every morning."""

import json

from harness import Server, SystemTest, main

PIPELINE = """
name: qreviews_to_bq
{top}
nodes:
  - use: qreviews
    with: {{base_url: "{source}", account_sid: {{secret: sid}}, api_key: {{secret: key}}}}
  - use: fields
    with: {{rename: camel}}
  - use: bq
    with: {{endpoint: "{bq}", project: demo, dataset: qreviews, credentials: {{secret: bq}}, tables: {{responses: results}}{more}}}
"""
FAST = "retry: {attempts: 3, delay: 1ms}"


class BqTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.source = Server("qreviews/server.py", self.folder, "--records", 700)
        self.addCleanup(self.source.stop)
        self.bq = Server("bigquery/server.py", self.folder)
        self.addCleanup(self.bq.stop)
        self.environment["PATCHBAY_SECRET_BQ"] = json.dumps(self.bq.get("/_control/credentials"))

    def write(self, top=FAST, more=""):
        return self.pipeline(PIPELINE.format(top=top, source=self.source.url, bq=self.bq.url, more=more))

    def table(self):
        return self.bq.get("/_control/tables/demo/qreviews/results")

    def staging(self):
        return [t for t in self.bq.get("/_control/tables") if "_patchbay" in t["table"]]

    def faults(self, *faults):
        self.bq.post("/_control/faults", list(faults))

    def assert_all_once(self, count):
        sequences = [row["sequence"] for row in self.table()]
        self.assertEqual((len(sequences), len(set(sequences))), (count, count))

    def test_creates_loads_and_then_adds_what_is_new(self):
        pipeline = self.write()
        plan = self.patchbay("plan", pipeline, "--output", "json").json
        self.assertEqual(plan["guarantee"], "exactly_once")
        self.assertEqual([s["action"] for s in plan["sinks"][0]["steps"]], ["create_dataset", "create_table"])
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 700)
        self.source.post("/_control/records", {"append": 5})
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 5)
        self.assert_all_once(705)
        self.assertEqual(self.staging(), [])
        row = next(r for r in self.table() if r["sequence"] == 1)
        self.assertEqual((row["recipient"]["firstName"], row["recipient"]["dateOfBirth"]), ("PHI-Anna-00000", "1910-02-01"))

    def test_many_epochs_are_one_result(self):
        result = self.run_json(self.write("commit: {rows: 100}"))
        self.assertEqual((result.stream["rows_written"], result.stream["epochs"]), (700, 7))
        self.assert_all_once(700)

    def test_rows_that_are_refused_are_not_passed_by_those_behind_them(self):
        """A part in the middle is refused, those behind it would not be: the next run begins at the refused part."""
        invalid = json.dumps({"error": {"code": 400, "message": "no", "errors": [{"reason": "invalid"}]}})
        self.faults({"match": "POST /upload", "skip": 2, "times": 1, "action": "status", "status": 400, "body": invalid})
        pipeline = self.write(FAST + "\ncommit: {rows: 100}")
        result = self.run_json(pipeline, code=7)
        self.assert_all_once(200)
        last = max(row["sequence"] for row in self.table())
        self.assertEqual(result.stream["state_after"], {"sequence": last})
        self.run_json(pipeline)
        self.assert_all_once(700)

    def test_a_staging_table_expires_from_the_moment_it_exists(self):
        self.faults({"match": "POST /upload", "times": 1, "action": "status", "status": 403,
                     "body": json.dumps({"error": {"code": 403, "message": "no", "errors": [{"reason": "accessDenied"}]}})},
                    {"match": "DELETE", "times": 99, "action": "status", "status": 400})
        self.run_json(self.write(), code=4)
        self.assertTrue(self.staging())
        self.assertTrue(all(t["expirationTime"] for t in self.staging()))

    def test_answers_that_are_lost_after_the_work_was_done(self):
        for match in ("POST .*/jobs$", "PUT /upload", "POST .*/tables$", "POST .*/datasets$", "POST /upload", "POST /token"):
            with self.subTest(match):
                self.bq.post("/_control/reset", {})
                self.faults({"match": match, "action": "lost"})
                self.assertEqual(self.run_json(self.write(), "--full-refresh").stream["rows_written"], 700)
                self.assert_all_once(700)

    def test_an_upload_goes_on_behind_the_part_that_was_stored(self):
        self.faults({"match": "PUT /upload", "times": 2, "action": "partial"})
        self.assertEqual(self.run_json(self.write()).stream["rows_written"], 700)
        self.assert_all_once(700)
        ranges = [r["bytes"] for r in self.bq.get("/_control/requests") if r["method"] == "PUT"]
        self.assertEqual([a - b for a, b in zip(ranges, ranges[1:])], [256 * 1024] * 2)

    def test_server_faults_are_tried_again(self):
        limited = json.dumps({"error": {"code": 403, "message": "slow down", "errors": [{"reason": "rateLimitExceeded"}]}})
        for status, body in ((503, ""), (502, "<html>bad gateway</html>"), (429, ""), (403, limited)):
            with self.subTest(status):
                self.bq.post("/_control/reset", {})
                self.faults({"match": "POST|PUT|GET /bigquery", "skip": 2, "times": 2, "action": "status", "status": status, "body": body})
                self.assertEqual(self.run_json(self.write(), "--full-refresh").stream["rows_written"], 700)
                self.assert_all_once(700)

    def test_jobs_that_take_their_time_and_a_commit_that_fails_once(self):
        self.bq.post("/_control/jobs", {"pending_polls": 2})
        self.run_json(self.write())
        self.bq.post("/_control/jobs", {"pending_polls": 1, "failures": []})
        self.source.post("/_control/records", {"append": 5})
        self.run_json(self.write())
        self.assert_all_once(705)

    def test_a_failed_commit_job_gets_a_new_id(self):
        self.run_json(self.write())
        self.source.post("/_control/records", {"append": 5})
        failure = {"reason": "backendError", "message": "try again"}
        self.bq.post("/_control/jobs", {"failures": [failure]})  # the load job: the lane is tried again
        self.run_json(self.write())
        self.assert_all_once(705)

    def test_expired_tokens_are_renewed(self):
        self.bq.post("/_control/tokens", {"lifetime": 1})
        self.run_json(self.write("commit: {rows: 100}"))
        self.assert_all_once(700)

    def test_refused_credentials_name_the_reason(self):
        account = self.bq.get("/_control/credentials")
        self.environment["PATCHBAY_SECRET_BQ"] = json.dumps({**account, "client_email": "other@demo"})
        result = self.run_json(self.write(), code=4)
        self.assertIn("invalid_grant", result.stream["error"]["message"])
        self.assertNotIn("PRIVATE KEY", result.out + result.err)

    def test_evolve_adds_nested_columns(self):
        pipeline = self.write("on_schema_change: evolve")
        self.run_json(pipeline)
        self.source.post("/_control/config", {"extra": {"path": "recipient.suffix", "value": "Jr", "from_sequence": 740}})
        self.source.post("/_control/records", {"append": 5})
        self.assertEqual(self.run_json(pipeline).stream["schema_changes"][0]["action"], "added")
        suffixes = {row["sequence"]: row["recipient"]["suffix"] for row in self.table()}
        self.assertEqual((suffixes[1], suffixes[max(suffixes)]), (None, "Jr"))

    def test_replace_and_upsert(self):
        self.run_json(self.write(more=", write: replace"))
        self.run_json(self.write(more=", write: replace"), "--full-refresh")
        self.assert_all_once(700)
        self.source.post("/_control/records", {"update": [10001, 10002]})
        self.run_json(self.write(more=", write: upsert, keys: [id]"))
        self.assertEqual(len(self.table()), 700)
        self.assertEqual(max(row["sequence"] for row in self.table()), self.source.post("/_control/records", {})["sequence"])

    def test_upsert_keeps_the_last_of_the_versions_that_come_in_one_run(self):
        pipeline = self.write(FAST + "\nrejects: {max: 2}", more=", write: upsert, keys: [id]")
        self.run_json(pipeline)
        again = [{"id": identity, "score": score, "sequence": 5000 + score}
                 for score, identity in enumerate([10001, 10001, 77, 77, None, None])]
        self.source.post("/_control/records", {"records": again})
        stream = self.run_json(pipeline).stream
        self.assertEqual((stream["rows_written"], stream["rows_rejected"]), (4, 2))  # those without a key
        found = [(row["id"], row["score"]) for row in self.table() if row["sequence"] >= 5000]
        self.assertEqual(found, [(10001, 1), (77, 3)])
        self.assertEqual(len(self.table()), 701)

    def test_a_table_that_is_partitioned_and_clustered_stays_so(self):
        self.run_json(self.write())
        kept = {"timePartitioning": {"type": "DAY", "field": "created", "expirationMs": "86400000"}, "clustering": {"fields": ["id"]}}
        self.bq.post("/_control/keep", {"table": ["demo", "qreviews", "results"], "keep": kept})
        self.source.post("/_control/records", {"append": 5})
        self.run_json(self.write())
        self.assert_all_once(705)
        self.run_json(self.write(more=", write: replace"))
        self.assert_all_once(705)

    def test_columns_that_the_stream_lacks_keep_their_values_inside_of_records_too(self):
        self.run_json(self.write())
        before = {row["id"]: row for row in self.table()}
        (self.folder / "responses.jsonl").write_text(json.dumps({"id": 10001, "recipient": {"zipcode": "98765"}}) + "\n")
        self.run_json(self.pipeline(f"""
name: some
nodes:
  - {{use: files, with: {{path: responses.jsonl}}}}
  - use: json.decode
  - use: bq
    with: {{endpoint: "{self.bq.url}", project: demo, dataset: qreviews, credentials: {{secret: bq}}, tables: {{responses: results}}, write: upsert, keys: [id]}}
""", "some"))
        before[10001]["recipient"]["zipcode"] = "98765"
        self.assertEqual({row["id"]: row for row in self.table()}, before)

    def test_create_false_names_what_is_missing(self):
        result = self.run_json(self.write(more=", create: false"), code=7)
        self.assertIn("dataset qreviews: is not there, and create is false", result.stream["error"]["message"])

    def test_stream_says_at_least_once(self):
        pipeline = self.write(more=", method: stream")
        plan = self.patchbay("plan", pipeline, "--output", "json").json
        self.assertEqual((plan["guarantee"], plan["limited_by"]), ("at_least_once", ["bq: writes at least once with method: stream"]))
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 700)
        self.assert_all_once(700)
        refused = self.patchbay("validate", self.write("require: exactly_once", more=", method: stream"))
        self.assertEqual(refused.code, 3)
        self.assertIn("require: exactly_once can't be kept", refused.out)

    def test_tables_and_queries_are_read_back(self):
        self.run_json(self.write())
        for what in ("tables: {r: results}", 'query: "SELECT id, sequence, created FROM demo.qreviews.results ORDER BY sequence"'):
            with self.subTest(what):
                pipeline = self.pipeline(f"""
nodes:
  - {{id: from, use: bq, with: {{endpoint: "{self.bq.url}", project: demo, dataset: qreviews, credentials: {{secret: bq}}, {what}}}}}
  - {{use: sqlite, with: {{path: out.db, tables: {{r: copy, query: copy}}, write: replace}}}}
""", "back")
                self.assertEqual(self.run_json(pipeline).stream["rows_written"], 700)
                self.assertEqual(self.rows("SELECT count(DISTINCT sequence), min(created) FROM copy"), [(700, "2026-02-28T19:18:36Z")])
                self.rows("DROP TABLE copy")

    def test_text_for_a_column_of_another_type_costs_the_rows_that_do_not_fit(self):
        """The table is somebody else's and has other types where the stream has text, in records too."""
        cases = [(more, *field) for more in ("", ", method: stream")
                 for field in (("npsScore", "nps_score"), ("recipient.zipcode", "recipient.zipcode"))]
        for more, column, path in cases:
            with self.subTest(column, more=more):
                self.bq.post("/_control/reset", {})
                self.source.post("/_control/config", {"wrong": None})
                self.run_json(self.write(more=more), "--limit", "1", "--full-refresh")
                self.bq.post("/_control/type", {"table": ["demo", "qreviews", "results"], "field": column, "type": "INTEGER"})
                self.source.post("/_control/config", {"wrong": {"path": path, "value": "PHI-ten", "sequence": 42}})
                result = self.run_json(self.write(FAST + "\nrejects: {max: 1}", more=more), "--full-refresh")
                self.assertEqual((result.stream["rows_written"], result.stream["rows_rejected"]), (699, 1))
                self.assertIn(f"{column}: the table's column is int64",
                              self.patchbay("rejects", "list", "qreviews_to_bq").out)
                self.assertNotIn("PHI-", result.out + result.err)

    def test_insert_all_refuses_row_by_row_and_sends_the_stopped_again(self):
        self.run_json(self.write(more=", method: stream"), "--limit", "1")
        self.bq.post("/_control/type", {"table": ["demo", "qreviews", "results"], "field": "question.text", "type": "JSON"})
        result = self.run_json(self.write(FAST + "\nrejects: {max: 1000}", more=", method: stream"))
        self.assertEqual(result.stream["rows_rejected"], 699)
        reasons = {r["reason"] for r in self.patchbay("rejects", "list", "qreviews_to_bq", "--output", "json").json}
        self.assertEqual(len(reasons), 1)
        self.assertIn("question.text", reasons.pop())


if __name__ == "__main__":
    main()
