"""kill -9 at every durable step, and at random moments; afterwards every row is there exactly once.

Which sink: the first argument, sqlite, files, bq, gcs, postgres or postgres_pair.
"""

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import unittest
import urllib.request

from harness import BUILD, Server, SystemTest
from postgres_server import PASSWORD, Postgres

SOURCE = """
name: crash
retry: {{attempts: 3, delay: 1ms}}
commit: {{rows: {rows}}}
nodes:
  - use: qreviews
    with: {{base_url: "{source}", account_sid: {{secret: sid}}, api_key: {{secret: key}}}}
"""
SQLITE = """
  - use: sqlite
    with: {path: out.db, tables: {responses: results}}
"""
FILES = """
  - use: fields
    with: {keep: [id, sequence]}
  - use: csv.encode
  - use: files
    with: {path: "out/${run.id}.csv"}
"""
BQ = """
  - use: bq
    with: {{endpoint: "{bq}", project: demo, dataset: qreviews, credentials: {{secret: bq}}, tables: {{responses: results}}}}
"""
GCS = """
  - use: fields
    with: {{keep: [id, sequence]}}
  - use: csv.encode
    with: {{part_rows: 40, key: "{{stream}}-{{part}}"}}
  - use: gcs
    with: {{endpoint: "{gcs}", bucket: box, credentials: {{secret: gcs}}, path: "${{run.id}}/{{key}}"}}
"""
POSTGRES = """
  - use: postgres
    with: {{connection: "{uri}", password: {{secret: pg}}, tables: {{responses: results}}}}
"""
RANDOM_KILLS = 60


class Crashes:
    records = 100

    def setUp(self):
        super().setUp()
        self.source = Server("qreviews/server.py", self.folder, "--records", self.records)
        self.addCleanup(self.source.stop)

    def reset(self):
        for path in self.folder.iterdir():
            if path.name != "crash.yaml":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def start(self, **more):
        return subprocess.Popen(
            [str(BUILD / "patchbay"), "--state-dir", str(self.folder / "state"), "run", "crash.yaml"],
            cwd=self.folder, env={**self.environment, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, note):
        done = self.patchbay("run", "crash.yaml", "--output", "json")
        self.assertEqual(done.code, 0, f"{note}: {done}")
        self.assertEqual(sorted(self.sequences()), self.expected, note)
        self.assertEqual(self.leftovers(), [], note)
        state = self.patchbay("state", "show", "crash", "--output", "json").json["streams"]
        self.assertEqual(state, {"responses": {"sequence": self.expected[-1]}}, note)

    def test_every_durable_step_and_random_moments(self):
        (self.folder / "crash.yaml").write_text(self.text())
        run = self.start(PATCHBAY_FAULT="list")
        _, errors = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 0, errors)
        self.expected = sorted(self.sequences())
        self.assertEqual(len(set(self.expected)), self.records)
        steps = re.findall(r"durable step (\d+): (\S+)", errors)
        self.assertGreater(len(steps), 10)
        for number, name in steps:
            self.reset()
            run = self.start(PATCHBAY_FAULT=number)
            run.communicate(timeout=60)
            self.assertEqual(run.returncode, -signal.SIGKILL, f"step {number} {name}")
            self.finish(f"killed at step {number}, {name}")
        for seed in range(RANDOM_KILLS):
            self.reset()
            chance = random.Random(seed)
            run = self.start()
            try:
                run.communicate(timeout=chance.uniform(0.005, 0.12))
            except subprocess.TimeoutExpired:
                os.kill(run.pid, signal.SIGKILL)
                run.communicate()
            self.finish(f"random kill, seed {seed}")
        print(f"{len(steps)} durable steps and {RANDOM_KILLS} random moments", file=sys.stderr)


class SqliteCrashes(Crashes, SystemTest):
    def text(self):
        return SOURCE.format(rows=20, source=self.source.url) + SQLITE

    def sequences(self):
        return [row[0] for row in self.rows("SELECT sequence FROM results")]

    def leftovers(self):
        return [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
                if name.startswith("_patchbay") and name != "_patchbay_epochs"]


class FilesCrashes(Crashes, SystemTest):
    def text(self):
        return SOURCE.format(rows=20, source=self.source.url) + FILES

    def sequences(self):
        found = []
        for file in (self.folder / "out").glob("*.csv"):
            with open(file, newline="", encoding="utf-8") as text:
                found += [int(row["sequence"]) for row in csv.DictReader(text)]
        return found

    def leftovers(self):
        return [file.name for file in (self.folder / "out").iterdir() if file.name.startswith(".patchbay")]


class BqCrashes(Crashes, SystemTest):
    def setUp(self):
        super().setUp()
        self.bq = Server("bigquery/server.py", self.folder)
        self.addCleanup(self.bq.stop)
        self.environment["PATCHBAY_SECRET_BQ"] = json.dumps(self.bq.get("/_control/credentials"))

    def reset(self):
        super().reset()
        self.bq.post("/_control/reset", {})

    def text(self):
        return SOURCE.format(rows=20, source=self.source.url) + BQ.format(bq=self.bq.url)

    def sequences(self):
        return [row["sequence"] for row in self.bq.get("/_control/tables/demo/qreviews/results")]

    def leftovers(self):
        return [t["table"] for t in self.bq.get("/_control/tables") if "_patchbay" in t["table"]]


class GcsCrashes(Crashes, SystemTest):
    def setUp(self):
        super().setUp()
        self.gcs = Server("gcs/server.py", self.folder)
        self.addCleanup(self.gcs.stop)
        self.environment["PATCHBAY_SECRET_GCS"] = json.dumps(self.gcs.get("/_control/credentials"))
        self.gcs.post("/_control/buckets", ["box"])

    def reset(self):
        super().reset()
        self.gcs.post("/_control/reset", {})
        self.gcs.post("/_control/buckets", ["box"])

    def text(self):
        return SOURCE.format(rows=20, source=self.source.url) + GCS.format(gcs=self.gcs.url)

    def sequences(self):
        found = []
        for name in self.names():
            with urllib.request.urlopen(f"{self.gcs.url}/_control/data/box/{name}") as answer:
                found += [int(row["sequence"]) for row in csv.DictReader(answer.read().decode().splitlines())]
        return found

    def names(self):
        return [found["name"] for found in self.gcs.get("/_control/objects/box")]

    def leftovers(self):
        return [name for name in self.names() if name.startswith(".patchbay")]


class PostgresCrashes(Crashes, SystemTest):
    def setUp(self):
        super().setUp()
        self.server = Postgres()
        self.addCleanup(self.server.remove)
        self.environment["PATCHBAY_SECRET_PG"] = PASSWORD

    def reset(self):
        super().reset()
        self.server.sql("DROP TABLE IF EXISTS results, _patchbay_epochs")

    def text(self):
        return SOURCE.format(rows=20, source=self.source.url) + POSTGRES.format(uri=self.server.uri)

    def sequences(self):
        return [int(row[0]) for row in self.server.sql("SELECT sequence FROM results")]

    def leftovers(self):
        return [name for (name,) in self.server.sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '\\_patchbay%'")
                if name != "_patchbay_epochs"]


class PostgresPairCrashes(PostgresCrashes):
    """Two sinks that append the same rows: the second keeps its own until the first has committed."""

    def text(self):
        second = POSTGRES.format(uri=self.server.uri).replace("results}", "others}").replace("- use", "- from: [from]\n    id: second\n    use")
        return (SOURCE.format(rows=20, source=self.source.url).replace("- use", "- id: from\n    use")
                + POSTGRES.format(uri=self.server.uri).replace("- use", "- from: [from]\n    id: first\n    use") + second)

    def reset(self):
        super().reset()
        self.server.sql("DROP TABLE IF EXISTS others")

    def sequences(self):
        first = super().sequences()
        self.assertEqual(sorted(first), sorted(int(row[0]) for row in self.server.sql("SELECT sequence FROM others")))
        return first


if __name__ == "__main__":
    sink = sys.argv.pop(1)
    cases = {"sqlite": SqliteCrashes, "files": FilesCrashes, "bq": BqCrashes, "gcs": GcsCrashes, "postgres": PostgresCrashes, "postgres_pair": PostgresPairCrashes}
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(cases[sink])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
