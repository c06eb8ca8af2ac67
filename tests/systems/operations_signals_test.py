"""SIGINT and SIGTERM: at most two seconds, nothing half committed, and the next run completes."""

import json
import random
import signal
import sqlite3
import subprocess

from harness import PATIENCE, Server, main
from operations import OperationsTest, until

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
HOUR = {"seconds": 3600}
# What the run is at, the server's fault, the request by which it is there, and more for the pipeline.
MOMENTS = [
    ("waiting for the first answer", {"action": "hang", **HOUR}, 1, ""),
    ("in the middle of a page", {"action": "stall", "skip": 2, **HOUR}, 3, ""),
    ("reading a slow page", {"action": "slow", "skip": 1, "pieces": 5000}, 2, ""),
    ("reading an endless body", {"action": "slow", "pieces": 100000, "seconds": 0.001}, 1, ""),
    ("waiting before another attempt", {"action": "status", "status": 500, "times": 9}, 1, "retry: {delay: 60s}"),
    ("told to wait", {"action": "status", "status": 429, "headers": {"Retry-After": "60"}}, 1, ""),
    ("with epochs committed", {"action": "hang", "skip": 9, **HOUR}, 10, "commit: {rows: 100}"),
]


def shell_code(code):
    """As a shell has it: a process that a signal ended before it watched for signals."""
    return 128 - code if code < 0 else code


class SignalsTest(OperationsTest):
    def setUp(self):
        super().setUp()
        self.serve()

    def assert_consistent(self, note):
        """The state is at the last row that is there, and everything before it is."""
        stored = self.stored() if (self.folder / "out.db").exists() else []
        self.assertEqual(stored, self.expected[:len(stored)], note)
        self.assertEqual(self.state(), {"responses": {"sequence": stored[-1]}} if stored else {}, note)

    def forget(self):
        self.patchbay("state", "reset", "reviews")
        for file in self.folder.glob("out.db*"):
            file.unlink()

    def test_whatever_the_run_is_at(self):
        for number, code in CODES.items():
            for note, fault, requests, top in MOMENTS:
                with self.subTest(note, signal=number.name):
                    self.forget()
                    self.server.post("/_control/reset", {})
                    self.fault(fault)
                    run = self.start("run", self.reviews(top, page_size=100), "--output", "json")
                    until(lambda: self.requests() >= requests, note)
                    run.signal(number)
                    result = run.finish()
                    self.assertLess(run.took, 2 * PATIENCE)
                    self.assertEqual((result.code, result.json["exit_code"], result.json["outcome"]),
                                     (code, code, "cancelled"), result)
                    listed = self.patchbay("runs", "list", "--output", "json").json[0]
                    self.assertEqual((listed["outcome"], listed["exit_code"]), ("cancelled", code))
                    self.assert_consistent(note)
                    self.fault()
                    self.complete(self.reviews(), note)

    def test_random_moments(self):
        for seed in range(24):
            with self.subTest(seed=seed):
                self.forget()
                chance = random.Random(seed)
                number = chance.choice(list(CODES))
                run = self.start("run", self.reviews("commit: {rows: 20}", page_size=20), "--output", "json")
                try:
                    run.process.wait(chance.uniform(0, 0.25))
                except subprocess.TimeoutExpired:
                    run.signal(number)
                result = run.finish()
                self.assertLess(run.took, 2 * PATIENCE)
                self.assertIn(shell_code(result.code), (0, CODES[number]), result)
                self.complete(self.reviews(), f"seed {seed}")

    def blocked_by_another(self):
        """A run whose sink can't tidy up, because another program holds its database."""
        self.fault({"action": "hang", "skip": 2, **HOUR})
        run = self.start("run", self.reviews("commit: {rows: 100}", page_size=100), "--output", "json")
        until(lambda: self.requests() >= 3, "third page")
        other = sqlite3.connect(self.folder / "out.db", isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN EXCLUSIVE")
        return run, other

    def test_a_sink_that_does_not_return_is_left_behind(self):
        run, other = self.blocked_by_another()
        run.signal(signal.SIGTERM)
        result = run.finish()
        self.assertLess(run.took, 2.2 * PATIENCE)
        self.assertEqual((result.code, result.json["outcome"]), (143, "cancelled"), result)
        other.close()
        self.fault()
        self.complete(self.reviews())

    def test_what_is_printed_goes_into_no_file_that_is_open(self):
        (self.folder / "a.csv").write_text("id\n1\n")
        command = " ".join(self.command("copy", "a.csv", "a.json"))
        for closed in ("<&- >&- 2>&-", "2>&-", ">&- 2>&-"):
            done = subprocess.run(["sh", "-c", f"exec {command} {closed}"], cwd=self.folder, env=self.environment, timeout=60)
            self.assertEqual(done.returncode, 0, closed)
            self.assertEqual(json.loads((self.folder / "a.json").read_text()), [{"id": 1}])
            self.assertTrue(all(lock.read_bytes().isdigit() for lock in self.state_dir.glob("locks/*")), closed)

    def test_a_file_size_limit_is_a_full_disk(self):
        (self.folder / "a.csv").write_text("id\n" + "1\n" * 100000)
        command = " ".join(self.command("copy", "a.csv", "a.json"))
        done = subprocess.run(["bash", "-c", f"ulimit -f 400; exec {command} --set retry.attempts=1"], cwd=self.folder,
                              capture_output=True, text=True, env=self.environment, timeout=60)
        self.assertEqual(done.returncode, 5, done)
        self.assertEqual(list(self.folder.glob("*a.json*")), [])

    def hang_up(self, handler):
        before = signal.signal(signal.SIGHUP, handler)  # which the program inherits, if it is SIG_IGN
        self.fault({"action": "stall", "skip": 2, "seconds": 1})
        run = self.start("run", self.reviews("commit: {rows: 100}", page_size=100), "--output", "json")
        signal.signal(signal.SIGHUP, before)
        until(lambda: self.requests() >= 3, "third page")
        run.signal(signal.SIGHUP)
        return run.finish()

    def test_a_closed_terminal_ends_a_run_in_good_order(self):
        result = self.hang_up(signal.SIG_DFL)
        self.assertEqual((result.code, result.json["outcome"]), (130, "cancelled"), result)
        self.assert_consistent("closed terminal")
        self.fault()
        self.complete(self.reviews())

    def test_under_nohup_a_run_goes_on(self):
        result = self.hang_up(signal.SIG_IGN)
        self.assertEqual((result.code, result.json["outcome"]), (0, "ok"), result)
        self.assertEqual(self.stored(), self.expected)

    def test_a_second_signal_ends_at_once(self):
        run, other = self.blocked_by_another()
        run.signal(signal.SIGINT)
        run.signal(signal.SIGTERM)
        self.assertEqual(run.finish().code, 143)
        self.assertLess(run.took, 0.5 * PATIENCE)
        other.close()
        self.fault()
        self.complete(self.reviews())

    def test_while_a_run_that_failed_by_itself_tidies_up(self):
        bq = Server("bigquery/server.py", self.folder)
        self.addCleanup(bq.stop)
        self.environment["PATCHBAY_SECRET_BQ"] = json.dumps(bq.get("/_control/credentials"))
        denied = json.dumps({"error": {"code": 403, "message": "no", "errors": [{"reason": "accessDenied"}]}})
        bq.post("/_control/faults", [{"match": "POST /upload", "times": 9, "action": "status", "status": 403, "body": denied},
                                     {"match": "DELETE", "times": 9, "action": "hang"}])
        run = self.start("run", self.pipeline(f"""
nodes:
  - use: qreviews
    with: {{base_url: "{self.server.url}", account_sid: {{secret: sid}}, api_key: {{secret: key}}}}
  - use: bq
    with: {{endpoint: "{bq.url}", project: demo, dataset: qreviews, credentials: {{secret: bq}}}}
"""), "--output", "json")
        until(lambda: any(one["method"] == "DELETE" for one in bq.get("/_control/requests")), "tidying up")
        run.signal(signal.SIGTERM)
        result = run.finish()
        self.assertLess(run.took, 2.2 * PATIENCE)
        self.assertEqual((result.code, result.json["outcome"]), (143, "cancelled"), result)

    def test_commands_that_only_look_end_at_once(self):
        for verb in ("check", "plan", "discover", "preview"):
            with self.subTest(verb):
                self.server.post("/_control/reset", {})
                self.fault({"action": "hang", "times": 9, **HOUR})
                run = self.start(verb, self.reviews())
                if verb in ("check", "preview"):
                    until(lambda: self.requests() >= 1, "first request")
                run.signal(signal.SIGINT)
                self.assertIn(shell_code(run.finish().code), (0, 130))
                self.assertLess(run.took, 1 * PATIENCE)


if __name__ == "__main__":
    main()
