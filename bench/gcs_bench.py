"""One large object down from Cloud Storage and up again, against Google's own Python library, both on the test server."""

import json

from harness import SOURCE, Command, compare, at_most, main, patchbay, scratch, service, show, ratio

PYTHON = SOURCE / "build/venv/bin/python"  # made by ./dev venv
SIZE = 256 << 20
CHUNK = 8 << 20
PEER = f"""
import json, os, sys
from google.cloud import storage
from google.oauth2 import service_account
account = service_account.Credentials.from_service_account_info(json.loads(os.environ["PATCHBAY_SECRET_GCS"]),
                                                                scopes=["https://www.googleapis.com/auth/cloud-platform"])
client = storage.Client("demo", credentials=account, client_options={{"api_endpoint": sys.argv[1]}})
blob = client.bucket("box").blob(sys.argv[3], chunk_size={CHUNK})
if sys.argv[2] == "down":
    blob.download_to_filename(sys.argv[4], checksum="crc32c")
else:
    blob.upload_from_filename(sys.argv[4], checksum="crc32c")
"""


def pipeline(folder, name, source, target):
    file = folder / f"{name}.yaml"
    file.write_text(f"nodes:\n  - {{{source}}}\n  - {{id: out, {target}}}\n")
    return file


def benchmark():
    with scratch() as folder, service("gcs/server.py", folder) as server:
        server.post("/_control/buckets", ["box"])
        server.post("/_control/objects", {"bucket": "box", "name": "big", "size": SIZE})
        secret = {"PATCHBAY_SECRET_GCS": json.dumps(server.get("/_control/credentials"))}
        peer = folder / "peer.py"
        peer.write_text(PEER)
        there = lambda path: f'use: gcs, with: {{bucket: box, path: {path}, endpoint: "{server.url}", credentials: {{secret: gcs}}}}'  # noqa: E731
        here = lambda path: f'use: files, with: {{path: "{path}"}}'  # noqa: E731
        for way, source, target, path in (("down", there("big"), here(folder / "big"), "big"),
                                          ("up", here(folder / "big"), there("up"), "up")):
            file = pipeline(folder, way, source, target)
            ours = patchbay("--state-dir", folder / "state", "run", file, "--progress", "none", env=secret)
            theirs = Command([PYTHON, peer, server.url, way, path, folder / "big"], env=secret)
            pairs = compare(f"256 MiB {way}", ours, theirs, wall=at_most(1.0), memory=at_most(1.0))
            rates = [f"{SIZE / 1e6 / sorted(pair[side]['wall'] for pair in pairs)[len(pairs) // 2]:.0f} MB/s" for side in (0, 1)]
            show(f"256 MiB {way}: rate", *rates, 1 / ratio(pairs))


main(benchmark)
