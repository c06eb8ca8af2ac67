"""A test server of tests/services in a process of its own. Standard library only."""

import json
import pathlib
import subprocess
import sys
import time
import urllib.request

SERVICES = pathlib.Path(__file__).resolve().parents[1] / "services"


class Server:
    """`url` is where it listens."""

    def __init__(self, script, folder, *arguments):
        port_file = pathlib.Path(folder) / f"{pathlib.Path(script).parent.name}.port"
        self.process = subprocess.Popen(
            [sys.executable, str(SERVICES / script), "--port", "0", "--port-file", str(port_file), *map(str, arguments)])
        deadline = time.monotonic() + 60
        while not port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{script} did not start")
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        self.port = int(port_file.read_text())
        port_file.unlink()
        self.url = f"http://127.0.0.1:{self.port}"

    def post(self, path, data):
        request = urllib.request.Request(self.url + path, json.dumps(data).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return json.loads(answer.read())

    def stop(self):
        self.process.kill()
        self.process.wait()
