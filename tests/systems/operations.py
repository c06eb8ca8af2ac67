"""What the tests of daily operations share: reviews that go into a database, runs in the background."""

import json
import os
import subprocess
import threading
import time
import urllib.request

from harness import BUILD, Result, Server, SystemTest

REVIEWS = """
name: reviews
{top}
nodes:
  - use: qreviews
    with: {{base_url: "{url}", account_sid: {{secret: sid}}, api_key: {{secret: key}}, page_size: {page_size}}}
  - use: sqlite
    with: {{path: out.db, tables: {{responses: results}}}}
"""
QUICK = "retry: {attempts: 3, delay: 1ms}"


class Run:
    """The program at work; `finish` gives what harness.Result has."""

    def __init__(self, command, folder, environment):
        self.process = subprocess.Popen(command, cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid = self.process.pid

    def signal(self, number):
        self.signalled = time.monotonic()
        self.process.send_signal(number)

    def finish(self, seconds=60):
        out, err = self.process.communicate(timeout=seconds)
        self.took = time.monotonic() - getattr(self, "signalled", time.monotonic())
        return Result(subprocess.CompletedProcess([], self.process.returncode, out, err))

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def until(condition, what, seconds=20):
    """Polls, because what is waited for happens in another process."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        pause.wait(0.002)


class OperationsTest(SystemTest):
    records = 1200

    def setUp(self):
        super().setUp()
        self.state_dir = self.folder / "state"

    def serve(self):
        self.server = Server("qreviews/server.py", self.folder, "--records", self.records)
        self.addCleanup(self.server.stop)
        self.expected = []
        while page := self.page():
            self.expected += page
        self.server.post("/_control/reset", {})

    def page(self):
        after = self.expected[-1] if self.expected else 0
        path = f"/api/client/v2/response?sequence__gt={after}&order_by=sequence&limit=1000"
        request = urllib.request.Request(self.server.url + path, headers={"Authorization": "ApiKey demo-sid:demo-key"})
        with urllib.request.urlopen(request) as answer:
            return [record["sequence"] for record in json.load(answer)["objects"]]

    def fault(self, *faults):
        self.server.post("/_control/faults", list(faults))

    def requests(self):
        return len(self.server.get("/_control/requests"))

    def reviews(self, top=QUICK, page_size=500, url=None):
        return self.pipeline(REVIEWS.format(top=top, url=url or self.server.url, page_size=page_size), "reviews")

    def command(self, *arguments):
        return [str(BUILD / "patchbay"), "--state-dir", str(self.state_dir), *map(str, arguments)]

    def start(self, *arguments, env=None):
        run = Run(self.command(*arguments), self.folder, {**self.environment, **(env or {})})
        self.addCleanup(run.stop)
        return run

    def as_plain_user(self, *arguments):
        """Without root's right to pass over permissions."""
        done = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", *self.command(*arguments)],
                              capture_output=True, text=True, cwd=self.folder, env=self.environment, timeout=60)
        return Result(done)

    def small_disk(self, name, size):
        folder = self.folder / name
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
        return folder

    def fill(self, folder, leave=0):
        """A file that takes all room but `leave` bytes."""
        room = os.statvfs(folder)
        with open(folder / "ballast", "wb", buffering=0) as ballast:
            ballast.write(b"\0" * max(0, room.f_bavail * room.f_frsize - leave))
        return folder / "ballast"

    def stored(self):
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'results'"):
            return []
        return [row[0] for row in self.rows("SELECT sequence FROM results ORDER BY rowid")]

    def leftovers(self):
        return [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE name LIKE '!_patchbay%' ESCAPE '!'")
                if name not in ("_patchbay_epochs",) and "autoindex" not in name]

    def state(self, pipeline="reviews"):
        return self.patchbay("state", "show", pipeline, "--output", "json").json["streams"]

    def complete(self, pipeline, note=""):
        """A run without trouble brings the table to what the source has, each row once."""
        result = self.patchbay("run", pipeline, "--output", "json")
        self.assertEqual(result.code, 0, f"{note}: {result}")
        self.assertEqual(self.stored(), self.expected, note)
        self.assertEqual(self.leftovers(), [], note)
        self.assertEqual(self.state(), {"responses": {"sequence": self.expected[-1]}}, note)

    def assert_fails(self, result, code, *words):
        """Exit code and message; the JSON document, where there is one, says the same."""
        self.assertEqual(result.code, code, result)
        for word in words:
            self.assertIn(word, result.err + result.out, result)
        if result.out.startswith("{"):
            report = json.loads(result.out)
            self.assertEqual((report["exit_code"], report["outcome"] == "ok"), (code, False), result)
