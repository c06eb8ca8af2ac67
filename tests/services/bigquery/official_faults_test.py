"""Faults that the server is told to show, and tokens: Google's client library must recover, or fail, as it does with BigQuery."""

import json
import subprocess

from google.api_core.exceptions import Conflict, Forbidden, GoogleAPICallError, ServiceUnavailable
from google.auth.exceptions import RefreshError
from google.cloud.bigquery import LoadJobConfig, SchemaField

from official_client import QUICKLY, OfficialClientTest, error_body, main

GET_TABLE = r"GET .*/tables/t\b"


class FaultsTest(OfficialClientTest):
    def setUp(self):
        super().setUp()
        self.make()
        self.insert({"id": 1})

    def status(self, code, reason=None, **more):
        body = json.dumps(error_body(code, reason)) if reason else "<html>it is broken</html>"
        return {"action": "status", "status": code, "body": body, **more}

    def test_what_is_passing_is_tried_again(self):
        for fault in (self.status(403, "rateLimitExceeded"), self.status(503, "backendError"), self.status(500, "internalError"),
                      self.status(502, "badGateway"), self.status(502), self.status(503), self.status(429), {"action": "close"}):
            with self.subTest(fault):
                self.faults({**fault, "match": GET_TABLE, "times": 2})
                before = len(self.paths("GET"))
                self.assertEqual(self.client.get_table("d.t", retry=QUICKLY).num_rows, 1)
                self.assertEqual(len(self.paths("GET")) - before, 3)

    def test_what_is_final_is_not(self):
        for code, reason in ((403, "accessDenied"), (403, "quotaExceeded"), (400, "invalid"), (404, "notFound")):
            with self.subTest(reason):
                self.faults(self.status(code, reason, match=GET_TABLE, times=9))
                before = len(self.paths("GET"))
                self.assert_refused(GoogleAPICallError, reason, self.client.get_table, "d.t", retry=QUICKLY)
                self.assertEqual(len(self.paths("GET")) - before, 1)

    def test_without_retries_a_fault_shows_with_its_body(self):
        for code, reason, kind in ((403, "rateLimitExceeded", Forbidden), (503, "backendError", ServiceUnavailable)):
            self.faults(self.status(code, reason))
            self.assertIn("injected", str(self.assert_refused(kind, reason, self.client.get_table, "d.t", retry=None)))

    def test_an_insert_whose_answer_was_lost_counts_once(self):
        self.faults({"action": "lost", "match": "insertAll"})
        self.assertEqual(self.insert({"id": 2}), [])
        self.assertEqual(sum("insertAll" in path for path in self.paths()), 3)
        self.assertEqual(self.ids(), [1, 2])

    def test_a_copy_whose_answer_was_lost_answers_duplicate_and_is_found(self):
        self.faults({"action": "lost", "match": "POST .*/jobs"})
        self.assert_refused(Conflict, "duplicate", self.client.copy_table, "demo.d.t", "demo.d.u", job_id="once", retry=QUICKLY)
        self.assertEqual((self.client.get_job("once").state, self.ids("u")), ("DONE", [1]))

    def test_a_query_whose_answer_was_lost_runs_once(self):
        self.make("u")
        insert = "INSERT INTO demo.d.u (id) SELECT id FROM demo.d.t"
        for match, run in (("POST .*/jobs", lambda: self.client.query(insert, retry=QUICKLY).result()),
                           ("POST .*/queries", lambda: self.client.query_and_wait(insert, retry=QUICKLY))):
            before = self.client.get_table("d.u").num_rows
            self.faults({"action": "lost", "match": match})
            run()
            self.assertEqual(self.client.get_table("d.u").num_rows, before + 1)

    def test_an_upload_that_breaks_off_is_resumed(self):
        for fault in (self.status(503, match="PUT"), {"action": "lost", "match": "PUT"}):
            with self.subTest(fault["action"]):
                config = LoadJobConfig(schema=[SchemaField("id", "INT64")], write_disposition="WRITE_TRUNCATE")
                self.faults(fault)
                self.client.load_table_from_json([{"id": 5}, {"id": 6}], "demo.d.u", job_config=config).result()
                self.assertEqual(self.ids("u"), [5, 6])

    def test_a_job_that_fails_says_why(self):
        for reason in ("backendError", "rateLimitExceeded", "accessDenied"):
            self.server.post("/_control/jobs", {"failures": [{"reason": reason, "message": "no luck"}]})
            error = self.client.copy_table("demo.d.t", "demo.d.u").exception()
            self.assertEqual(error.errors[0]["reason"], reason)
            self.assertIn("no luck", str(error))
        self.assertEqual([table.table_id for table in self.client.list_tables("d")], ["t"])


class TokensTest(OfficialClientTest):
    def tokens_asked_for(self):
        return sum(r["path"] == "/token" for r in self.server.get("/_control/requests"))

    def test_one_token_serves_many_requests(self):
        for _ in range(3):
            self.client.get_dataset("d")
        self.assertEqual(self.tokens_asked_for(), 1)

    def test_a_token_that_is_refused_is_renewed(self):
        self.server.post("/_control/tokens", {})
        self.client.get_dataset("d")
        self.assertEqual(self.tokens_asked_for(), 2)

    def test_a_token_about_to_expire_is_renewed_before_use(self):
        self.server.post("/_control/tokens", {"lifetime": 1})
        self.addCleanup(self.server.post, "/_control/tokens", {})
        with self.connect(self.server.get("/_control/credentials")) as client:
            before = self.tokens_asked_for()
            for _ in range(3):
                client.get_dataset("d")
        self.assertEqual(self.tokens_asked_for() - before, 3)

    def test_other_accounts_and_other_keys_are_refused(self):
        account = self.server.get("/_control/credentials")
        key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], check=True, capture_output=True).stdout.decode()
        for wrong in ({"client_email": "other@demo.iam.gserviceaccount.com"}, {"private_key": key}):
            with self.subTest(*wrong), self.connect({**account, **wrong}) as client:
                with self.assertRaisesRegex(RefreshError, "invalid_grant"):
                    client.get_dataset("d")


if __name__ == "__main__":
    main()
