"""What each write mode means, asked of a sink with tables: tests/tables. Which sink: the first argument."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from postgres_server import PASSWORD, Postgres
from server_process import Server

BUILD = pathlib.Path(os.environ.get("PATCHBAY_BUILD_DIR", pathlib.Path(__file__).resolve().parents[2] / "build/dev"))


def sqlite(folder):
    return None, {"component": "sqlite", "config": {"path": str(folder / "t.db")}, "modes": ["append", "replace", "upsert", "mirror"],
                  "folds_case": True, "keeps_prepared": True, "keeps_newest": True, "knows_outcomes": True}


def bq(folder):
    server = Server("bigquery/server.py", folder)
    config = {"endpoint": server.url, "project": "demo", "dataset": "d", "credentials": {"secret": "bq"}}
    return server, {"component": "bq", "config": config, "secrets": {"bq": json.dumps(server.get("/_control/credentials"))},
                    "modes": ["append", "replace", "upsert", "mirror"], "folds_case": True, "keeps_prepared": True, "knows_outcomes": True}


class Cluster:
    def __init__(self):
        self.server = Postgres()
        self.uri = self.server.uri

    def stop(self):
        self.server.remove()


def postgres(_):
    cluster = Cluster()
    return cluster, {"component": "postgres", "config": {"connection": cluster.uri, "password": {"secret": "pg"}}, "secrets": {"pg": PASSWORD},
                     "modes": ["append", "replace", "upsert", "mirror"], "keeps_on_request": True, "keeps_newest": True, "knows_outcomes": True}


SINKS = {"bq": bq, "postgres": postgres, "sqlite": sqlite}


def main():
    name, folder = sys.argv.pop(1), pathlib.Path(tempfile.mkdtemp(prefix="patchbay-claims-"))
    server = None
    try:
        server, facts = SINKS[name](folder)
        facts.update(plugin=str(BUILD / f"plugins/{name}.so"), manifest=str(BUILD / f"manifests/{name}.json"))
        return subprocess.run([BUILD / "tests/table_claims", *sys.argv[1:]], env={**os.environ, "TABLE_CLAIMS": json.dumps(facts)}).returncode
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
