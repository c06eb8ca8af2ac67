"""The five stages on this machine, without a cloud: PostgreSQL in a folder of its own, and the test servers of Cloud Storage and
BigQuery. From the top of a built tree, with Debian's postgresql installed:

    python3 examples/user_behavior/local.py [FOLDER]

FOLDER has the two CSV files, user_purchase.csv and movie_review.csv; default: the made-up ones beside this file.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(TOP / "tests/systems"))

from user_behavior_services import STAGES, Services  # noqa: E402


def main():
    data = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "data")
    patchbay = pathlib.Path(os.environ.get("PATCHBAY_BUILD_DIR", TOP / "build/dev")) / "patchbay"
    with tempfile.TemporaryDirectory() as folder:
        services = Services(folder)
        try:
            for name in ("user_purchase.csv", "movie_review.csv"):
                services.put(name, (data / name).read_text(encoding="utf-8"))
            for stage in STAGES:
                file = HERE / f"{stage}.yaml"
                print(f"\n# {stage}", flush=True)
                subprocess.run([patchbay, "--state-dir", f"{folder}/state", "run", file, *services.arguments(file, query=HERE / "user_behavior.sql")],
                               env={**os.environ, **services.environment}, check=True)
            rows = services.metric()
            print(f"\n# bootcamp.user_behavior_metric, 10 of {len(rows)} rows\n")
            for row in rows[:10]:
                print(*(f"{key}={value}" for key, value in row.items()))
        finally:
            services.stop()


main()
