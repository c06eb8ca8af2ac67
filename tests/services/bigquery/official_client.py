"""Google's own client library, pointed at the test server. What the library accepts, refuses and retries is what shows
that the server behaves as BigQuery does."""

import pathlib
import sys
import tempfile
import unittest

from google.api_core.retry import Retry
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from google.oauth2 import service_account

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "systems"))

from harness import Server  # noqa: E402

QUICKLY = DEFAULT_RETRY.with_delay(initial=0.001, maximum=0.01).with_timeout(20)
POLLING = Retry(predicate=lambda error: type(error).__name__ == "_OperationNotComplete", initial=0.001, maximum=0.01, timeout=20)
KEYED = [{"name": "id", "type": "INT64", "mode": "REQUIRED"}, {"name": "name", "type": "STRING"}]


class OfficialClientTest(unittest.TestCase):
    """One server for all tests of a class, empty for each, with dataset `d`."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.server = Server("bigquery/server.py", folder)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.server.post("/_control/reset", {})
        self.client = self.connect(self.server.get("/_control/credentials"))
        self.addCleanup(self.client.close)
        self.client.create_dataset("d")

    def connect(self, account):
        credentials = service_account.Credentials.from_service_account_info(account)
        return bigquery.Client("demo", credentials=credentials, client_options={"api_endpoint": self.server.url})

    def make(self, name="t", fields=None):
        schema = [bigquery.SchemaField.from_api_repr(field) for field in fields or KEYED]
        return self.client.create_table(bigquery.Table(f"demo.d.{name}", schema))

    def insert(self, *rows, table="demo.d.t", **options):
        return self.client.insert_rows_json(table, list(rows), retry=QUICKLY, **options)

    def rows(self, table="t", **options):
        return [dict(row) for row in self.client.list_rows(self.client.get_table(f"demo.d.{table}"), **options)]

    def ids(self, table="t"):
        return [row["id"] for row in self.rows(table)]

    def faults(self, *faults):
        self.server.post("/_control/faults", list(faults))

    def paths(self, method="POST"):
        """Of the requests so far, without those for tokens."""
        seen = self.server.get("/_control/requests")
        return [r["path"].removeprefix("/bigquery/v2/projects/demo") for r in seen if r["method"] == method and r["path"] != "/token"]

    def assert_refused(self, kind, reason, action, *arguments, **options):
        with self.assertRaises(kind) as caught:
            action(*arguments, **options)
        self.assertEqual(caught.exception.errors[0]["reason"], reason)
        return caught.exception


def error_body(code, reason):
    return {"error": {"code": code, "message": "injected", "errors": [{"domain": "global", "reason": reason, "message": "injected"}]}}


def main():
    unittest.main(verbosity=2)
