"""Google's own client library, pointed at a storage server. What the library accepts, refuses and recovers from is what shows
that the server behaves as Cloud Storage does."""

import pathlib
import sys
import tempfile
import unittest

from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2 import service_account

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "systems"))

from harness import Server  # noqa: E402

QUICKLY = DEFAULT_RETRY.with_delay(initial=0.001, maximum=0.01).with_timeout(20)
UNIT = 256 * 1024


class OfficialClientTest(unittest.TestCase):
    """One server for all tests of a class, empty for each, with bucket `box`."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.server = Server("gcs/server.py", folder)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.server.post("/_control/reset", {})
        self.client = self.connect()
        self.addCleanup(self.client.close)
        self.bucket = self.client.create_bucket("box")

    def connect(self, scope="cloud-platform"):
        account = self.server.get("/_control/credentials")
        credentials = service_account.Credentials.from_service_account_info(
            account, scopes=[f"https://www.googleapis.com/auth/{scope}"])
        return storage.Client("demo", credentials=credentials, client_options={"api_endpoint": self.server.url})

    def put(self, name, content=b"content", **options):
        blob = self.bucket.blob(name)
        blob.upload_from_string(content, retry=QUICKLY, **options)
        return blob

    def faults(self, *faults):
        self.server.post("/_control/faults", list(faults))

    def ranges(self, method):
        """Content-Range or Range of the requests so far, where they have one."""
        return [r["range"] for r in self.server.get("/_control/requests") if r["method"] == method and r["range"]]


def main():
    unittest.main(verbosity=2)
