"""Limits of the process: temporary failures with the limit's name, never faults of the configuration or bugs."""

import os
import sqlite3
import subprocess
import unittest

from harness import BUILD, Result, main
from operations import OperationsTest

SANITIZED = any(f"{name}_OPTIONS" in os.environ for name in ("ASAN", "TSAN"))
NOBODY = 65534


class LimitsTest(OperationsTest):
    def setUp(self):
        super().setUp()
        with sqlite3.connect(self.folder / "in.db") as database:
            database.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t WITH RECURSIVE n(i) AS "
                                   "(VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n")
        database.close()
        self.load = self.pipeline("""
name: load
retry: {attempts: 2, delay: 1ms}
nodes:
  - {use: sqlite, id: from, with: {path: in.db}}
  - {use: sqlite, id: to, with: {path: out.db, write: replace}}
""", "load")

    def under(self, limit, *arguments, user=()):
        words = " ".join(self.command(*arguments))
        done = subprocess.run([*user, "bash", "-c", f"ulimit {limit} && exec {words}"], cwd=self.folder,
                              env=self.environment, capture_output=True, text=True, timeout=120)
        return Result(done)

    def sweep(self, flag, values, words, *arguments, user=()):
        """Growing limits: each run names the limit, until there is enough of it."""
        named = 0
        for value in values:
            with self.subTest(limit=f"ulimit {flag} {value}"):
                result = self.under(f"{flag} {value}", *arguments, user=user)
                self.assertIn(result.code, (0, 5), result)
                if result.code == 0:
                    break
                said = result.out + result.err
                self.assertRegex(said, words)
                self.assertNotIn("this is a bug", said)
                named += 1
        self.assertEqual(result.code, 0, "the last value is enough")
        return named

    def test_open_files(self):
        words = r"the limit of open files \(ulimit -n, now \d+\) is reached; raise it"
        named = {verb: self.sweep("-n", [*range(5, 24), 64], words, verb, *arguments)
                 for verb, *arguments in (["run", self.load], ["plan", self.load], ["preview", self.load], ["check", self.load],
                                          ["validate", self.load], ["plugins", "list"], ["runs", "list"])}
        self.assertGreater(min(named["run"], named["plan"], named["preview"]), 0, named)
        self.assertEqual(self.rows("SELECT count(*) FROM t"), [(100,)])

    @unittest.skipIf(SANITIZED, "sanitizers take memory of their own")
    def test_memory(self):
        least = next(size for size in range(10_000, 500_000, 2_000) if self.under(f"-v {size}", "version").code == 0)
        named = self.sweep("-v", [*range(least, least + 200_000, 2_000), 4_000_000], r"ulimit -v, now \d+\)", "run", self.load)
        self.assertGreater(named, 0)
        self.assertEqual(self.rows("SELECT count(*) FROM t"), [(100,)])

    @unittest.skipIf(SANITIZED, "a sanitizer's own threads count")
    def test_threads(self):
        # root has no such limit
        os.chown(self.folder, NOBODY, NOBODY)
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if self.under("-n 1000", "version", user=user).code != 0:
            self.skipTest("other users cannot run the program here")
        named = self.sweep("-u", [1, 2, 3, 4, 5, 6, 8, 64], r"the limit of processes and threads \(ulimit -u, now \d+\)", "run",
                           self.load, user=user)
        self.assertGreater(named, 0)
        self.assertEqual(self.rows("SELECT count(*) FROM t"), [(100,)])

    def test_a_state_folder_that_names_nothing(self):
        for flag in ("--state-dir", "--config-dir", "--plugin-dir"):
            done = subprocess.run([BUILD / "patchbay", flag, "", "runs", "list"], cwd=self.folder, env=self.environment,
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (2, f"patchbay: {flag}: is empty; name a folder\n"))

    def test_a_relative_state_folder_in_a_working_folder_that_is_gone(self):
        gone = self.folder / "gone"
        gone.mkdir()
        script = f"rmdir {gone}; exec {BUILD}/patchbay --state-dir state run {self.load}"
        done = subprocess.run(["sh", "-c", script], cwd=gone, env=self.environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("state: is relative, and the working folder is gone; change to one that is there, or write the "
                      "whole path", done.stderr)


if __name__ == "__main__":
    main()
