"""What the tests of gcs share: a storage server with the bucket `box`, and pipelines from it and into it."""

import json
import urllib.request
from urllib.parse import quote

from harness import Proxy, Server, SystemTest

UNIT = 256 * 1024
FAST = "retry: {attempts: 4, delay: 1ms}"
MEDIA, PIECE = "alt=media", "PUT .*upload_id"


class GcsTest(SystemTest):
    chunk_size = UNIT

    def setUp(self):
        super().setUp()
        self.gcs = Server("gcs/server.py", self.folder)
        self.addCleanup(self.gcs.stop)
        self.endpoint = self.gcs.url
        self.gcs.post("/_control/buckets", ["box"])
        self.environment["PATCHBAY_SECRET_GCS"] = json.dumps(self.gcs.get("/_control/credentials"))

    def proxy(self):
        """From now on pipelines go through it."""
        proxy = Proxy(self.folder, self.gcs.port)
        self.addCleanup(proxy.stop)
        self.endpoint = f"http://127.0.0.1:{proxy.port}"
        return proxy

    def access(self):
        return f'endpoint: "{self.endpoint}", credentials: {{secret: gcs}}, chunk_size: {self.chunk_size}'

    def put(self, name, text="", **more):
        content = {"size": text} if isinstance(text, int) else {"text": text}
        return self.gcs.post("/_control/objects", {"bucket": "box", "name": name, **content, **more})

    def content(self, name):
        with urllib.request.urlopen(f"{self.gcs.url}/_control/data/box/{quote(name)}") as answer:
            return answer.read()

    def objects(self):
        return {found["name"]: found for found in self.gcs.get("/_control/objects/box")}

    def faults(self, *faults):
        self.gcs.post("/_control/faults", list(faults))

    def requests(self, method, part=""):
        return [r for r in self.gcs.get("/_control/requests") if r["method"] == method and part in r["path"]]

    def download(self, path, more="", target="out/{key}", top=FAST):
        return self.pipeline(f"""
name: down
{top}
nodes:
  - use: gcs
    with: {{bucket: box, path: "{path}", {self.access()}{more}}}
  - {{id: out, use: files, with: {{path: "{target}"}}}}
""", "down")

    def upload(self, path, more="", target="{key}", top=FAST):
        return self.pipeline(f"""
name: up
{top}
nodes:
  - use: files
    with: {{path: "{path}"}}
  - id: out
    use: gcs
    with: {{bucket: box, path: "{target}", {self.access()}{more}}}
""", "up")

    def here(self):
        out = self.folder / "out"
        return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) if out.exists() else []

    def file(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return content
