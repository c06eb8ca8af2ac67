"""SIGINT and SIGTERM: at most two seconds, nothing half committed, and the next run completes."""

import contextlib
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess

from harness import BUILD, PATIENCE, SOURCE, Server, main
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


HANGS = """
#include <unistd.h>
#include <fcntl.h>
__attribute__((constructor)) static void hang(void) {
  close(open("%s", O_WRONLY | O_CREAT, 0600));
  for (;;) pause();
}
"""


class PhasesTest(OperationsTest):
    """Not a run at work, but what comes before, after and beside it."""

    def setUp(self):
        super().setUp()
        (self.folder / "t.csv").write_text("id\n1\n")
        self.load = self.pipeline("nodes:\n  - {use: files, with: {path: t.csv}}\n  - use: csv.decode\n  - {use: sqlite, with: {path: o.db}}\n", "load")

    def assert_ends(self, run, note, number=signal.SIGTERM, code=None, within=2):
        run.signal(number)
        result = run.finish(20 * PATIENCE)
        self.assertLess(run.took, within * PATIENCE, note)
        self.assertEqual(shell_code(result.code), code or CODES[number], (note, result))
        return result

    def is_there(self, name):
        return (self.folder / name).exists()

    def slow_secret(self, calls):
        """A provider whose command answers so many times, and then hangs with a child of its own."""
        script = self.folder / "secret.sh"
        script.write_text(f"""#!/bin/sh
n=$(cat {self.folder}/calls 2>/dev/null || echo 0)
echo $((n + 1)) >{self.folder}/calls
if [ $n -ge {calls} ]; then
  sleep 1000 &
  echo $! >{self.folder}/child.new && mv {self.folder}/child.new {self.folder}/child
  wait
fi
echo value
""")
        script.chmod(0o755)
        environment = self.folder / "etc/environments/e"
        environment.mkdir(parents=True)
        (environment / "environment.yaml").write_text(f'secrets: [{{command: [{script}, "{{name}}"], timeout: 900s}}]\n')
        self.environment["PATCHBAY_CONFIG_DIR"] = str(self.folder / "etc")
        for plugin in ("postgres", "sqlite"):
            self.assertEqual(self.patchbay("--env", "e", "plugins", "enable", plugin).code, 0)
        return self.pipeline("name: p\nnodes:\n  - {use: postgres, with: {connection: 'host=127.0.0.1 port=1', password: {secret: pw}}}\n"
                             "  - {use: sqlite, with: {path: out.db}}\n", "p")

    def is_alive(self, pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return "\nState:\tZ" not in pathlib.Path("/proc", pid, "status").read_text()
        return False

    def test_the_command_of_a_secret(self):
        for verb, calls in (("validate", 0), ("check", 0), ("plan", 0), ("run", 0), ("run", 1), ("check", 1)):
            for number in CODES:
                with self.subTest(verb, calls=calls, signal=number.name):
                    for name in ("calls", "child", "etc"):
                        path = self.folder / name
                        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
                    pipeline = self.slow_secret(calls)
                    run = self.start("--env", "e", verb, pipeline)
                    until(lambda: self.is_there("child"), "the command hangs")
                    result = self.assert_ends(run, verb, number)
                    child = (self.folder / "child").read_text().strip()
                    until(lambda: not self.is_alive(child), "what the command started is gone")
                    if (verb, calls) == ("run", 1):
                        self.assertIn("p: cancelled in ", result.out)
                        self.assertEqual(self.patchbay("--env", "e", "runs", "list", "--output", "json").json[0]["outcome"], "cancelled")

    def test_a_plugin_that_is_being_loaded(self):
        plugins = self.folder / "plugins"
        plugins.mkdir()
        (self.folder / "hang.c").write_text(HANGS % (self.folder / "loading"))
        subprocess.run(["cc", "-shared", "-fPIC", str(SOURCE / "tests/conformance/c_plugin/counter.c"), str(self.folder / "hang.c"), "-I",
                        str(SOURCE / "sdk/include"), '-DPATCHBAY_PLUGIN_ID="counter"', '-DPATCHBAY_PLUGIN_VERSION="1.0.0"', "-o",
                        str(plugins / "counter.so")], check=True)
        shutil.copy(BUILD / "tests/plugins/counter.json", plugins)
        self.environment["PATCHBAY_PLUGIN_DIR"] = str(plugins)
        count = self.pipeline("name: count\nnodes:\n  - {use: counter, with: {rows: 9}}\n  - {use: sqlite, with: {path: o.db}}\n", "count")
        for words in (["run", count, "--output", "json"], ["check", count], ["plan", count], ["discover", count], ["preview", count],
                      ["plugins", "verify", "counter"]):
            with self.subTest(words[0]):
                (self.folder / "loading").unlink(missing_ok=True)
                run = self.start(*words)
                until(lambda: self.is_there("loading"), "the constructor runs")
                result = self.assert_ends(run, words, within=2.2)
                if words[0] == "run":
                    self.assertEqual(result.json["outcome"], "cancelled")

    def full_pipe(self):
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(write, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write, b"x" * 512)
        os.set_blocking(write, True)
        self.addCleanup(os.close, read)
        return write

    def writes(self, pid):
        """Whether its main thread is in a call that writes to standard output."""
        call = pathlib.Path(f"/proc/{pid}/syscall").read_text().split()
        return call[:2] == ["1", "0x1"]  # write(1, ..) of x86-64

    def test_nobody_reads_what_is_printed(self):
        if os.uname().machine != "x86_64":
            self.skipTest("knows the numbers of another processor's calls")
        self.assertEqual(self.patchbay("run", self.load).code, 0)
        for words in (["run", self.load], ["run", self.load, "--output", "json"], ["plan", self.load], ["check", self.load], ["discover", self.load],
                      ["preview", self.load], ["validate", self.load], ["state", "show", "load"], ["runs", "list"], ["runs", "show"], ["plugins", "list"],
                      ["rejects", "list", "load"], ["copy", "t.csv", "c.db"], ["copy", "t.csv", "d.db", "--print"], ["schema"], ["help"], ["version"],
                      ["completion", "bash"]):
            with self.subTest(words):
                write = self.full_pipe()
                process = subprocess.Popen(self.command(*words), cwd=self.folder, env=self.environment, stdout=write, stderr=subprocess.DEVNULL,
                                           stdin=subprocess.DEVNULL)
                os.close(write)
                self.addCleanup(process.kill)
                until(lambda: self.writes(process.pid), f"{words} waits in write")
                process.send_signal(signal.SIGTERM)
                self.assertEqual(shell_code(process.wait(2 * PATIENCE)), 143)

    def test_the_report_of_a_run_that_is_ending(self):
        """Its first signal ends the run; then nobody takes the report."""
        self.serve()
        self.fault({"action": "hang", **HOUR})
        write = self.full_pipe()
        process = subprocess.Popen(self.command("run", self.reviews()), cwd=self.folder, env=self.environment, stdout=write,
                                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.close(write)
        self.addCleanup(process.kill)
        until(lambda: self.requests() >= 1, "first request")
        process.send_signal(signal.SIGINT)
        self.assertEqual(shell_code(process.wait(2.2 * PATIENCE)), 130)

    def test_a_pipeline_file_that_does_not_come(self):
        os.mkfifo(self.folder / "pipe.yaml")
        for verb in ("run", "validate", "check", "plan", "state"):
            run = self.start(*(["state", "show"] if verb == "state" else [verb]), self.folder / "pipe.yaml")
            until(lambda: signal.SIGTERM in self.signals(run.pid, "SigBlk"), "watches for signals")
            self.assert_ends(run, verb)

    def test_a_package_that_is_looked_at(self):
        temporary = self.folder / "tmp"
        temporary.mkdir()
        self.environment.update(TMPDIR=str(temporary), PATCHBAY_CONFIG_DIR=str(self.folder / "etc"))
        pipelines = self.folder / "etc/environments/prod/pipelines"
        pipelines.mkdir(parents=True)
        os.mkfifo(pipelines / "wait.yaml")
        tree = self.folder / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n")
        for name, place in (("manifests/fields.json", "usr/share/patchbay/manifests"), ("plugins/fields.so", "usr/lib/x86_64-linux-gnu/patchbay/plugins")):
            (tree / place).mkdir(parents=True)
            shutil.copy(BUILD / name, tree / place)
        subprocess.run(["dpkg-deb", "--build", "-Znone", str(tree), str(self.folder / "x.deb")], check=True, stdout=subprocess.DEVNULL)
        for number in CODES:
            run = self.start("plugins", "verify", self.folder / "x.deb")
            until(lambda: list(temporary.glob("*/libraries/*/fields.so")), "unpacked")
            self.assert_ends(run, "verify", number)
            self.assertEqual(list(temporary.iterdir()), [])

    def test_a_second_signal_ends_at_once_whatever_the_first_does(self):
        """Also while the step that the first set off does not return: the report goes to a pipe that nobody reads."""
        self.serve()
        self.fault({"action": "hang", **HOUR})
        write = self.full_pipe()
        process = subprocess.Popen(self.command("run", self.reviews(), "--output", "json"), cwd=self.folder, env=self.environment, stdout=write,
                                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.close(write)
        self.addCleanup(process.kill)
        until(lambda: self.requests() >= 1, "first request")
        process.send_signal(signal.SIGINT)
        until(lambda: signal.SIGINT in self.signals(process.pid, "SigCgt"), "the first signal is taken")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(shell_code(process.wait(1 * PATIENCE)), 143)

    def signals(self, pid, mask):
        """Those that the process's first thread blocks, SigBlk, or that have a handler, SigCgt."""
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        bits = int(next(line for line in lines if line.startswith(mask)).split()[1], 16)
        return [number for number in range(1, 65) if bits >> (number - 1) & 1]


if __name__ == "__main__":
    main()
