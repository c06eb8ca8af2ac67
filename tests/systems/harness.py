"""What the system tests share: the built program, test servers, temporary folders. Standard library only."""

import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from server_process import Server  # noqa: F401

SOURCE = pathlib.Path(os.environ.get("PATCHBAY_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("PATCHBAY_BUILD_DIR", SOURCE / "build/dev"))
# How many times as long the program may take as it should: more than once under a sanitizer.
PATIENCE = float(os.environ.get("PATCHBAY_TEST_PATIENCE", "1"))
SECRETS = {"PATCHBAY_SECRET_SID": "demo-sid", "PATCHBAY_SECRET_KEY": "demo-key"}


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        # Other sanitizers' reports are found by tests/sanitized.sh; this one's go to stderr whatever its options.
        if ": runtime error: " in self.err:
            raise AssertionError(f"undefined behaviour: {self}")

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def stream(self):
        return self.json["streams"][0]

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Proxy(Server):
    """Stands between clients, which connect to `port`, and the server at the port `upstream`; tests/services/README.md names the faults."""

    def __init__(self, folder, upstream):
        super().__init__("proxy/server.py", folder, "--upstream", upstream)
        self.port = self.get("/_control/connections")["port"]

    def rules(self, *rules):
        """From now on these, on connections that exist and new ones."""
        self.post("/_control/rules", rules)

    def reset(self):
        """No rules, and connections count from 1; what is stalled flows again."""
        self.post("/_control/reset", None)

    def refuse(self):
        self.post("/_control/refuse", None)

    def listen(self):
        self.post("/_control/listen", None)

    def end(self, how="cut"):
        """Cuts or resets every connection there is."""
        self.post("/_control/end", {"how": how})

    def connections(self):
        return self.get("/_control/connections")["connections"]

    def total(self):
        """Bytes since the last reset, up and down."""
        return self.get("/_control/connections")["total"]


class SystemTest(unittest.TestCase):
    """Each test has a folder, a state directory and pipelines of its own."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **SECRETS}
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        # LeakSanitizer stops all threads by ptrace at exit, which fails now and then ("Tracer caught signal 11"); unit
        # tests look for leaks.
        if "ASAN_OPTIONS" in self.environment:
            self.environment["ASAN_OPTIONS"] += ":detect_leaks=0"

    def pipeline(self, text, name="pipeline"):
        file = self.folder / f"{name}.yaml"
        file.write_text(text)
        return str(file)

    def patchbay(self, *arguments, env=None, timeout=120, input=None):
        done = subprocess.run(
            [str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), *map(str, arguments)],
            capture_output=True, text=True, timeout=timeout, cwd=self.folder, input=input,
            env={**self.environment, **(env or {})})
        return Result(done)

    def peak(self, *arguments):
        """The most memory that the program had, in KiB."""
        run = subprocess.Popen([str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), *map(str, arguments)],
                               cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 0)
        return usage.ru_maxrss

    def run_json(self, *arguments, code=0, env=None):
        result = self.patchbay("run", *arguments, "--output", "json", env=env)
        self.assertEqual(result.code, code, result)
        return result

    def rows(self, query, database="out.db"):
        with sqlite3.connect(self.folder / database) as connection:
            return connection.execute(query).fetchall()


def main():
    unittest.main(verbosity=2)
