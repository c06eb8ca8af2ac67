"""Q-Reviews into SQLite: everything that a source over HTTP can meet."""

import json

from harness import Server, SystemTest, main

PIPELINE = """
name: reviews
{top}
nodes:
  - use: qreviews
    with: {{base_url: "{url}", account_sid: {{secret: sid}}, api_key: {{secret: key}}, page_size: {page_size}}}
  - use: fields
    with: {{rename: camel}}
  - use: sqlite
    with: {{path: out.db, tables: {{responses: results}}}}
"""


class QreviewsTest(SystemTest):
    records = 1200

    def setUp(self):
        super().setUp()
        self.server = Server("qreviews/server.py", self.folder, "--records", self.records)
        self.addCleanup(self.server.stop)

    def write(self, top="retry: {attempts: 3, delay: 1ms}", page_size=500, url=None):
        return self.pipeline(PIPELINE.format(top=top, url=url or self.server.url, page_size=page_size))

    def config(self, **settings):
        self.server.post("/_control/config", settings)

    def fault(self, action, **more):
        self.server.post("/_control/faults", [{"action": action, **more}])

    def stored(self):
        return [row[0] for row in self.rows("SELECT sequence FROM results ORDER BY rowid")]

    def test_first_run_reads_all_second_only_what_is_new(self):
        pipeline = self.write()
        first = self.run_json(pipeline).stream
        self.assertEqual((first["rows_read"], first["rows_written"]), (1200, 1200))
        self.assertIsNone(first["state_before"])
        self.server.post("/_control/records", {"append": 7})
        second = self.run_json(pipeline).stream
        self.assertEqual((second["rows_read"], second["rows_written"]), (7, 7))
        self.assertEqual(second["state_before"], first["state_after"])
        third = self.run_json(pipeline)
        self.assertEqual((third.stream["rows_read"], third.json["outcome"]), (0, "ok"))
        stored = self.stored()
        self.assertEqual(len(stored), 1207)
        self.assertEqual(stored, sorted(set(stored)))

    def test_a_server_that_caps_pages_loses_nothing(self):
        self.config(page_cap=100)
        self.assertEqual(self.run_json(self.write()).stream["rows_written"], 1200)

    def test_a_last_page_that_is_full_is_not_taken_for_more(self):
        self.assertEqual(self.run_json(self.write(page_size=400)).stream["rows_written"], 1200)

    def test_an_update_comes_again_with_its_new_sequence(self):
        pipeline = self.write()
        self.run_json(pipeline)
        self.server.post("/_control/records", {"update": [10005, 10006]})
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 2)
        self.assertEqual(self.rows("SELECT count(*) FROM results WHERE id = 10005"), [(2,)])

    def test_a_server_that_ignores_the_filter_is_an_error(self):
        self.config(ignore_filter=True)
        result = self.run_json(self.write(), code=7)
        self.assertIn("sequence: must increase", result.stream["error"]["message"])

    def test_missing_objects_are_an_error_never_the_end(self):
        for objects in ("missing", "null"):
            self.config(objects=objects)
            self.assertIn("objects", self.run_json(self.write(), code=7).stream["error"]["message"])

    def test_transient_faults_are_tried_again(self):
        for fault in ({"action": "status", "status": 500}, {"action": "close"}, {"action": "cut"}, {"action": "cut_json"},
                      {"action": "status", "status": 429, "headers": {"Retry-After": "0"}},
                      {"action": "status", "status": 200, "body": "<html>maintenance</html>"}):
            with self.subTest(fault):
                self.server.post("/_control/reset", {})
                self.server.post("/_control/faults", [{"skip": 1, **fault}])
                result = self.run_json(self.write(), "--full-refresh")
                self.assertEqual(result.stream["rows_written"], 1200)
                self.rows("DELETE FROM results")

    def test_faults_that_stay_end_with_their_code(self):
        cases = [({"action": "status", "status": 500}, 5, "answered 500 (3 attempts)"),
                 ({"action": "status", "status": 200, "body": "<html>PHI-Anna</html>"}, 7, "no JSON"),
                 ({"action": "cut_json"}, 7, "no JSON"),
                 ({"action": "status", "status": 404}, 7, "answered 404"),
                 ({"action": "status", "status": 429, "headers": {"Retry-After": "999999"}}, 5, "asking to wait 999999 s"),
                 ({"action": "status", "status": 302, "headers": {"Location": "http://127.0.0.2:1/"}}, 7, "another server"),
                 ({"action": "endless"}, 7, "over the limit")]
        for fault, code, message in cases:
            with self.subTest(fault):
                self.server.post("/_control/reset", {})
                self.server.post("/_control/faults", [{"times": 100, **fault}])
                result = self.run_json(self.write(), code=code)
                self.assertIn(message, result.stream["error"]["message"])
                self.assertNotIn("PHI-", result.out + result.err)

    def test_a_dead_server_is_temporary(self):
        pipeline = self.write(url="http://127.0.0.1:9")
        result = self.run_json(pipeline, code=5)
        self.assertIn("GET http://127.0.0.1:9/api/client/v2/response: ", result.stream["error"]["message"])

    def test_refused_credentials(self):
        result = self.patchbay("run", self.write(), "--output", "json", env={"PATCHBAY_SECRET_KEY": "wrong-key"})
        self.assertEqual(result.code, 4, result)
        self.assertNotIn("wrong-key", result.out + result.err)

    def test_a_missing_secret_names_the_variable(self):
        self.environment.pop("PATCHBAY_SECRET_KEY")
        result = self.patchbay("run", self.write())
        self.assertEqual(result.code, 4)
        self.assertIn("PATCHBAY_SECRET_KEY", result.err)

    def test_one_bad_row_costs_one_row(self):
        self.config(wrong={"path": "score", "value": "PHI-high", "sequence": 42})
        pipeline = self.write("rejects: {max: 1}")
        result = self.run_json(pipeline)
        self.assertEqual((result.stream["rows_read"], result.stream["rows_written"], result.stream["rows_rejected"]),
                         (1200, 1199, 1))
        rejects = self.patchbay("rejects", "list", pipeline, "--output", "json").json
        self.assertEqual([(r["reason"], r["position"]) for r in rejects],
                         [("score: expected int64, found utf8", {"sequence": 42})])
        exported = json.loads(self.patchbay("rejects", "export", pipeline).out)
        self.assertEqual(exported["row"]["score"], "PHI-high")
        self.assertNotIn(42, self.stored())
        self.assertNotIn("PHI-", result.out + result.err)

    def test_more_rejects_than_allowed_commit_nothing_and_say_which(self):
        self.config(wrong={"path": "score", "value": "PHI-high", "sequence": 42})
        pipeline = self.write()
        result = self.run_json(pipeline, code=6)
        self.assertEqual(result.json["outcome"], "rejects")
        self.assertEqual(result.stream["rows_written"], 0)
        self.assertIsNone(result.stream["state_after"])
        self.assertEqual(len(self.patchbay("rejects", "list", pipeline, "--output", "json").json), 1)
        self.config(wrong=None)
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 1200)

    def test_a_share_of_rejects_is_judged_by_rows_read(self):
        self.config(wrong={"path": "score", "value": "x", "sequence": 42})
        self.run_json(self.write('rejects: {max: "1%"}'))
        self.assertEqual(self.run_json(self.write('rejects: {max: "0.01%"}'), "--full-refresh", code=6).json["outcome"],
                         "rejects")

    def test_a_new_field_by_policy(self):
        self.config(extra={"path": "recipient.suffix", "value": "PHI-Jr", "from_sequence": 600})
        change = {"field": "recipient.suffix", "type": "utf8"}
        failed = self.run_json(self.write(), code=9)
        self.assertIn("recipient.suffix: new field of type utf8", failed.stream["error"]["message"])
        ignored = self.run_json(self.write("on_schema_change: ignore"), "--full-refresh").stream
        self.assertEqual(ignored["schema_changes"], [{**change, "action": "ignored"}])
        self.rows("DELETE FROM results")
        evolved = self.run_json(self.write("on_schema_change: evolve"), "--full-refresh").stream
        self.assertEqual((evolved["rows_written"], evolved["schema_changes"]), (1200, [{**change, "action": "added"}]))
        self.assertEqual(self.rows("SELECT recipient ->> 'suffix' FROM results WHERE sequence = 1200"), [("PHI-Jr",)])
        again = self.run_json(self.write("on_schema_change: evolve")).stream
        self.assertEqual(again["schema_changes"], [])

    def test_a_new_top_level_field_becomes_a_renamed_column(self):
        self.config(extra={"path": "visit_count", "value": 9007199254740993, "from_sequence": 600})
        self.run_json(self.write("on_schema_change: evolve"))
        self.assertEqual(self.rows("SELECT visitCount, typeof(visitCount) FROM results WHERE sequence IN (1, 1200)"),
                         [(None, "null"), (9007199254740993, "integer")])

    def test_a_rejected_field_costs_the_rows_that_have_it(self):
        self.config(extra={"path": "surprise", "value": {"a": 1}, "from_sequence": 1260})
        result = self.run_json(self.write("on_schema_change: reject\nrejects: {max: 100}"))
        stream = result.stream
        self.assertEqual(stream["rows_written"] + stream["rows_rejected"], 1200)
        self.assertGreater(stream["rows_rejected"], 0)
        self.assertEqual(stream["schema_changes"], [{"field": "surprise", "type": "arrow.json", "action": "rejected"}])

    def test_limit_moves_the_state_past_these_rows_only(self):
        pipeline = self.write()
        self.assertEqual(self.run_json(pipeline, "--limit", 3).stream["state_after"], {"sequence": 3})
        self.assertEqual(self.run_json(pipeline).stream["rows_written"], 1197)
        self.assertEqual(len(set(self.stored())), 1200)

    def test_a_key_collision_after_renaming_is_an_error(self):
        self.config(extra={"path": "via_Sms", "value": True, "from_sequence": 5})
        result = self.run_json(self.write("on_schema_change: evolve"), code=3)
        self.assertIn("via_sms and via_Sms both become viaSms", result.stream["error"]["message"])

    def test_an_unknown_stream_is_named_with_those_there_are(self):
        text = PIPELINE.format(top="", url=self.server.url, page_size=5).replace(
            "use: qreviews\n", "use: qreviews\n    streams: {respnses: {rename: answers}}\n")
        result = self.patchbay("run", self.pipeline(text))
        self.assertEqual(result.code, 3, result)
        self.assertRegex(result.err, r"pipeline.yaml:6:\d+: streams: qreviews has no stream respnses, did you mean responses\?")
        result = self.patchbay("run", self.write(), "--only", "respnses")
        self.assertEqual(result.code, 2, result)
        self.assertIn("--only respnses: no source has such a stream; there is responses", result.err)
        listed = self.patchbay("runs", "list", "--output", "json").json
        self.assertEqual(listed[0]["exit_code"], 2, listed)

    def test_a_misspelt_option_is_named_with_line_and_column(self):
        result = self.patchbay("run", self.pipeline(PIPELINE.format(top="", url=self.server.url, page_size=5)
                                                    .replace("page_size", "page_sise")))
        self.assertEqual(result.code, 3)
        self.assertRegex(result.err, r"pipeline.yaml:6:\d+: page_sise: unknown option of qreviews, did you mean page_size\?")

    def test_plain_http_elsewhere_needs_a_word(self):
        result = self.run_json(self.write(url="http://example.test"), code=3)
        self.assertIn("base_url: http://example.test is plain http", result.stream["error"]["message"])


if __name__ == "__main__":
    main()
